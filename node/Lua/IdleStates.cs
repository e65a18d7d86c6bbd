namespace Aerie.Lua;

/// The idle states of one module on one worker, the one used last on top.
internal sealed class StatePool(string module)
{
    public string Module { get; } = module;

    /// How many functions of the module are known.
    public int Functions { get; set; } = 1;

    public PooledState? Top { get; set; }
}

/// A state and its places: in its module's pool, and in the row of all idle states by age.
internal sealed class PooledState(StatePool pool, LuaState state)
{
    public StatePool Pool { get; } = pool;

    public LuaState State { get; } = state;

    /// The module's outermost statements have run.
    public bool IsLoaded { get; set; }

    public PooledState? Below { get; set; }

    public PooledState? Older { get; set; }

    public PooledState? Newer { get; set; }
}

/// The idle states of a worker, so many at most.
internal sealed class IdleStates(int most)
{
    private PooledState? _oldest;
    private PooledState? _newest;
    private int _count;

    public bool TryTake(StatePool pool, out PooledState? state)
    {
        state = pool.Top;
        if (state is null)
        {
            return false;
        }

        pool.Top = state.Below;
        state.Below = null;
        Unlink(state);
        return true;
    }

    /// Returns the one that has to go for it, if there are too many now.
    public PooledState? Put(PooledState state)
    {
        state.Below = state.Pool.Top;
        state.Pool.Top = state;
        state.Older = _newest;
        if (_newest is not null)
        {
            _newest.Newer = state;
        }

        _newest = state;
        _oldest ??= state;
        _count++;
        return _count > most ? TakeOldest() : null;
    }

    public PooledState? TakeOldest()
    {
        var state = _oldest;
        if (state is null)
        {
            return null;
        }

        if (state.Pool.Top == state)
        {
            state.Pool.Top = state.Below;
        }
        else
        {
            var above = state.Pool.Top!;
            while (above.Below != state)
            {
                above = above.Below!;
            }

            above.Below = state.Below;
        }

        state.Below = null;
        Unlink(state);
        return state;
    }

    private void Unlink(PooledState state)
    {
        if (state.Older is null)
        {
            _oldest = state.Newer;
        }
        else
        {
            state.Older.Newer = state.Newer;
        }

        if (state.Newer is null)
        {
            _newest = state.Older;
        }
        else
        {
            state.Newer.Older = state.Older;
        }

        state.Older = null;
        state.Newer = null;
        _count--;
    }
}

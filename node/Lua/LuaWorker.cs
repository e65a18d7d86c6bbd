using Aerie.Foundation;

namespace Aerie.Lua;

/// One thread's states and runs. A module has as many states as calls of it were suspended at the same time on this worker, one as
/// a rule; idle ones are kept up to a number.
internal sealed class LuaWorker : IUdfWorker
{
    /// Functions that were called and exist. When there are more, all are looked up anew.
    private const int FunctionsMax = 100_000;

    private readonly LuaEngine _engine;
    private readonly Dictionary<FunctionName, FunctionEntry> _functions = new(new FunctionNames());
    private readonly Dictionary<FunctionName, FunctionEntry>.AlternateLookup<CalledName> _functionsByCall;
    private readonly Dictionary<string, StatePool> _pools = new(StringComparer.Ordinal);
    private readonly IdleStates _idle;
    private readonly Stack<LuaRun> _runs = [];
    private bool _isDisposed;

    public LuaWorker(LuaEngine engine)
    {
        _engine = engine;
        _functionsByCall = _functions.GetAlternateLookup<CalledName>();
        _idle = new IdleStates(engine.Runtime.Options.IdleStatesMax);
    }

    public LuaRuntime Runtime => _engine.Runtime;

    public UdfRun Start(in UdfCall call, IUdfRecord record)
    {
        Invariant.Holds(!_isDisposed);
        var run = _runs.Count > 0 ? _runs.Pop() : new LuaRun(this);
        try
        {
            run.Begin(call, record);
        }
        catch
        {
            run.Release();
            throw;
        }

        return run;
    }

    public FunctionEntry Entry(in UdfCall call)
    {
        var name = new CalledName(call.Module, call.Function);
        if (_functionsByCall.TryGetValue(name, out var entry))
        {
            return entry;
        }

        var kept = new FunctionName(name);
        return new FunctionEntry(kept, Pool(kept.ModuleText));
    }

    /// The function is there: from now on its calls are counted and quickly found.
    public void Know(FunctionEntry entry)
    {
        if (_functions.Count >= FunctionsMax)
        {
            _functions.Clear();
        }

        entry.Counters = _engine.NewCounters(entry.Name);
        _functions[entry.Name] = entry;
    }

    /// A state for a call of the pool's module, with the module in it or not yet. Null: there is no such module.
    public PooledState? Take(StatePool pool)
    {
        while (_idle.TryTake(pool, out var idle))
        {
            if (idle.State.IsUpToDate())
            {
                return idle;
            }

            idle.State.Dispose();
        }

        return _engine.Modules.Find(pool.Module) is null ? null : new PooledState(pool, new LuaState(Runtime, _engine.Modules));
    }

    public void Return(PooledState state)
    {
        if (_isDisposed || !state.IsLoaded || !state.State.IsWorthKeeping())
        {
            state.State.Dispose();
            return;
        }

        _idle.Put(state)?.State.Dispose();
    }

    public void Return(LuaRun run) => _runs.Push(run);

    public void Dispose()
    {
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        while (_idle.TakeOldest() is { } state)
        {
            state.State.Dispose();
        }

        _engine.Forget(this);
    }

    private StatePool Pool(string module)
    {
        if (_pools.TryGetValue(module, out var pool))
        {
            return pool;
        }

        pool = new StatePool(module);
        if (_engine.Modules.Find(module) is not null)
        {
            _pools[module] = pool; // names that clients make up are not kept
        }

        return pool;
    }
}

/// What is known of a function that was called.
internal sealed class FunctionEntry(FunctionName name, StatePool pool)
{
    public FunctionName Name { get; } = name;

    public StatePool Pool { get; } = pool;

    /// Null as long as nobody has found it in its module.
    public FunctionCounters? Counters { get; set; }
}

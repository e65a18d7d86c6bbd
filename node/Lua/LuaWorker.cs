using Aerie.Foundation;
using Aerie.Lua.Native;

namespace Aerie.Lua;

/// One thread's states and runs. A module has as many states as calls of it were suspended at the same time on this worker, one as
/// a rule; idle ones are kept up to a number.
internal sealed unsafe class LuaWorker : IUdfWorker
{
    /// Functions that were called and exist. When there are more, the others are looked up at each call and not counted.
    private const int FunctionsMax = 100_000;

    private readonly LuaEngine _engine;
    private readonly Dictionary<FunctionName, FunctionEntry> _functions = new(new FunctionNames());
    private readonly Dictionary<FunctionName, FunctionEntry>.AlternateLookup<CalledName> _functionsByCall;
    private readonly Dictionary<string, StatePool> _pools = new(StringComparer.Ordinal);
    private readonly IdleStates _idle;
    private readonly Stack<LuaRun> _runs = [];
    private readonly InterruptSlot* _slot;
    private FunctionEntry? _last;
    private PooledState? _lastUsed;
    private bool _isDisposed;

    public LuaWorker(LuaEngine engine)
    {
        _engine = engine;
        _functionsByCall = _functions.GetAlternateLookup<CalledName>();
        _idle = new IdleStates(engine.Runtime.Options.IdleStatesMax);
        _slot = engine.Runtime.Watch is { } watch ? watch.Open() : null;
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
        if (_last is { } last && last.Name.Is(name))
        {
            return last;
        }

        if (_functionsByCall.TryGetValue(name, out var entry))
        {
            _last = entry;
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
            return;
        }

        entry.Number = entry.Pool.Functions++;
        entry.Counters = _engine.NewCounters(entry.Name);
        _functions[entry.Name] = entry;
    }

    /// A state for a call of the pool's module, with the module in it or not yet. Null: there is no such module.
    public PooledState? Take(StatePool pool)
    {
        var idle = _lastUsed;
        if (idle is not null && idle.Pool == pool)
        {
            _lastUsed = null;
        }
        else
        {
            _idle.TryTake(pool, out idle);
        }

        while (idle is not null)
        {
            if (idle.State.IsUpToDate())
            {
                return idle;
            }

            idle.State.Dispose();
            _idle.TryTake(pool, out idle);
        }

        return _engine.Modules.Find(pool.Module) is null ? null : new PooledState(pool, new LuaState(Runtime, _engine.Modules, _slot));
    }

    public void Return(PooledState state)
    {
        if (_isDisposed || !Runtime.Options.KeepsStates || !state.IsLoaded || !state.State.IsWorthKeeping())
        {
            state.State.Dispose();
            return;
        }

        if (_lastUsed is not null)
        {
            _idle.Put(_lastUsed)?.State.Dispose();
        }

        _lastUsed = state;
    }

    public void Return(LuaRun run) => _runs.Push(run);

    public void Dispose()
    {
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        _lastUsed?.State.Dispose();
        _lastUsed = null;
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

    /// Its place among the known functions of the module; zero as long as it is not one of them.
    public int Number { get; set; }

    public bool IsTimed => Counters?.IsTimed ?? true;

    /// Null as long as nobody has found it in its module.
    public FunctionCounters? Counters { get; set; }
}

using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using System.Text;
using Aerie.DataModel.Packed;
using Aerie.Foundation;
using Aerie.Lua.Native;

namespace Aerie.Lua;

/// Why a call is beyond rescue: from then on every instruction of the script raises, so that no pcall and no coroutine of its
/// own can carry on.
internal enum Doom : byte
{
    None,
    Timeout,
    Memory,

    /// A callback threw: the exception comes out where the run was started.
    Exception,
}

/// One Lua state with the sandbox in it: it serves one module on one thread, one call at a time.
///
/// Scripts run in a thread (coroutine) of the state, never on its main stack, so that the count hook can suspend them. A thread
/// that died of an error is never touched again except to read where it stood: its hooks are off, and whatever it still has to
/// close could run for ever. The next call gets a new one.
internal sealed unsafe class LuaState : IDisposable
{
    private const int PauseBetweenCollections = 400; // percent of what was alive after the last one
    private const int CollectorSpeed = 200;
    private const int CollectorStep = 14; // as a power of two
    private const int ScratchMax = 8 * 1024 * 1024;

    /// Each refusal is preceded by a full collection.
    private const int RefusalsMax = 16;
    private const int WalkMax = 1_000_000;

    /// How many turns a script may take at once where it cannot be suspended: in a metamethod that a function of Lua's libraries calls.
    /// Nobody else on its thread is served meanwhile.
    private const int TurnsAtOnceMax = 100;
    private const int GlobalsIndex = 1;
    private const int RecordIndex = 2;

    private readonly LuaHeap* _heap;
    private readonly nint _main;
    private readonly GCHandle _self;
    private readonly int _threadKey;
    private readonly List<ModuleText> _used = [];
    private int[] _functionNames = [];
    private long _generation;
    private long _deadline = long.MaxValue;
    private int _turnLeft;
    private int _walkLeft;
    private bool _suspends;

    /// Null: the script is counted from its first instruction on.
    private readonly InterruptSlot* _slot;
    private bool _isCounted = true;

    /// The coroutine that has yielded because the turn is over, until who waits for it has noticed.
    private nint _paused;
    private bool _isDisposed;
    private ExceptionDispatchInfo? _thrown;

    public LuaState(LuaRuntime runtime, LuaModules modules)
        : this(runtime, modules, null)
    {
    }

    /// `slot`: of who will use the state, when there is a watch.
    public LuaState(LuaRuntime runtime, LuaModules modules, InterruptSlot* slot)
    {
        Runtime = runtime;
        _slot = slot;
        Modules = modules;
        _generation = modules.Generation;
        _heap = LuaHeap.Create(runtime.Options.MemoryMax);
        _heap->ManagedDepth = 1;
        _self = GCHandle.Alloc(this);
        _heap->Owner = GCHandle.ToIntPtr(_self);
        delegate* unmanaged[Cdecl]<LuaHeap*, void*, nuint, nuint, void*> allocate = &LuaHeap.Allocate;
        _main = LuaApi.NewState((nint)allocate, (nint)_heap);
        Invariant.Holds(_main != 0);
        *(LuaHeap**)(_main - sizeof(nint)) = _heap;
        LuaApi.Collect(_main, LuaApi.GcIncremental, PauseBetweenCollections, CollectorSpeed, CollectorStep);
        Known = Sandbox.Build(this, _main);
        Bins = new RecordBins(this, _main);
        _threadKey = RenewThread(0);
    }

    public LuaRuntime Runtime { get; }

    private LuaModules Modules { get; }

    /// Where the things that callbacks need lie in the registry.
    public KnownValues Known { get; }

    /// What the script has read and assigned in this call.
    public RecordBins Bins { get; }

    /// Bytes that a callback makes and takes away again at once.
    public GrowingBytes Scratch { get; } = new(ScratchMax);

    public LuaHeap* Heap => _heap;

    /// Where arguments wait while the module is loaded.
    public nint Main => _main;

    /// Where scripts run. At the bottom of its stack lie the globals and the record; what a call leaves begins above.
    public nint Thread { get; private set; }

    public const int FirstResult = 3;

    public Doom Doom { get; private set; }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static LuaHeap* HeapOf(nint lua) => *(LuaHeap**)(lua - sizeof(nint));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static LuaState Of(LuaHeap* heap) => Unsafe.As<LuaState>(GCHandle.FromIntPtr(heap->Owner).Target!);

    public void BeginCall(long deadline)
    {
        _deadline = deadline;
        Doom = Doom.None;
        _paused = 0;
        _heap->Refusals = 0;
        _heap->Work = 0;
        _isCounted = _slot == null;
        if (!_isCounted && LuaApi.HookMask(Thread) != 0)
        {
            LuaApi.SetHook(Thread, 0, 0, 0); // the last call was counted in the end
        }
    }

    /// Runs the function that lies on the thread's stack below its arguments, or goes on where the thread was suspended.
    public ThreadProgress Resume(int arguments)
    {
        _turnLeft = Runtime.Options.InstructionsPerTurn;
        _suspends = false;
        int results;
        var isWatched = !_isCounted;
        if (isWatched)
        {
            Runtime.Watch!.Begin(_slot, Thread);
        }

        _heap->ManagedDepth = 0;
        var status = LuaApi.Resume(Thread, _main, arguments, &results);
        _heap->ManagedDepth = 1;
        if (isWatched)
        {
            InterruptWatch.End(_slot);
        }

        if (_suspends && status == LuaApi.StatusYield)
        {
            return ThreadProgress.Suspended;
        }

        _thrown?.Throw();
        if (status == LuaApi.StatusMemory && Doom == Doom.None)
        {
            Doom = Doom.Memory;
        }

        return status == LuaApi.StatusOk && Doom == Doom.None ? ThreadProgress.Finished : ThreadProgress.Failed;
    }

    /// Runs the outermost statements of a registered module.
    public ThreadProgress ResumeLoading(string module)
    {
        LuaApi.RawGet(Thread, LuaApi.Registry, Known.Require);
        PushText(Thread, Encoding.UTF8.GetBytes(module));
        return Resume(1);
    }

    /// The thread that failed stays as it is until its error was read; this gives it up.
    public void GiveUpThread() => RenewThread(_threadKey);

    public void EndCall()
    {
        Bins.Clear();
        ClearThread();
        LuaApi.SetTop(_main, 0);
    }

    public void ClearThread() => LuaApi.SetTop(Thread, FirstResult - 1);

    /// A state that has grown near its limit would fail the next call for what this one left behind.
    public bool IsWorthKeeping()
    {
        if (Doom is Doom.Memory or Doom.Exception)
        {
            return false;
        }

        if (_heap->Taken > _heap->Limit / 2)
        {
            LuaApi.Collect(_main, LuaApi.GcCollect, 0, 0, 0);
        }

        return _heap->Taken <= _heap->Limit / 2;
    }

    /// The count hook. False: raise, with whatever lies on top of the stack.
    public bool Tick(nint lua)
    {
        var work = _heap->Work;
        _heap->Work = 0;
        if (!_isCounted && _slot->HasCome != 0)
        {
            _isCounted = true; // a whole turn is over
            _turnLeft = 0;
        }

        var isCounted = _isCounted || lua != Thread;
        _turnLeft -= (isCounted ? LuaRuntime.TickInterval : 0) + (int)Math.Min(work, int.MaxValue / 2);
        if (Doom == Doom.None && _heap->Refusals > RefusalsMax)
        {
            Doom = Doom.Memory;
        }

        if (Doom == Doom.None && Runtime.Clock.MonotonicNanoseconds >= _deadline)
        {
            Doom = Doom.Timeout;
        }

        if (Doom != Doom.None)
        {
            Refuse(lua);
            return false;
        }

        LuaApi.SetHook(lua, Runtime.Hook, isCounted ? LuaApi.MaskCount : 0, LuaRuntime.TickInterval);
        if (_turnLeft <= 0 && !_suspends && _paused == 0 && TryPause(lua))
        {
            LuaApi.YieldFromHook(lua, 0, 0, 0);
        }

        return true;
    }

    /// A coroutine of the script is counted always: the watch knows the main line alone.
    public void Count(nint lua) => LuaApi.SetHook(lua, Runtime.Hook, LuaApi.MaskCount, LuaRuntime.TickInterval);

    /// For who waits for the coroutine at `index`, which has just yielded. Null: it did so by itself, or has ended. Otherwise its turn
    /// was over, and this is whether who waits is to yield, too; if not, the coroutine goes on.
    public bool? Pauses(nint lua, int index)
    {
        if (_paused == 0 || _paused != LuaApi.ToThread(lua, index))
        {
            return null;
        }

        _paused = 0;
        return TryPause(lua);
    }

    // True: this thread yields now, and nothing else may come before.
    private bool TryPause(nint lua)
    {
        if (LuaApi.IsYieldable(lua) == 0)
        {
            if (_turnLeft < -(long)TurnsAtOnceMax * Runtime.Options.InstructionsPerTurn)
            {
                Doom = Doom.Timeout;
            }

            return false;
        }

        _suspends = lua == Thread;
        _paused = _suspends ? 0 : lua;
        return true;
    }

    /// A doomed script calls a callback: it raises here already, so that threads of the script that were not told yet come to their
    /// end, and none makes another one.
    public int Refuse(nint lua)
    {
        LuaApi.SetHook(lua, Runtime.Hook, LuaApi.MaskCount, 1);
        PushText(lua, ErrorText.Of(Doom));
        return -1;
    }

    /// A callback has thrown. What it threw must not pass through Lua: the script is stopped, and Resume throws it on.
    public int Break(nint lua, Exception exception)
    {
        _thrown ??= ExceptionDispatchInfo.Capture(exception);
        Doom = Doom.Exception;
        return Refuse(lua);
    }

    /// Raises an error with the place in the script where the callback was called: `return state.Fail(…)`.
    public int Fail(nint lua, scoped ReadOnlySpan<byte> message)
    {
        ErrorText.PushWithPlace(lua, message);
        return -1;
    }

    /// A registered module, which this state is made of from now on; null: there is none of that name.
    public ModuleText? Use(string name)
    {
        var text = Modules.Find(name);
        if (text is not null)
        {
            _used.Add(text);
        }

        return text;
    }

    /// Whether all modules that this state is made of are still the registered ones.
    public bool IsUpToDate()
    {
        var generation = Modules.Generation;
        if (generation == _generation)
        {
            return true;
        }

        foreach (var text in _used)
        {
            if (Modules.Find(text.Name) != text)
            {
                return false;
            }
        }

        _generation = generation;
        return true;
    }

    /// Pushes the global function of a name; nil: there is none. Names are kept, so that they are made into strings of Lua once.
    public int PushFunction(FunctionEntry function)
    {
        if (function.Number == 0)
        {
            PushText(Thread, function.Name.Function);
        }
        else
        {
            LuaApi.RawGet(Thread, LuaApi.Registry, NameKey(function));
        }

        return LuaApi.RawGet(Thread, GlobalsIndex);
    }

    public void PushRecord() => LuaApi.PushValue(Thread, RecordIndex);

    private int NameKey(FunctionEntry function)
    {
        if (function.Number >= _functionNames.Length)
        {
            Array.Resize(ref _functionNames, function.Number + 1);
        }

        ref var key = ref _functionNames[function.Number];
        if (key == 0)
        {
            PushText(_main, function.Name.Function);
            key = LuaApi.Keep(_main, LuaApi.Registry);
        }

        return key;
    }

    /// Compiles a text and pushes it as a function; false: pushes what is wrong with it. Binary chunks are no text.
    public bool Load(nint lua, ReadOnlySpan<byte> text, string chunkName)
    {
        var managedDepth = _heap->ManagedDepth;
        _heap->ManagedDepth = 0; // the parser runs protected, and no managed frame lies inside
        int status;
        fixed (byte* bytes = text, name = Encoding.UTF8.GetBytes(chunkName + "\0"), mode = "t\0"u8)
        {
            status = LuaApi.Load(lua, bytes, (nuint)text.Length, name, mode);
        }

        _heap->ManagedDepth = managedDepth;
        Charge(text.Length / 8);
        return status == LuaApi.StatusOk;
    }

    /// Before a value is packed or shown. A script can make few lists that contain each other so often that they have more elements
    /// than anybody can wait for.
    public void BeginWalk() => _walkLeft = WalkMax;

    public void WalkOn()
    {
        if (--_walkLeft < 0)
        {
            throw ScriptException.TooManyElements;
        }
    }

    /// Counts what a callback has done beyond a few instructions.
    public void Charge(long instructions) => _heap->Work += instructions;

    public static void PushText(nint lua, scoped ReadOnlySpan<byte> text)
    {
        fixed (byte* bytes = text)
        {
            LuaApi.PushString(lua, bytes, (nuint)text.Length);
        }
    }

    public void Dispose()
    {
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        LuaApi.Close(_main);
        LuaHeap.Destroy(_heap);
        _self.Free();
    }

    private int RenewThread(int key)
    {
        Thread = LuaApi.NewThread(_main);
        if (_slot == null)
        {
            Count(Thread);
        }

        LuaApi.RawGet(Thread, LuaApi.Registry, LuaApi.RegistryGlobals);
        LuaApi.RawGet(Thread, LuaApi.Registry, Known.Record);
        if (key == 0)
        {
            return LuaApi.Keep(_main, LuaApi.Registry);
        }

        LuaApi.RawSet(_main, LuaApi.Registry, key);
        return key;
    }
}

internal enum ThreadProgress : byte
{
    Finished,
    Suspended,

    /// The error object lies on top of the thread's stack; the stack shows where it stood.
    Failed,
}

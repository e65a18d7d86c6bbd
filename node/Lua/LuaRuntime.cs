using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Aerie.Foundation;
using Aerie.Lua.Library;
using Aerie.Lua.Native;

namespace Aerie.Lua;

/// What all states of an engine share: how managed callbacks are reached from Lua, and the limits.
///
/// The way in is the same for every callback: find the state, count the managed frame, run, catch whatever is thrown. No
/// exception and no error of Lua ever passes from one side to the other.
internal sealed unsafe class LuaRuntime : IDisposable
{
    /// Instructions between two looks at the clock.
    public const int TickInterval = 500;

    private readonly Trampolines? _trampolines;

    public LuaRuntime(UdfOptions options)
    {
        Options = options;
        _ = LuaLibrary.Handle;
        delegate* unmanaged[Cdecl]<nint, int, int> callback = &Enter;
        delegate* unmanaged[Cdecl]<nint, int, int> hook = &Tick;
        _trampolines = options.Errors == LuaErrors.Wrapped ? null : Trampolines.TryEmit((nint)callback, Callbacks.All.Length, (nint)hook);
        Invariant.Holds(_trampolines is not null || options.Errors != LuaErrors.Trampoline);
        delegate* unmanaged[Cdecl]<nint, nint, void> bareHook = &TickWithoutTrampoline;
        Hook = _trampolines?.Hook ?? (nint)bareHook;
        RaiseHook = LuaLibrary.Export("luaL_error");
        Watch = options.Interrupts == LuaInterrupts.Signalled && _trampolines is not null
            ? InterruptWatch.TryStart(Hook, options.SignalsAtOnce)
            : null;
    }

    public UdfOptions Options { get; }

    public IClock Clock => Options.Clock;

    /// The count hook: of every thread that runs scripts, or with a watch, of those that are counted.
    public nint Hook { get; }

    /// Null: all scripts are counted.
    public InterruptWatch? Watch { get; }

    /// luaL_error as a hook, for where no code can be emitted: it raises before the next instruction. Its message is what it finds
    /// where it expects a format, the number of the event; nobody gets to see it, because the doom has a text of its own.
    /// (lua_error would raise what lies in the frame's last register, and that may be a pointer to something that is no more.)
    public nint RaiseHook { get; }

    public LuaErrors Errors => _trampolines is null ? LuaErrors.Wrapped : LuaErrors.Trampoline;

    /// Pushes a callback as a function. Wrapped ones need the wrapping function that `wrapper` keeps in the registry.
    public void PushCallback(nint lua, int number, int wrapper)
    {
        if (_trampolines is not null)
        {
            LuaApi.PushFunction(lua, _trampolines.Callback(number), 0);
            return;
        }

        delegate* unmanaged[Cdecl]<nint, int> callback = &EnterWrapped;
        LuaApi.RawGet(lua, LuaApi.Registry, wrapper);
        LuaApi.PushInteger(lua, number);
        LuaApi.PushFunction(lua, (nint)callback, 1);
        var status = LuaApi.ProtectedCall(lua, 1, 1, 0, 0, 0);
        Invariant.Holds(status == LuaApi.StatusOk);
    }

    public void Dispose()
    {
        Watch?.Dispose();
        _trampolines?.Dispose();
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Enter(nint lua, int number) => Run(LuaState.HeapOf(lua), lua, number);

    // The wrapping function raises what comes behind the mark; see Prelude.lua.
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int EnterWrapped(nint lua)
    {
        var heap = LuaState.HeapOf(lua);
        var results = Run(heap, lua, (int)LuaApi.ToInteger(lua, LuaApi.Upvalue(1), null));
        if (results >= 0)
        {
            return results;
        }

        LuaApi.PushLight(lua, (nint)heap);
        LuaApi.Rotate(lua, -2, 1);
        return 2;
    }

    private static int Run(LuaHeap* heap, nint lua, int number)
    {
        var state = LuaState.Of(heap);
        int results;
        heap->ManagedDepth++;
        try
        {
            results = state.Doom == Doom.None ? Callbacks.All[number].Function(state, lua) : state.Refuse(lua);
        }
        catch (ScriptException exception)
        {
            results = state.Fail(lua, exception.Text);
        }
        catch (Exception exception)
        {
            results = state.Break(lua, exception);
        }

        heap->ManagedDepth--;
        if (heap->Work >= TickInterval)
        {
            LuaApi.SetHook(lua, state.Runtime.Hook, LuaApi.MaskCount, 1);
        }

        return results;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Tick(nint lua, int number) => RunTick(lua) ? 0 : -1;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void TickWithoutTrampoline(nint lua, nint activation)
    {
        if (!RunTick(lua))
        {
            LuaApi.SetHook(lua, LuaState.Of(LuaState.HeapOf(lua)).Runtime.RaiseHook, LuaApi.MaskCount, 1);
        }
    }

    private static bool RunTick(nint lua)
    {
        var heap = LuaState.HeapOf(lua);
        var state = LuaState.Of(heap);
        heap->ManagedDepth++;
        bool goesOn;
        try
        {
            goesOn = state.Tick(lua);
        }
        catch (Exception exception)
        {
            state.Break(lua, exception);
            goesOn = false;
        }

        heap->ManagedDepth--;
        return goesOn;
    }
}

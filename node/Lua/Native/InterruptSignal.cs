using System.Runtime.InteropServices;

namespace Aerie.Lua.Native;

/// What a thread that runs scripts shows to the signal and to who sends it. Lies in native memory.
[StructLayout(LayoutKind.Sequential)]
internal struct InterruptSlot
{
    /// The thread of Lua that runs; 0: none. Written by its own thread alone.
    public nint Lua;

    /// The system's number of the thread.
    public int Thread;

    /// 1: the signal has come.
    public int HasCome;

    /// The hook that interrupts.
    public nint Hook;

    /// Counts the times that scripts were started or went on.
    public int Runs;

    /// What Runs was when it was last looked at; the watch's own.
    public int Seen;

    /// Environment.CurrentManagedThreadId of Thread.
    public int ManagedThread;
}

/// The signal that makes a running script take its count hook. Lua lets a signal's handler set a hook; another thread may not. The
/// handler is a few emitted instructions, because no managed code may run in one:
///
///     slot = the signal's value; if (slot == 0 || gettid() != slot->Thread) return;
///     slot->HasCome = 1; if (slot->Lua != 0) lua_sethook(slot->Lua, slot->Hook, LUA_MASKCOUNT, 1)
///
/// What a signal does belongs to the process: the handler is installed once, and stays.
internal static unsafe class InterruptSignal
{
    private const int FirstReal = 34;
    private const int LastReal = 64;

    /// The runtime uses the first ones; debuggers and profilers like those near the ends.
    private const int Preferred = FirstReal + 6;

    private const int CodeLength = 0x41;
    private const int GetThreadCall = 186;
    private const int SendCall = 297;
    private const int WithInfo = 4;
    private const int RestartCalls = 0x10000000;
    private const int QueuedCode = -1;

    private static readonly int Signal = Install();

    /// Signals come through: one was sent.
    public static bool IsAvailable => Signal != 0;

    /// The caller's thread shows itself with the slot from now on.
    public static void Settle(InterruptSlot* slot)
    {
        slot->Thread = (int)SystemCall(GetThreadCall, 0, 0, 0, 0);
        slot->ManagedThread = Environment.CurrentManagedThreadId;
    }

    /// To the slot's thread, if that still lives.
    public static void Send(InterruptSlot* slot) => Send(Signal, slot);

    private static void Send(int signal, InterruptSlot* slot)
    {
        var info = default(SignalInfo);
        info.Signal = signal;
        info.Code = QueuedCode;
        info.Process = Environment.ProcessId;
        info.Value = (nint)slot;
        SystemCall(SendCall, Environment.ProcessId, slot->Thread, signal, (nint)(&info));
    }

    // 0: none is free, code cannot be made here, or what was sent did not come.
    private static int Install()
    {
        var signal = Preferred;
        while (signal <= LastReal && !IsFree(signal))
        {
            signal++;
        }

        if (signal > LastReal || CodePages.TryReserve(CodeLength) is not { } pages)
        {
            return 0;
        }

        Emit(pages.Code(0, CodeLength));
        if (!pages.TrySeal())
        {
            return 0;
        }

        var action = new SignalAction { Handler = pages.Start, Flags = WithInfo | RestartCalls };
        return SetAction(signal, &action, null) == 0 && Comes(signal) ? signal : 0;
    }

    private static bool IsFree(int signal)
    {
        SignalAction action;
        return SetAction(signal, null, &action) == 0 && action.Handler == 0;
    }

    // A thread's signal to itself comes before the call that sends it returns.
    private static bool Comes(int signal)
    {
        var slot = default(InterruptSlot);
        Settle(&slot);
        Send(signal, &slot);
        return Volatile.Read(ref slot.HasCome) == 1;
    }

    private static void Emit(Span<byte> code)
    {
        ReadOnlySpan<byte> instructions =
        [
            0x4C, 0x8B, 0x46, 0x18, // mov r8, [rsi + si_value]
            0x4D, 0x85, 0xC0, 0x74, 0x37, // test r8, r8; je end
            0xB8, 0xBA, 0, 0, 0, 0x0F, 0x05, // mov eax, gettid; syscall
            0x41, 0x3B, 0x40, 0x08, 0x75, 0x2A, // cmp eax, [r8 + Thread]; jne end
            0x41, 0xC7, 0x40, 0x0C, 1, 0, 0, 0, // mov dword [r8 + HasCome], 1
            0x49, 0x8B, 0x38, 0x48, 0x85, 0xFF, 0x74, 0x1A, // mov rdi, [r8 + Lua]; test rdi, rdi; je end
            0x49, 0x8B, 0x70, 0x10, // mov rsi, [r8 + Hook]
            0xBA, LuaApi.MaskCount, 0, 0, 0, 0xB9, 1, 0, 0, 0, // mov edx, MaskCount; mov ecx, 1
            0x48, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xE0, // mov rax, lua_sethook; jmp rax
            0xC3, // end: ret
        ];
        instructions.CopyTo(code);
        MemoryMarshal.Write(code[0x36..], (long)LuaLibrary.Export("lua_sethook"));
    }

    [DllImport("libc", EntryPoint = "sigaction")]
    private static extern int SetAction(int signal, SignalAction* action, SignalAction* old);

    [DllImport("libc", EntryPoint = "syscall")]
    private static extern long SystemCall(long number, long a, long b, long c, long d);

    /// struct sigaction of the C library on x64.
    [StructLayout(LayoutKind.Sequential)]
    private struct SignalAction
    {
        public nint Handler;
        public fixed byte Mask[128];
        public int Flags;
        public nint Restorer;
    }

    /// siginfo_t of a queued signal on x64.
    [StructLayout(LayoutKind.Explicit, Size = 128)]
    private struct SignalInfo
    {
        [FieldOffset(0)]
        public int Signal;

        [FieldOffset(8)]
        public int Code;

        [FieldOffset(16)]
        public int Process;

        [FieldOffset(24)]
        public nint Value;
    }
}

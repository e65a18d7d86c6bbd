using System.Runtime.InteropServices;
using Aerie.Foundation;
using Aerie.Lua.Native;

namespace Aerie.Lua;

/// Interrupts scripts that run for long, so that the others need not be counted: with a count hook, Lua looks at every instruction,
/// which makes its loops half as fast. A thread of the watch looks at the slots each millisecond while scripts run; who is found twice
/// in the same run gets the signal, takes the count hook, and is counted until its call ends.
internal sealed unsafe class InterruptWatch : IDisposable
{
    private const int PeriodMilliseconds = 1;

    /// Rounds without any run after which the watch sleeps until somebody wakes it.
    private const int IdleRoundsMax = 100;

    private readonly nint _hook;
    private readonly bool _isHasty;
    private readonly Lock _gate = new();
    private readonly List<nint> _slots = [];
    private readonly AutoResetEvent _wake = new(false);
    private readonly Thread _thread;
    private volatile bool _isAsleep;
    private volatile bool _ends;

    private InterruptWatch(nint hook, bool isHasty)
    {
        _hook = hook;
        _isHasty = isHasty;
        _thread = new Thread(Watch) { IsBackground = true, Name = "lua-watch" };
        _thread.Start();
    }

    /// Nothing has run for a while, and nothing is looked at.
    public bool IsAsleep => _isAsleep;

    /// Null: signals cannot be used here. `isHasty`: whoever runs gets the signal at once.
    public static InterruptWatch? TryStart(nint hook, bool isHasty) =>
        InterruptSignal.IsAvailable ? new InterruptWatch(hook, isHasty) : null;

    /// For who runs scripts, on one thread after the other. It stays until the watch ends: a signal may be under way to it.
    public InterruptSlot* Open()
    {
        var slot = (InterruptSlot*)NativeMemory.AllocZeroed((nuint)sizeof(InterruptSlot));
        slot->Hook = _hook;
        lock (_gate)
        {
            _slots.Add((nint)slot);
        }

        return slot;
    }

    /// From here to End, `lua` runs on the calling thread.
    public void Begin(InterruptSlot* slot, nint lua)
    {
        if (slot->ManagedThread != Environment.CurrentManagedThreadId)
        {
            InterruptSignal.Settle(slot);
        }

        slot->HasCome = 0;
        slot->Runs++;
        Volatile.Write(ref slot->Lua, lua);
        if (_isAsleep) // who falls asleep makes sure that either this is seen, or the slot
        {
            _isAsleep = false;
            _wake.Set();
        }
    }

    public static void End(InterruptSlot* slot) => Volatile.Write(ref slot->Lua, 0);

    /// After the last script.
    public void Dispose()
    {
        _ends = true;
        _wake.Set();
        _thread.Join();
        _wake.Dispose();
        foreach (var slot in _slots)
        {
            Invariant.Holds(((InterruptSlot*)slot)->Lua == 0);
            NativeMemory.Free((void*)slot);
        }
    }

    private void Watch()
    {
        for (var idleRounds = 0; !_ends;)
        {
            _wake.WaitOne(_isHasty ? 0 : PeriodMilliseconds);
            idleRounds = Look() ? 0 : idleRounds + 1;
            if (idleRounds >= IdleRoundsMax)
            {
                Sleep();
                idleRounds = 0;
            }
        }
    }

    private void Sleep()
    {
        _isAsleep = true;
        Interlocked.MemoryBarrierProcessWide();
        if (!Look() && !_ends)
        {
            _wake.WaitOne();
        }

        _isAsleep = false;
    }

    // Whether anything has run since the last look.
    private bool Look()
    {
        var hasRun = false;
        lock (_gate)
        {
            foreach (var at in _slots)
            {
                var slot = (InterruptSlot*)at;
                var runs = Volatile.Read(ref slot->Runs);
                var isNew = runs != slot->Seen;
                hasRun |= isNew;
                slot->Seen = runs;
                if ((!isNew || _isHasty) && Volatile.Read(ref slot->Lua) != 0 && Volatile.Read(ref slot->HasCome) == 0)
                {
                    hasRun = true;
                    InterruptSignal.Send(slot);
                }
            }
        }

        return hasRun;
    }
}

using System.Runtime.CompilerServices;

namespace Aerie.Foundation;

/// A lock of four bytes for sections of a few hundred nanoseconds. Not re-entrant, not fair; whoever holds it may neither
/// wait, allocate on the managed heap, nor take a second gate of the same kind.
public struct SpinGate
{
    private const int SpinsBeforeYield = 64;

    private int _taken;

    public readonly bool IsTaken => Volatile.Read(in _taken) != 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Enter()
    {
        if (Interlocked.CompareExchange(ref _taken, 1, 0) != 0)
        {
            EnterContended();
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Exit() => Volatile.Write(ref _taken, 0);

    public bool TryEnter() => Interlocked.CompareExchange(ref _taken, 1, 0) == 0;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void EnterContended()
    {
        var spins = 0;
        do
        {
            while (Volatile.Read(ref _taken) != 0)
            {
                if (++spins < SpinsBeforeYield)
                {
                    Thread.SpinWait(8);
                }
                else
                {
                    Thread.Yield(); // the holder may have lost its core; with more threads than cores spinning would keep it off
                }
            }
        }
        while (Interlocked.CompareExchange(ref _taken, 1, 0) != 0);
    }
}

using System.Runtime.CompilerServices;
using Aerie.Foundation;

namespace Aerie.Index;

/// The lock of one partition, held until disposed. Short sections only: the holder neither waits nor takes a second one.
public readonly ref struct PartitionLock
{
    private readonly ref SpinGate _gate;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal PartitionLock(ref SpinGate gate)
    {
        gate.Enter();
        _gate = ref gate;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Dispose() => _gate.Exit();
}

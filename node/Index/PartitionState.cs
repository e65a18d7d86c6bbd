using System.Runtime.InteropServices;
using Aerie.Foundation;

namespace Aerie.Index;

/// What each of the 4096 partitions has: one cache line, shared with no other partition.
[StructLayout(LayoutKind.Sequential, Size = Size)]
internal struct PartitionState
{
    public const int Size = 64;

    public SpinGate Gate;
    public Branch Root;
    public ulong Stretch;
    public long Count;

    /// Last-update-time of the latest removal: whoever comes back is newer.
    public ulong LastRemoval;
}

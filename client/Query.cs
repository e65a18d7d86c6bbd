using Aerie.Foundation;

namespace Aerie.Client;

/// Which records a query returns: all of a set (empty: of the namespace), with these bins (none named: all).
public sealed record Statement(string Namespace, string Set = "", params IReadOnlyList<string> Bins);

/// How far a query has come, partition by partition. Pass it again to go on where a query stopped; begin with a range to
/// share one query among several callers.
public sealed class QueryProgress
{
    private readonly PartitionState[] _partitions;

    public QueryProgress(int first = 0, int count = Digest.PartitionCount)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(first + count, Digest.PartitionCount);
        First = first;
        _partitions = new PartitionState[count];
    }

    public int First { get; }

    public int Count => _partitions.Length;

    public bool IsDone => Array.TrueForAll(_partitions, partition => partition.IsDone);

    internal bool IsPartitionDone(int partition) => _partitions[partition - First].IsDone;

    /// The digest to go on behind; null: from the start.
    internal Digest? LastSeen(int partition) => _partitions[partition - First] is { HasSeen: true } state ? state.Last : null;

    internal bool Covers(int partition) => partition >= First && partition < First + Count;

    internal void Seen(in Digest digest)
    {
        ref var state = ref _partitions[digest.Partition - First];
        state.Last = digest;
        state.HasSeen = true;
    }

    internal void Done(int partition) => _partitions[partition - First].IsDone = true;

    private struct PartitionState
    {
        public Digest Last;
        public bool HasSeen;
        public bool IsDone;
    }
}

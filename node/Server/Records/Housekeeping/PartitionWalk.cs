using Aerie.Foundation;
using Aerie.Index;

namespace Aerie.Server.Records.Housekeeping;

/// What a sweep does with a record. Called under the gate; may remove the record.
internal delegate void RecordVisit(Worker worker, in Digest digest, EntryHandle handle);

/// Walks through all partitions of an index, one leaf under the gate at a time. Records that exist throughout are met once.
internal sealed class PartitionWalk(PrimaryIndex index)
{
    /// Empty partitions that one piece passes: a look at one cache line each.
    private const int EmptyMax = 64;

    private readonly EntryHandle[] _handles = new EntryHandle[PrimaryIndex.LeafCapacity];
    private int _partition = Digest.PartitionCount;
    private IndexCursor _cursor;

    public bool IsDone => _partition == Digest.PartitionCount;

    public void Start()
    {
        _partition = 0;
        _cursor = default;
    }

    public void Stop() => _partition = Digest.PartitionCount;

    /// The records of the next leaf.
    public void VisitLeaf(Worker worker, RecordVisit visit)
    {
        if (!TryFindWork())
        {
            return;
        }

        using var gate = index.Enter(_partition);
        Visit(worker, visit, index.NextLeaf(_partition, ref _cursor, _handles));
    }

    /// The records of the next leaf whose void-time is at most this; leaves without any cost next to nothing.
    public void VisitExpired(Worker worker, uint voidTimeMax, RecordVisit visit)
    {
        if (!TryFindWork())
        {
            return;
        }

        using var gate = index.Enter(_partition);
        Visit(worker, visit, index.NextExpired(_partition, ref _cursor, voidTimeMax, _handles));
    }

    private void Visit(Worker worker, RecordVisit visit, int count)
    {
        foreach (var handle in _handles.AsSpan(0, count))
        {
            visit(worker, index[handle].Digest(_partition), handle);
        }
    }

    private bool TryFindWork()
    {
        for (var passed = 0; passed < EmptyMax && !IsDone; passed++)
        {
            if (!_cursor.IsAtEnd && index.Count(_partition) != 0)
            {
                return true;
            }

            _partition++;
            _cursor = default;
        }

        return false;
    }
}

using Aerie.Foundation;
using Aerie.Index;

namespace Aerie.Server.Records.Housekeeping;

/// Drops tombstones older than `tomb-raider-eligible-age`, every `tomb-raider-period`. In memory nothing older than the
/// tombstone can come back after a restart, so age is the only condition.
internal sealed class TombstoneSweep : Chore
{
    private readonly Namespace _records;
    private readonly PartitionWalk _walk;
    private readonly RecordVisit _drop;
    private long _lastStart;
    private bool _isSweeping;

    public TombstoneSweep(Namespace records, long now)
    {
        _records = records;
        _walk = new PartitionWalk(records.Index);
        _drop = Drop;
        _lastStart = now;
    }

    public override long DueAt(long now)
    {
        if (_isSweeping)
        {
            return now;
        }

        var period = _records.Options.TombRaiderPeriodSeconds;
        return period == 0 || _records.Tombstones == 0 ? Never : _lastStart + (period * NanosecondsPerSecond);
    }

    public override void DoPiece(Worker worker, long now)
    {
        if (!_isSweeping)
        {
            _isSweeping = true;
            _lastStart = now;
            _walk.Start();
        }

        _walk.VisitLeaf(worker, _drop);
        _isSweeping = !_walk.IsDone;
    }

    private void Drop(Worker worker, in Digest digest, EntryHandle handle)
    {
        ref var entry = ref _records.Index[handle];
        var age = (ulong)_records.Options.TombRaiderEligibleAgeSeconds * 1000;
        if (entry.IsTombstone && !entry.IsHeld && entry.LastUpdateTime + age < worker.LastUpdateTime)
        {
            _records.Remove(worker, digest, handle);
        }
    }
}

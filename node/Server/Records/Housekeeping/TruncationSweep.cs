using Aerie.Foundation;
using Aerie.Index;
using Aerie.Server.Metrics;

namespace Aerie.Server.Records.Housekeeping;

/// Gives back the space of what was cut off. Clients do not see those records any more, so there is no hurry; but each is
/// judged under its gate, by its own last-update-time and the cut of that moment: a record written after the cut, and
/// everything after an undo, stays whatever the order of events.
internal sealed class TruncationSweep : Chore
{
    /// A write whose turn began before the cut may still be about to publish an older last-update-time: the sweep lets such
    /// turns end first. And a record that its owner kept from being removed is looked for again after this.
    private const long RestNanoseconds = 100_000_000;

    private readonly Namespace _records;
    private readonly PartitionWalk _walk;
    private readonly RecordVisit _remove;
    private long _noticed;
    private long _sweeping;
    private long _startAt;
    private bool _metHeld;
    private long _undone;
    private ulong _cut;
    private ulong[] _cutsOfSets = [];

    public TruncationSweep(Namespace records)
    {
        _records = records;
        _walk = new PartitionWalk(records.Index);
        _remove = Remove;
    }

    /// `truncate-threads` says how much an operator wants to spend.
    public override int SharePercent => Math.Min(_records.Options.TruncateThreads * CalmSharePercent, 50);

    public override long DueAt(long now)
    {
        var rests = _sweeping == 0 && _noticed == _records.Truncations;
        return !_records.IsTruncating ? Never : rests ? _startAt : now;
    }

    public override void DoPiece(Worker worker, long now)
    {
        if (_noticed != _records.Truncations && _sweeping == 0)
        {
            _noticed = _records.Truncations;
            _startAt = now + RestNanoseconds;
            return;
        }

        if (_sweeping == 0)
        {
            _sweeping = _noticed;
            _metHeld = false;
            NoteCuts();
            _walk.Start();
        }

        _walk.VisitLeaf(worker, _remove);
        if (_walk.IsDone)
        {
            End(now);
        }
    }

    private void Remove(Worker worker, in Digest digest, EntryHandle handle)
    {
        ref var entry = ref _records.Index[handle];
        if (!_records.IsTruncated(entry))
        {
            return;
        }

        if (entry.IsHeld)
        {
            _metHeld = true;
            return;
        }

        _records.RemoveUnmarked(worker, digest, handle);
        _records.Counters.Add(worker.Number, NamespaceCounter.TruncatedObjects);
    }

    // Truncations that came during the sweep may concern partitions already passed: they get a sweep of their own.
    private void End(long now)
    {
        if (_metHeld)
        {
            _startAt = now + RestNanoseconds;
        }
        else
        {
            _records.TruncationsSwept = _sweeping;
            KeepFromComingBack();
        }

        _sweeping = 0;
    }

    private void NoteCuts()
    {
        _undone = _records.UndoneTruncations;
        _cut = _records.TruncateCut;
        _cutsOfSets = new ulong[_records.Sets.Count + 1];
        for (var id = 1; id < _cutsOfSets.Length; id++)
        {
            _cutsOfSets[id] = _records.Sets[id].TruncateCut;
        }
    }

    // What the sweep removed left no marks. Its cuts are remembered instead: older versions on a device stay gone, even if
    // the cut is forgotten later. One that was forgotten during the sweep has left records alive, and is not remembered.
    private void KeepFromComingBack()
    {
        if (_records.Register is not { } register || _undone != _records.UndoneTruncations)
        {
            return;
        }

        _records.TruncateSwept = Math.Max(_records.TruncateSwept, _cut);
        for (var id = 1; id < _cutsOfSets.Length; id++)
        {
            var set = _records.Sets[id];
            set.TruncateSwept = Math.Max(set.TruncateSwept, _cutsOfSets[id]);
        }

        register.Changed();
    }
}

using Aerie.Foundation;
using Aerie.Index;
using Aerie.Server.Metrics;
using Microsoft.Extensions.Logging;

namespace Aerie.Server.Records.Housekeeping;

/// Expiry and eviction: every `nsup-period` a cycle over the namespace that removes what has expired, and then, when the
/// namespace is too full, what would expire soonest. Cycles begin by the monotonic clock; what has expired is the wall
/// clock's to say, piece by piece, so that a clock set forth or back does no harm to the cycle itself.
///
///   idle ──period──► expiring ──not too full──► idle
///                       └──too full──► counting (histogram) ──► evicting ──► idle
internal sealed class NsupCycle : Chore
{
    private readonly Namespace _records;
    private readonly ILogger _log;
    private readonly PartitionWalk _walk;
    private readonly VoidTimeHistogram _histogram = new();
    private readonly RecordVisit _expire;
    private readonly RecordVisit _count;
    private readonly RecordVisit _evict;
    private Phase _phase;
    private long _lastStart;
    private long _objectsAtStart;
    private long _expired;
    private long _evicted;
    private EvictionCut _cut;
    private long _leftOfLastBucket;
    private bool[] _spared = [];

    /// The first cycle comes one period after `now`.
    public NsupCycle(Namespace records, ILogger log, long now)
    {
        _records = records;
        _log = log;
        _walk = new PartitionWalk(records.Index);
        _lastStart = now;
        _expire = Expire;
        _count = Count;
        _evict = Evict;
    }

    private enum Phase
    {
        Idle,
        Expiring,
        Counting,
        Evicting,
    }

    /// Space that is short comes back sooner with more work.
    public override int SharePercent => _records.StopWrites ? 10 * CalmSharePercent : CalmSharePercent;

    public override long DueAt(long now)
    {
        var period = _records.Options.NsupPeriodSeconds;
        return _phase != Phase.Idle ? now : period == 0 ? Never : _lastStart + (period * NanosecondsPerSecond);
    }

    public override void DoPiece(Worker worker, long now)
    {
        if (_records.Options.NsupPeriodSeconds == 0)
        {
            _phase = Phase.Idle; // switched off in the middle
            return;
        }

        switch (_phase)
        {
            case Phase.Idle:
                Begin(now);
                break;
            case Phase.Expiring when !_walk.IsDone:
                _walk.VisitExpired(worker, worker.NowSeconds - 1, _expire);
                break;
            case Phase.Expiring:
                BeginEvictionOrEnd(worker, now);
                break;
            case Phase.Counting when !_walk.IsDone:
                _walk.VisitLeaf(worker, _count);
                break;
            case Phase.Counting:
                BeginEvicting(worker, now);
                break;
            case Phase.Evicting when !_walk.IsDone:
                _walk.VisitLeaf(worker, _evict);
                break;
            default:
                End(now);
                break;
        }
    }

    private void Begin(long now)
    {
        _lastStart = now;
        _objectsAtStart = _records.Objects;
        _expired = 0;
        _evicted = 0;
        _walk.Start();
        _phase = Phase.Expiring;
    }

    // Its owner goes on to work on a held record: the next cycle finds it.
    private void Expire(Worker worker, in Digest digest, EntryHandle handle)
    {
        ref var entry = ref _records.Index[handle];
        if (!entry.IsHeld && Namespace.IsExpired(entry, worker.NowSeconds))
        {
            if (_records.Remove(worker, digest, handle)) // else there is no room for a mark: the next cycle finds it
            {
                _records.Counters.Add(worker.Number, NamespaceCounter.ExpiredObjects);
                _expired++;
            }
        }
    }

    private void BeginEvictionOrEnd(Worker worker, long now)
    {
        _records.Housekeeping.HwmBreached = CapacityLimits.IsEvictionDue(_records.Options, CapacityReading.Of(_records, null));
        if (!_records.Housekeeping.HwmBreached)
        {
            End(now);
            return;
        }

        _spared = SparedSets();
        _histogram.Reset(worker.NowSeconds, _records.Options.EvictHistBuckets);
        _walk.Start();
        _phase = Phase.Counting;
    }

    private void Count(Worker worker, in Digest digest, EntryHandle handle)
    {
        ref var entry = ref _records.Index[handle];
        if (MayBeEvicted(entry))
        {
            _histogram.Add(entry.VoidTime);
        }
    }

    private void BeginEvicting(Worker worker, long now)
    {
        _cut = _histogram.CutOff(_records.Options.EvictTenthsPct);
        if (_cut.IsNothing)
        {
            _log.LogWarning(
                "{{{Namespace}}} is too full, but there is nothing to evict: only records with a TTL, outside of sets with "
                + "disable-eviction, are evicted, evict-tenths-pct of them per cycle",
                _records.Name);
            End(now);
            return;
        }

        _leftOfLastBucket = _cut.OfLastBucket;
        _records.Housekeeping.EvictVoidTime = _cut.UpTo;
        _records.Housekeeping.EvictTtl = Math.Max(0, (long)_cut.UpTo - worker.NowSeconds);
        _walk.Start();
        _phase = Phase.Evicting;
    }

    private void Evict(Worker worker, in Digest digest, EntryHandle handle)
    {
        ref var entry = ref _records.Index[handle];
        if (entry.IsHeld || !MayBeEvicted(entry) || entry.VoidTime >= _cut.UpTo)
        {
            return;
        }

        if (entry.VoidTime >= _cut.Below && --_leftOfLastBucket < 0)
        {
            return;
        }

        if (_records.Remove(worker, digest, handle))
        {
            _records.Counters.Add(worker.Number, NamespaceCounter.EvictedObjects);
            _evicted++;
        }
    }

    private void End(long now)
    {
        _walk.Stop();
        _phase = Phase.Idle;
        var state = _records.Housekeeping;
        var deleted = _expired + _evicted;
        state.NsupCycleDuration = (now - _lastStart) / NanosecondsPerSecond;
        state.NsupCycleDeletedPct = _objectsAtStart == 0 ? 0 : Math.Min(100.0, deleted * 100.0 / _objectsAtStart);
        state.NsupCycles++;
        if (deleted != 0)
        {
            _log.LogInformation(
                "{{{Namespace}}} nsup-done: expired {Expired}, evicted {Evicted}, evict-void-time {VoidTime}, {Seconds} s",
                _records.Name, _expired, _evicted, state.EvictVoidTime, state.NsupCycleDuration);
        }
    }

    private bool MayBeEvicted(in RecordEntry entry) =>
        entry.VoidTime != CitrusTime.NeverExpires && !entry.IsTombstone && !IsSpared(entry.SetId);

    // A set that came to be since the pass began is unknown to the snapshot and waits for the next cycle.
    private bool IsSpared(int setId) => _spared.Length != 0 && (setId >= _spared.Length || _spared[setId]);

    private bool[] SparedSets()
    {
        if (_records.Options.Sets.Count == 0)
        {
            return [];
        }

        var spared = new bool[_records.Sets.Count + 1];
        for (var id = 1; id < spared.Length; id++)
        {
            spared[id] = _records.SetOptionsOf(id)?.DisableEviction == true;
        }

        return spared;
    }
}

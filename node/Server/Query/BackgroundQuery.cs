using Aerie.Foundation;
using Aerie.Index;
using Aerie.Server.Records;
using Aerie.Server.Records.Fetching;
using Aerie.Server.Transactions;
using Aerie.Server.Transactions.Parking;
using Aerie.Server.Transactions.Udfs;
using Aerie.Storage;

namespace Aerie.Server.Query;

/// Write operations on every record of a query, carried out on the loop that took the request, with nobody waiting for
/// them. Leaf by leaf: the digests are collected under the partition's gate, then each record is written like any other
/// write, with the gate taken for that record alone. What exists throughout is written exactly once, because the cursor
/// names a place in digest order; what comes to be meanwhile is written if it lies ahead.
internal sealed class BackgroundQuery : IImageUser
{
    /// Some hundred microseconds of writes.
    private const int RecordsPerStep = 128;

    /// The same for calls of functions, whose cost nobody knows beforehand.
    private const long StepNanoseconds = 500_000;

    /// A few hundred microseconds of records that are not wanted.
    private const int LooksPerStep = 2048;

    /// What a leaf costs beside its records, in looks: an empty partition is not free.
    private const int LooksPerLeaf = 8;

    /// While images are read, how often the query looks whether somebody wants it to end.
    private const long LookNanoseconds = 1_000_000_000;

    private readonly Worker _worker;
    private readonly UdfLoop _udfs;
    private readonly ImageFetch _images;
    private readonly UnfinishedCommand _unfinished;
    private readonly QueryPlan _plan;
    private readonly BackgroundOps _ops;
    private readonly Namespace _records;
    private readonly SetFilter _set;
    private uint _perSecond;
    private RecordRate _rate;
    private int _at;
    private IndexCursor _cursor;
    private readonly Digest[] _leaf = new Digest[PrimaryIndex.LeafCapacity];
    private int _leafCount;
    private int _leafDone;
    private long _recordsLeft;
    private long _succeeded;
    private long _failed;
    private long _now;
    private long _usedNanoseconds;

    public BackgroundQuery(in QueryLoopContext loop, QueryPlan plan, BackgroundOps ops, QueryStatus status)
    {
        _worker = loop.Worker;
        _udfs = loop.Udfs;
        _images = new ImageFetch(loop.Reads) { User = this };
        _unfinished = new UnfinishedCommand(loop.Worker, loop.Parked, loop.Udfs) { ItsTurnCame = () => WakeAt = 0 };
        _plan = plan;
        _ops = ops;
        _records = plan.Records;
        Status = status;
        _set = new SetFilter(_records, plan.Set);
        _perSecond = PerSecond(plan);
        _rate = new RecordRate(_perSecond, status.Started);
        _recordsLeft = plan.RecordsMax;
        EnterPartition(_set.TakesNothing ? plan.Partitions.Count : 0);
    }

    public QueryStatus Status { get; }

    public Namespace Records => _records;

    public int OpsLength => _ops.Length;

    /// Monotonic nanoseconds before which a step is of no use; 0: there is work.
    public long WakeAt { get; private set; }

    /// The client's limit and the namespace's `background-query-max-rps`, whichever is lower.
    public static uint PerSecond(QueryPlan plan)
    {
        var max = (uint)plan.Records.Options.BackgroundQueryMaxRps;
        return plan.RecordsPerSecond == 0 ? max : Math.Min(plan.RecordsPerSecond, max);
    }

    /// Active: there is more to do. The replies of the writes go into `scratch` and are thrown away.
    public QueryOutcome Step(ReplyBuffer scratch)
    {
        if (Status.IsAbortAsked)
        {
            return QueryOutcome.UserAborted;
        }

        var now = _now = _worker.Clock.MonotonicNanoseconds;
        if (IsStopped)
        {
            WakeAt = now + LookNanoseconds;
            return QueryOutcome.Active;
        }

        FollowLimit(now);
        var allowance = Math.Min(_rate.Allowance(now), Math.Min(_recordsLeft, RecordsPerStep));
        if (allowance == 0 && !IsAtEnd)
        {
            WakeAt = _rate.WakeAt(now);
            return QueryOutcome.Active;
        }

        WakeAt = 0;
        var taken = Walk(scratch, (int)allowance);
        _rate.Returned(taken);
        _recordsLeft -= taken;
        Status.Advance(_succeeded, 0, _at);
        Status.NoteFailed(_failed);
        WakeAt = IsStopped ? now + LookNanoseconds : 0;
        return IsAtEnd ? QueryOutcome.Ok : QueryOutcome.Active;
    }

    public void ImagesArrived() => WakeAt = 0;

    /// No step follows.
    public void End()
    {
        _images.Clear();
        _unfinished.GiveUp();
    }

    // The record at which it stands is being read, or has another owner.
    private bool IsStopped => _images.IsWaiting || _unfinished.IsQueued;

    private bool IsAtEnd => (_at == _plan.Partitions.Count && _leafDone == _leafCount) || _recordsLeft == 0;

    // An operator who lowers the limit means the queries that run.
    private void FollowLimit(long now)
    {
        var perSecond = PerSecond(_plan);
        if (perSecond != _perSecond)
        {
            _perSecond = perSecond;
            _rate = new RecordRate(perSecond, now);
        }
    }

    // Returns how many records were taken, those that had gone by then included.
    private int Walk(ReplyBuffer scratch, int recordsMax)
    {
        var looks = LooksPerStep;
        var taken = 0;
        _worker.Fetched = _images;
        while (taken < recordsMax && !IsStopped)
        {
            if (_leafDone < _leafCount)
            {
                taken += TryWrite(_leaf[_leafDone], scratch) ? 1 : 0;
                if (_unfinished.HoldsRecord || (_ops.CallsFunction && HasUsedStep()))
                {
                    break;
                }

                continue;
            }

            if (looks <= 0 || _at == _plan.Partitions.Count)
            {
                break;
            }

            _leafDone = 0;
            looks -= LooksPerLeaf + CollectLeaf(_leaf.AsSpan(0, Math.Min(_leaf.Length, recordsMax - taken)), out _leafCount);
            if (_cursor.IsAtEnd)
            {
                EnterPartition(_at + 1);
            }
        }

        _worker.Fetched = null;
        return taken;
    }

    // A function may take any time.
    private bool HasUsedStep()
    {
        var started = _now;
        _now = _worker.Clock.MonotonicNanoseconds;
        _usedNanoseconds += _now - started;
        if (_usedNanoseconds < StepNanoseconds)
        {
            return false;
        }

        _usedNanoseconds = 0;
        return true;
    }

    // Returns how many records were looked at; the cursor stands behind them.
    private int CollectLeaf(Span<Digest> into, out int count)
    {
        Span<EntryHandle> handles = stackalloc EntryHandle[PrimaryIndex.LeafCapacity];
        var index = _records.Index;
        var partition = _plan.Partitions[_at];
        count = 0;
        using var gate = index.Enter(partition);
        var found = handles[..index.NextLeaf(partition, ref _cursor, handles)];
        for (var i = 0; i < found.Length; i++)
        {
            ref var entry = ref index[found[i]];
            if (!_set.Takes(entry) || !_records.IsLive(entry, _worker.NowSeconds))
            {
                continue;
            }

            _records.Log.Prefetch(new RecordLocation(entry.Place));
            into[count++] = entry.Digest(partition);
            if (count == into.Length && i + 1 < found.Length)
            {
                _cursor = index.CursorAfter(into[count - 1]);
                return i + 1;
            }
        }

        return found.Length;
    }

    // A record that cannot be written (writes are stopped, a bin of another type) does not end the query. False: its image,
    // and those of the rest of the leaf, are being read.
    private bool TryWrite(in Digest digest, ReplyBuffer scratch)
    {
        var result = RecordCommands.Run(_worker, _ops.CommandFor(_records, digest, _udfs, _now, _unfinished), scratch);
        scratch.WindBack(0);
        if (_unfinished.End())
        {
            return false;
        }

        if (_worker.LacksImage)
        {
            AskForRest();
            return false;
        }

        _leafDone++;
        _succeeded += result == ResultCode.Ok ? 1 : 0;
        _failed += result is ResultCode.Ok or ResultCode.NotFound or ResultCode.FilteredOut ? 0 : 1;
        return true;
    }

    private void AskForRest()
    {
        _images.Clear();
        _images.Add(_worker.TakeMissing());
        foreach (ref readonly var digest in _leaf.AsSpan(_leafDone + 1, _leafCount - _leafDone - 1))
        {
            using var gate = _records.Index.Enter(digest.Partition);
            if (_images.HasRoom && _records.Index.TryFind(digest, out var handle)
                && _records.IsLive(_records.Index[handle], _worker.NowSeconds))
            {
                _records.Foresee(_worker, _records.Index[handle], _images);
            }
        }

        _images.Start();
    }

    private void EnterPartition(int at)
    {
        _at = at;
        _cursor = at < _plan.Partitions.Count ? _plan.Partitions.Start(at, _records.Index) : default;
    }
}

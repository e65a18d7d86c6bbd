using Aerie.Foundation;
using Aerie.Index;
using Aerie.Io;
using Aerie.Protocol;
using Aerie.Server.Metrics;
using Aerie.Server.Records;
using Aerie.Server.Records.Fetching;
using Aerie.Server.Transactions;
using Aerie.Storage;

namespace Aerie.Server.Query;

/// A query on its way: partition by partition, leaf by leaf, in digest order. A step ends after a buffer's worth of bytes or
/// some thousand records looked at, whatever comes first; the gate of a partition is held for one leaf at most. Between two
/// leaves anything may be written: what exists throughout is returned exactly once, because the cursor names a place in
/// digest order. What a leaf lacks in memory is read from its devices side by side, and the walk goes on there afterwards.
internal sealed class QueryReply : LongReply, IImageUser
{
    /// A few hundred microseconds of records that are not wanted.
    private const int LooksPerStep = 2048;

    /// What operations on a record cost, in looks.
    private const int LooksPerOps = 16;

    /// What a leaf costs beside its records, in looks: an empty partition is not free.
    private const int LooksPerLeaf = 8;

    /// A short query may not take longer.
    private const long ShortNanosecondsMax = 1_000_000_000;

    /// While images are read, how often the query looks whether somebody wants it to end.
    private const long LookNanoseconds = 1_000_000_000;

    private readonly QueryLoopContext _loop;
    private readonly Worker _worker;
    private readonly ImageFetch _images;
    private readonly QueryPlan _plan;
    private readonly QueryRegistry _registry;
    private readonly Namespace _records;
    private readonly long _started;
    private readonly SetFilter _set;
    private QueryStatus? _status;
    private RecordRate _rate;
    private int _at;
    private IndexCursor _cursor;
    private long _recordsLeft;
    private long _returned;
    private long _bytes;
    private ResultCode _result;
    private bool _isStalled;

    public QueryReply(in QueryLoopContext loop, QueryPlan plan, QueryRegistry registry)
    {
        _loop = loop;
        _worker = loop.Worker;
        _images = new ImageFetch(loop.Reads) { User = this };
        _plan = plan;
        _registry = registry;
        _records = plan.Records;
        _started = _worker.Clock.MonotonicNanoseconds;
        _rate = new RecordRate(plan.RecordsPerSecond, _started);
        _recordsLeft = plan.RecordsMax;
        _set = new SetFilter(_records, plan.Set);
        // The partitions of a set without records are still walked, if the client wants to hear of them.
        EnterPartition(_set.TakesNothing && !plan.SendsPartitionDone ? plan.Partitions.Count : 0);
    }

    public override long StallLimit => _plan.SocketTimeout * 1_000_000L;

    public override void Begin(ConnectionId connection, IIoEngine engine)
    {
        base.Begin(connection, engine);
        if (_plan.IsShort)
        {
            return;
        }

        _status = new QueryStatus
        {
            Id = _plan.Id,
            Namespace = _records.Name,
            Set = QueryStatus.TextOf(_plan.Set),
            From = engine.PeerOf(connection),
            RecordsPerSecond = _plan.RecordsPerSecond,
            SocketTimeout = _plan.SocketTimeout,
            PartitionsRequested = _plan.Partitions.Count,
            Started = _started,
        };
        _registry.Add(_status);
    }

    public override LongReplyProgress Step(Worker worker, ReplyBuffer reply)
    {
        var now = worker.Clock.MonotonicNanoseconds;
        _result = _status is { IsAbortAsked: true } ? ResultCode.QueryUserAbort
            : _plan.IsShort && now - _started > ShortNanosecondsMax ? ResultCode.Timeout
            : ResultCode.Ok;
        if (_images.IsWaiting && _result == ResultCode.Ok)
        {
            return WaitForImages(now);
        }

        var allowance = Math.Min(_rate.Allowance(now), _recordsLeft);
        if (allowance == 0 && _result == ResultCode.Ok && !IsAtEnd)
        {
            WakeAt = _rate.WakeAt(now);
            return LongReplyProgress.Waiting;
        }

        var start = reply.Length;
        var frame = ReplyFrame.Begin(reply);
        var before = _returned;
        if (_result == ResultCode.Ok)
        {
            Walk(reply, start + StepBytes, _returned + allowance);
        }

        _rate.Returned(_returned - before);
        _recordsLeft -= _returned - before;
        var isDone = IsAtEnd || _result != ResultCode.Ok;
        if (isDone)
        {
            frame.AddLast(_result);
        }

        frame.End(_plan.Compresses);
        _bytes += reply.Length - start;
        _status?.Advance(_returned, _bytes, _at);
        return isDone ? LongReplyProgress.Done : _images.IsWaiting ? WaitForImages(now) : LongReplyProgress.More;
    }

    public void ImagesArrived() => _loop.WakeLongReply(Connection, this);

    public override void Stalled() => _isStalled = true;

    public override void End(bool completed)
    {
        var now = _worker.Clock.MonotonicNanoseconds;
        _images.Clear();
        _records.Latencies.PiQuery.Record(_worker.Number, now - _started);
        _records.Counters.Add(_worker.Number, CounterOfEnd(completed));
        if (_status is not null)
        {
            var outcome = completed
                ? _result == ResultCode.Ok ? QueryOutcome.Ok : QueryOutcome.UserAborted
                : _isStalled ? QueryOutcome.ResponseTimeout : QueryOutcome.ResponseError;
            _registry.Finish(_status, outcome, now);
        }
    }

    private LongReplyProgress WaitForImages(long now)
    {
        WakeAt = now + LookNanoseconds;
        return LongReplyProgress.Waiting;
    }

    private bool IsAtEnd => _at == _plan.Partitions.Count || _recordsLeft == 0;

    private void Walk(ReplyBuffer reply, int bytesMax, long returnedMax)
    {
        Span<EntryHandle> handles = stackalloc EntryHandle[PrimaryIndex.LeafCapacity];
        var looks = LooksPerStep;
        _worker.Fetched = _images;
        _worker.Filter = _plan.Filter;
        while (looks > 0 && !_images.IsWaiting && _at < _plan.Partitions.Count && reply.Length < bytesMax && _returned < returnedMax)
        {
            looks -= LooksPerLeaf + (WalkLeaf(handles, reply, bytesMax, returnedMax) * (_plan.Ops is null ? 1 : LooksPerOps));
            if (_worker.LacksImage)
            {
                _worker.TakeMissing(); // it is among those that the leaf lacks
                _images.Start();
            }
            else if (_cursor.IsAtEnd)
            {
                LeavePartition(reply);
            }
        }

        _worker.Fetched = null;
        _worker.Filter = null;
    }

    // Returns how many records were looked at.
    private int WalkLeaf(Span<EntryHandle> handles, ReplyBuffer reply, int bytesMax, long returnedMax)
    {
        var index = _records.Index;
        var partition = _plan.Partitions[_at];
        var writer = new QueryRecord(_plan, _worker, reply);
        using var gate = index.Enter(partition);
        var start = _cursor;
        var found = handles[..index.NextLeaf(partition, ref _cursor, handles)];
        foreach (var handle in found)
        {
            Prefetch(index[handle]);
        }

        for (var i = 0; i < found.Length; i++)
        {
            ref var entry = ref index[found[i]];
            if (!Wants(entry))
            {
                continue;
            }

            var digest = entry.Digest(partition);
            if (!writer.TryWrite(entry, digest))
            {
                if (!_worker.LacksImage)
                {
                    continue; // filtered out, or unreadable: the operator hears of that, and the others are returned
                }

                _cursor = i == 0 ? start : index.CursorAfter(index[found[i - 1]].Digest(partition));
                Foresee(found[i..]);
                return i + 1;
            }

            _returned++;
            if (reply.Length >= bytesMax || _returned == returnedMax)
            {
                _cursor = i + 1 < found.Length ? index.CursorAfter(digest) : _cursor;
                return i + 1;
            }
        }

        return found.Length;
    }

    // Caller holds the gate.
    private void Foresee(ReadOnlySpan<EntryHandle> rest)
    {
        _images.Clear();
        foreach (var handle in rest)
        {
            ref var entry = ref _records.Index[handle];
            if (!_images.HasRoom)
            {
                return;
            }

            if (Wants(entry) && (_plan.Filter is null
                || RecordFilter.MayPass(_worker, _records, entry.Digest(_plan.Partitions[_at]), entry, out _)))
            {
                _records.Foresee(_worker, entry, _images);
            }
        }
    }

    private bool Wants(in RecordEntry entry) =>
        _set.Takes(entry) && _records.IsLive(entry, _worker.NowSeconds);

    private void Prefetch(in RecordEntry entry)
    {
        if (_set.Takes(entry))
        {
            _records.Log.Prefetch(new RecordLocation(entry.Place));
        }
    }

    private void LeavePartition(ReplyBuffer reply)
    {
        if (_plan.SendsPartitionDone)
        {
            new MessageHeader { Info3 = Info3.PartitionDone, Generation = (uint)_plan.Partitions[_at] }
                .Write(reply.Reserve(MessageHeader.Length));
            reply.Commit(MessageHeader.Length);
        }

        EnterPartition(_at + 1);
    }

    private void EnterPartition(int at)
    {
        _at = at;
        _cursor = at < _plan.Partitions.Count ? _plan.Partitions.Start(at, _records.Index) : default;
    }

    private NamespaceCounter CounterOfEnd(bool completed)
    {
        if (_plan.IsShort)
        {
            return !completed ? NamespaceCounter.PiQueryShortBasicError
                : _result == ResultCode.Timeout ? NamespaceCounter.PiQueryShortBasicTimeout
                : NamespaceCounter.PiQueryShortBasicComplete;
        }

        return !completed ? NamespaceCounter.PiQueryLongBasicError
            : _result == ResultCode.Ok ? NamespaceCounter.PiQueryLongBasicComplete
            : NamespaceCounter.PiQueryLongBasicAbort;
    }
}

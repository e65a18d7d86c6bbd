using Aerie.Foundation;
using Aerie.Io;
using Aerie.Memory;
using Aerie.Server.Metrics;
using Aerie.Server.Records;
using Aerie.Server.Records.Fetching;
using Aerie.Server.Transactions;
using Aerie.Server.Transactions.Parking;
using Aerie.Server.Transactions.Udfs;

namespace Aerie.Server.Query;

/// The event loop as queries see it.
internal readonly record struct QueryLoopContext(
    Worker Worker,
    BufferPool Buffers,
    ImageReads Reads,
    Action<ConnectionId, LongReply> WakeLongReply,
    ParkedCommands Parked,
    UdfLoop Udfs);

/// The background queries of one loop. They belong to no connection: whoever asked for one has its answer and may be gone.
/// One step of one query per turn, in rotation, so that single requests never wait for more than a step however many there
/// are. Belongs to the loop's thread.
internal sealed class BackgroundQueries(QueryLoopContext loop, QueryShared shared)
{
    /// Clients may ask for any number; more at once would only make each slower.
    public const int QueriesMax = 32;

    /// The operations of all of them: what is kept without a connection must have a limit of its own.
    public const long OpsBytesMax = 64L * 1024 * 1024;

    private readonly ReplyBuffer _scratch = new(loop.Buffers);
    private readonly List<BackgroundQuery> _active = [];
    private long _opsBytes;
    private int _next;
    private bool _draining;

    public Worker Worker => loop.Worker;

    public QueryLoopContext Loop => loop;

    public QueryShared Shared => shared;

    public int Active => _active.Count;

    /// Monotonic nanoseconds at which a step is due: 0 at once, long.MaxValue never.
    public long WakeAt
    {
        get
        {
            var wakeAt = long.MaxValue;
            foreach (var query in _active)
            {
                wakeAt = Math.Min(wakeAt, query.WakeAt);
            }

            return wakeAt;
        }
    }

    /// `from`: the client, for the operator.
    public ResultCode TryStart(QueryPlan plan, BackgroundOps ops, string from)
    {
        if (_draining)
        {
            return ResultCode.Unavailable;
        }

        if (_active.Count == QueriesMax || _opsBytes + ops.Length > OpsBytesMax)
        {
            return ResultCode.QueryQueueFull;
        }

        var status = new QueryStatus
        {
            Id = plan.Id,
            IsBackground = true,
            CallsFunction = ops.CallsFunction,
            Namespace = plan.Records.Name,
            Set = QueryStatus.TextOf(plan.Set),
            From = from,
            RecordsPerSecond = BackgroundQuery.PerSecond(plan),
            SocketTimeout = plan.SocketTimeout,
            PartitionsRequested = plan.Partitions.Count,
            Started = Worker.Clock.MonotonicNanoseconds,
        };
        if (!shared.Registry.TryAddBackground(status))
        {
            return ResultCode.Parameter;
        }

        _active.Add(new BackgroundQuery(loop, plan, ops, status));
        _opsBytes += ops.Length;
        return ResultCode.Ok;
    }

    /// Once a turn.
    public void Step()
    {
        if (_active.Count == 0)
        {
            return;
        }

        var now = Worker.Clock.MonotonicNanoseconds;
        for (var left = _active.Count; left > 0; left--)
        {
            _next = (_next + 1) % _active.Count;
            if (_active[_next].WakeAt <= now)
            {
                StepOne(_active[_next]);
                break;
            }
        }
    }

    /// The node stops: ends all of them between two records and takes no more. Returns what was ended.
    public IReadOnlyList<QueryStatus> Drain()
    {
        _draining = true;
        QueryStatus[] ended = [.. _active.Select(query => query.Status)];
        while (_active.Count > 0)
        {
            End(_active[^1], QueryOutcome.Abandoned);
        }

        return ended;
    }

    // The scratch is given back at once: an idle loop holds no buffer.
    private void StepOne(BackgroundQuery query)
    {
        var outcome = query.Step(_scratch);
        _scratch.Drop();
        if (outcome != QueryOutcome.Active)
        {
            End(query, outcome);
        }
    }

    private void End(BackgroundQuery query, QueryOutcome outcome)
    {
        _active.Remove(query);
        query.End();
        _opsBytes -= query.OpsLength;
        query.Records.Counters.Add(
            Worker.Number,
            (query.Status.CallsFunction, outcome == QueryOutcome.Ok) switch
            {
                (true, true) => NamespaceCounter.PiQueryUdfBgComplete,
                (true, false) => NamespaceCounter.PiQueryUdfBgAbort,
                (false, true) => NamespaceCounter.PiQueryOpsBgComplete,
                _ => NamespaceCounter.PiQueryOpsBgAbort,
            });
        shared.Registry.Finish(query.Status, outcome, Worker.Clock.MonotonicNanoseconds);
    }
}

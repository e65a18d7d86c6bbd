using Aerie.Foundation;
using Aerie.Memory;
using Aerie.Protocol;
using Aerie.Server.Metrics;
using Aerie.Server.Service;
using Aerie.Server.Transactions;

namespace Aerie.Server.Batch;

/// What batches need on one loop, made once and used again: the runner, a reply buffer for slices of other loops' batches,
/// and the jobs. Belongs to the loop's thread.
internal sealed class BatchLoop
{
    private readonly ServiceLoop _loop;
    private readonly ServiceShared _shared;
    private readonly Stack<BatchJob> _idle = new();

    public BatchLoop(ServiceLoop loop, ServiceShared shared)
    {
        _loop = loop;
        _shared = shared;
        Run = new BatchRun(loop.Worker, shared);
        SliceReply = new ReplyBuffer(loop.Buffers);
    }

    public BatchRun Run { get; }

    public ReplyBuffer SliceReply { get; }

    /// Jobs begun and not over, those whose connection is gone but whose slices still run included.
    public int UnderWay { get; private set; }

    /// Takes a batch over at the position that the first stretch left.
    public BatchJob Begin(scoped in BatchWork work, BatchPosition position, long started)
    {
        var job = _idle.Count > 0 ? _idle.Pop() : new BatchJob(_loop, _shared);
        UnderWay++;
        job.Take(work, position, started);
        return job;
    }

    public void Ended(BatchJob job)
    {
        UnderWay--;
        _idle.Push(job);
    }

    /// The end of a batch in the statistics.
    public void Count(ResultCode result, long started)
    {
        var number = _loop.Worker.Number;
        _shared.BatchIndexLatency.Record(number, _loop.Worker.Clock.MonotonicNanoseconds - started);
        _shared.Counters.Add(number, result switch
        {
            ResultCode.Ok => NodeCounter.BatchIndexComplete,
            ResultCode.Timeout => NodeCounter.BatchIndexTimeout,
            _ => NodeCounter.BatchIndexError,
        });
    }
}

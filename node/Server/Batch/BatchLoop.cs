using System.Collections.Concurrent;
using Aerie.Foundation;
using Aerie.Io;
using Aerie.Memory;
using Aerie.Protocol;
using Aerie.Server.Metrics;
using Aerie.Server.Records;
using Aerie.Server.Records.Fetching;
using Aerie.Server.Transactions;
using Aerie.Server.Transactions.Commits;
using Aerie.Server.Transactions.Parking;
using Aerie.Server.Transactions.Udfs;

namespace Aerie.Server.Batch;

/// What the batches of all loops have in common.
public sealed class BatchShared
{
    private volatile BatchLoop[] _loops = [];

    public required Namespaces Namespaces { get; init; }

    public required StripedCounters<NodeCounter> Counters { get; init; }

    /// Whole batches; what their rows take is told by namespace.
    public required LatencyHistogram Latency { get; init; }

    /// Config `batch-max-requests`, 0: no limit.
    public required Func<long> RequestsMax { get; init; }

    internal BatchLoop[] Loops => _loops;

    /// Replies of some rows may have to wait for the device; then a batch stays on its own loop.
    internal bool MayCommit { get; private set; }

    internal void Use(IEnumerable<BatchLoop> loops)
    {
        MayCommit = Namespaces.All.Any(static records => records.CommitsToDevice);
        _loops = [.. loops];
    }
}

/// The event loop as batches see it.
internal readonly record struct BatchLoopContext(
    Worker Worker,
    BufferPool Buffers,
    ImageReads Reads,
    Action Wake,
    Action<ConnectionId, LongReply> WakeLongReply,
    LoopCommits Commits,
    ParkedCommands Parked,
    UdfLoop Udfs);

/// What batches need on one loop, made once and used again: the runner, a reply buffer for slices of other loops' batches,
/// and the jobs. Belongs to the loop's thread, but for Send.
internal sealed class BatchLoop
{
    private readonly BatchLoopContext _loop;
    private readonly ConcurrentQueue<BatchSlice> _arrived = new();
    private readonly Stack<BatchJob> _idle = new();
    private readonly Stack<ImageFetch> _idleImages = new();
    private readonly Stack<UnfinishedCommand> _idleUnfinished = new();

    public BatchLoop(BatchLoopContext loop, BatchShared shared)
    {
        _loop = loop;
        Shared = shared;
        Run = new BatchRun(loop.Worker, shared.Namespaces, loop.Udfs);
        SliceReply = new ReplyBuffer(loop.Buffers);
    }

    public BatchShared Shared { get; }

    public Worker Worker => _loop.Worker;

    public BufferPool Buffers => _loop.Buffers;

    public BatchRun Run { get; }

    public LoopCommits Commits => _loop.Commits;

    public ReplyBuffer SliceReply { get; }

    /// Jobs begun and not over, those whose connection is gone but whose slices still run included.
    public int UnderWay { get; private set; }

    /// For the images of rows that are carried out here, until they are given back.
    public ImageFetch RentImages(IImageUser user)
    {
        var images = _idleImages.Count > 0 ? _idleImages.Pop() : new ImageFetch(_loop.Reads);
        images.User = user;
        return images;
    }

    public void ReturnImages(ImageFetch images)
    {
        images.Clear();
        _idleImages.Push(images);
    }

    /// For a row that is carried out here and may not come to its end at once, until it is given back.
    public UnfinishedCommand RentUnfinished() =>
        _idleUnfinished.Count > 0 ? _idleUnfinished.Pop() : new UnfinishedCommand(_loop.Worker, _loop.Parked, _loop.Udfs);

    public void ReturnUnfinished(UnfinishedCommand unfinished)
    {
        unfinished.GiveUp();
        unfinished.ItsTurnCame = null;
        _idleUnfinished.Push(unfinished);
    }

    /// Gives a slice to this loop: to carry it out, or to take its result home. Any thread.
    public void Send(BatchSlice slice)
    {
        _arrived.Enqueue(slice);
        _loop.Wake();
    }

    /// Once a turn: what arrived so far.
    public void HandleArrived()
    {
        for (var left = _arrived.Count; left > 0 && _arrived.TryDequeue(out var slice); left--)
        {
            slice.Arrive(this);
        }
    }

    /// Takes a batch over at the position that the first stretch left.
    public BatchJob Begin(scoped in BatchWork work, BatchPosition position, long started, UnfinishedCommand unfinished)
    {
        var job = _idle.Count > 0 ? _idle.Pop() : new BatchJob(this);
        UnderWay++;
        job.Take(work, position, started, unfinished);
        return job;
    }

    public void WakeUp(BatchJob job) => _loop.WakeLongReply(job.Connection, job);

    public void Ended(BatchJob job)
    {
        UnderWay--;
        _idle.Push(job);
    }

    /// The end of a batch in the statistics.
    public void Count(ResultCode result, long started)
    {
        var number = Worker.Number;
        Shared.Latency.Record(number, Worker.Clock.MonotonicNanoseconds - started);
        Shared.Counters.Add(number, result switch
        {
            ResultCode.Ok => NodeCounter.BatchIndexComplete,
            ResultCode.Timeout => NodeCounter.BatchIndexTimeout,
            _ => NodeCounter.BatchIndexError,
        });
    }
}

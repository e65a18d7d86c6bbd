using Aerie.Io;
using Aerie.Memory;
using Aerie.Server.Records;

namespace Aerie.Server.Transactions.Commits;

/// What one loop keeps of replies that wait for the device.
internal sealed class LoopCommits
{
    /// Writes of all clients that may wait for room in a write cache at once, and the memory for their requests.
    public const int ThrottledMax = 1024;
    public const long ThrottledBytesMax = 64L * 1024 * 1024;

    private readonly Stack<CommitReply> _idle = new();

    public LoopCommits(BufferPool buffers, Action<ConnectionId, LongReply> wake)
    {
        Buffers = buffers;
        Waits = new FlushWaits(wake);
    }

    public BufferPool Buffers { get; }

    public FlushWaits Waits { get; }

    public int Throttled { get; private set; }

    public long ThrottledBytes { get; private set; }

    public CommitHold NewHold() => new(Buffers, Waits);

    /// Keeps back what was written from `start` on until it is safe or the deadline (monotonic nanoseconds, 0: none) is over.
    public CommitReply Hold(Worker worker, ReplyBuffer reply, int start, long deadline, bool isBatch)
    {
        var held = _idle.Count > 0 ? _idle.Pop() : new CommitReply(this);
        held.Take(worker, reply, start, deadline, isBatch);
        return held;
    }

    /// Null: too many wait already.
    public ThrottledCommand? Throttle(ReadOnlySpan<byte> request, Namespace records, long deadline, RunThrottled run)
    {
        if (Throttled >= ThrottledMax || ThrottledBytes + request.Length > ThrottledBytesMax)
        {
            return null;
        }

        Throttled++;
        ThrottledBytes += request.Length;
        return new ThrottledCommand(this, request, records, deadline, run);
    }

    public void Ended(CommitReply reply) => _idle.Push(reply);

    public void Ended(int requestLength)
    {
        Throttled--;
        ThrottledBytes -= requestLength;
    }
}

using Aerie.Io;
using Aerie.Memory;
using Aerie.Server.Records;

namespace Aerie.Server.Transactions.Commits;

/// What one loop keeps of replies that wait for the device.
internal sealed class LoopCommits
{
    private readonly Stack<CommitReply> _idle = new();

    public LoopCommits(BufferPool buffers, Action<ConnectionId, LongReply> wake)
    {
        Buffers = buffers;
        Waits = new FlushWaits(wake);
    }

    public BufferPool Buffers { get; }

    public FlushWaits Waits { get; }

    public CommitHold NewHold() => new(Buffers, Waits);

    /// Keeps back what was written from `start` on until it is safe or the deadline (monotonic nanoseconds, 0: none) is over.
    public CommitReply Hold(Worker worker, ReplyBuffer reply, int start, long deadline, CommitReplyKind kind)
    {
        var held = _idle.Count > 0 ? _idle.Pop() : new CommitReply(this);
        held.Take(worker, reply, start, deadline, kind);
        return held;
    }

    public void Ended(CommitReply reply) => _idle.Push(reply);
}

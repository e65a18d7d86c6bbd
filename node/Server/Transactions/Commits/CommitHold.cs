using Aerie.Foundation;
using Aerie.Memory;
using Aerie.Server.Records;
using Aerie.Server.Records.Flushing;

namespace Aerie.Server.Transactions.Commits;

/// A reply that is written and kept back until what it says is safe. Used again and again; belongs to one loop.
internal sealed class CommitHold(BufferPool buffers, FlushWaits waits)
{
    private readonly CommitMarks _marks = new();
    private BufferId _buffer = BufferId.None;
    private int _length;

    public ReadOnlySpan<byte> Held => buffers.Span(_buffer)[.._length];

    public bool IsHolding => !_buffer.IsNone;

    /// Takes what was written into the reply from `start` on, and what the worker has changed for it.
    public void Take(Worker worker, ReplyBuffer reply, int start)
    {
        Invariant.Holds(!IsHolding);
        _length = reply.Length - start;
        _buffer = buffers.Rent(_length);
        reply.Written(start, _length).CopyTo(buffers.Span(_buffer));
        reply.WindBack(start);
        worker.Commits.MoveTo(_marks);
    }

    /// Waiting: the reply is woken after the next flush round, and that round has been asked for.
    public CommitState Look(LongReply waiter)
    {
        var state = _marks.Look();
        if (state != CommitState.Waiting)
        {
            return state;
        }

        waits.Add(waiter);
        state = _marks.Look();
        if (state == CommitState.Waiting)
        {
            _marks.AskForFlush();
        }

        return state;
    }

    public void Release(ReplyBuffer reply)
    {
        Held.CopyTo(reply.Reserve(_length));
        reply.Commit(_length);
        Drop();
    }

    public void Drop()
    {
        _marks.Clear();
        if (IsHolding)
        {
            buffers.Return(_buffer);
            _buffer = BufferId.None;
        }
    }
}

using Aerie.Foundation;
using Aerie.Memory;
using Aerie.Protocol;
using Aerie.Server.Transactions;

namespace Aerie.Server.Batch;

/// Some rows of a batch on their way to another loop, and the frame with their replies on its way back. At any time one
/// thread has it: queues hand it over.
internal sealed class BatchSlice(BatchJob job)
{
    private DetachedBuffer _travelling;
    private BufferId _result = BufferId.None;

    /// The loop that carries it out.
    public int LoopNumber { get; private set; }

    /// Rows that were not carried out, because the frame was full.
    public BatchPosition Left { get; private set; }

    /// Bytes of the result.
    public int Length { get; private set; }

    public bool HasResult => !_result.IsNone;

    public void GoTo(BatchLoop loop, BatchPosition piece)
    {
        LoopNumber = loop.Worker.Number;
        Left = piece;
        loop.Send(this);
    }

    public void Arrive(BatchLoop loop)
    {
        if (loop != job.Home)
        {
            CarryOut(loop);
            job.Home.Send(this);
            return;
        }

        if (Length > 0)
        {
            _result = loop.Buffers.Attach(_travelling);
            _travelling = default;
        }

        job.Returned(this);
    }

    public BufferId TakeResult()
    {
        var result = _result;
        _result = BufferId.None;
        return result;
    }

    public void DropResult()
    {
        if (HasResult)
        {
            job.Home.Buffers.Return(TakeResult());
        }
    }

    private void CarryOut(BatchLoop loop)
    {
        Length = 0;
        if (job.IsCancelled)
        {
            return;
        }

        var reply = loop.SliceReply;
        var work = job.Work;
        var frame = ReplyFrame.Begin(reply);
        var left = Left;
        loop.Run.Run(work, ref left, BatchJob.RowsPerStep, reply, mayWait: false); // well-formed: the home loop walked over it
        frame.End(work.Compresses);
        Left = left;
        Length = reply.Length;
        Invariant.Holds(Length > 0); // each row has a reply
        _travelling = loop.Buffers.Detach(reply.Take(out _));
    }
}

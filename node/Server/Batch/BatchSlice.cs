using Aerie.Foundation;
using Aerie.Memory;
using Aerie.Protocol;
using Aerie.Server.Service;

namespace Aerie.Server.Batch;

/// Some rows of a batch on their way to another loop, and the frame with their replies on its way back. Travels through the
/// loops' mailboxes, so that at any time one thread has it; the delegates are made once.
internal sealed class BatchSlice
{
    private readonly BatchJob _job;
    private readonly Action<ServiceLoop> _run;
    private readonly Action<ServiceLoop> _return;
    private DetachedBuffer _travelling;
    private BufferId _result = BufferId.None;

    public BatchSlice(BatchJob job)
    {
        _job = job;
        _run = Run;
        _return = Return;
    }

    public int LoopNumber { get; private set; }

    /// Rows that were not carried out, because the frame was full.
    public BatchPosition Left { get; private set; }

    /// Bytes of the result.
    public int Length { get; private set; }

    public bool HasResult => !_result.IsNone;

    public void Post(ServiceLoop loop, BatchPosition piece)
    {
        LoopNumber = loop.Number;
        Left = piece;
        loop.Post(_run);
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
            _job.Home.Buffers.Return(TakeResult());
        }
    }

    private void Run(ServiceLoop loop)
    {
        Length = 0;
        if (!_job.IsCancelled)
        {
            var reply = loop.Batches.SliceReply;
            var work = _job.Work;
            var frame = ReplyFrame.Begin(reply);
            var left = Left;
            loop.Batches.Run.Run(work, ref left, BatchJob.RowsPerStep, reply); // well-formed: the home loop walked over it
            frame.End(work.Compresses);
            Left = left;
            _travelling = loop.Buffers.Detach(reply.Take(out var length));
            Invariant.Holds(length > 0); // each row has a reply
            Length = length;
        }

        _job.Home.Post(_return);
    }

    private void Return(ServiceLoop home)
    {
        if (Length > 0)
        {
            _result = home.Buffers.Attach(_travelling);
            _travelling = default;
        }

        _job.Returned(this);
    }
}

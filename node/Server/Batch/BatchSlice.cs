using Aerie.Foundation;
using Aerie.Memory;
using Aerie.Protocol;
using Aerie.Server.Records.Fetching;
using Aerie.Server.Transactions;
using Aerie.Server.Transactions.Parking;

namespace Aerie.Server.Batch;

/// Some rows of a batch on their way to another loop, and the frame with their replies on its way back. At any time one
/// thread has it: queues hand it over.
internal sealed class BatchSlice(BatchJob job) : IImageUser
{
    private BatchLoop? _loop;
    private ImageFetch? _images;
    private UnfinishedCommand? _unfinished;
    private Action? _carryOut;
    private BufferId _partial = BufferId.None;
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
        if (loop == _loop)
        {
            CarryOut(); // a function of it goes on
            return;
        }

        if (loop != job.Home)
        {
            Length = 0;
            _loop = loop;
            _images = loop.RentImages(this);
            _unfinished = loop.RentUnfinished();
            _unfinished.ItsTurnCame = _carryOut ??= CarryOut;
            CarryOut();
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

    public void ImagesArrived() => CarryOut();

    // Home with the result, or until the images of the next rows have been read, a function has its next turn, a record is free.
    private void CarryOut()
    {
        var loop = _loop!;
        if (!job.IsCancelled && !TryFinish(loop))
        {
            return;
        }

        if (!_partial.IsNone)
        {
            loop.Buffers.Return(_partial); // cancelled half-way
            _partial = BufferId.None;
            Length = 0;
        }

        loop.ReturnImages(_images!);
        loop.ReturnUnfinished(_unfinished!);
        _images = null;
        _unfinished = null;
        _loop = null;
        job.Home.Send(this);
    }

    private bool TryFinish(BatchLoop loop)
    {
        var reply = loop.SliceReply;
        var work = job.Work;
        if (!_partial.IsNone)
        {
            reply.Give(_partial, Length);
            _partial = BufferId.None;
        }

        var frame = reply.Length > 0 ? ReplyFrame.GoOn(reply) : ReplyFrame.Begin(reply);
        var left = Left;
        // Well-formed: the home loop walked over it.
        loop.Run.Run(work, ref left, BatchJob.RowsPerStep, reply, _unfinished!, _images, mayWait: false);
        Left = left;
        if (!_unfinished!.IsEmpty || (loop.Run.LacksImages && reply.Length < LongReply.StepBytes))
        {
            if (_unfinished.HoldsRecord && !loop.Run.LacksImages)
            {
                loop.Send(this);
            }

            _partial = reply.Take(out var length);
            Length = length;
            return false;
        }

        frame.End(work.Compresses);
        Length = reply.Length;
        Invariant.Holds(Length > 0); // each row has a reply
        _travelling = loop.Buffers.Detach(reply.Take(out _));
        return true;
    }
}

using Aerie.Foundation;
using Aerie.Memory;
using Aerie.Protocol;
using Aerie.Server.Metrics;
using Aerie.Server.Records;
using Aerie.Server.Records.Fetching;
using Aerie.Server.Records.Flushing;
using Aerie.Server.Transactions.Commits;
using Aerie.Server.Transactions.Udfs;

namespace Aerie.Server.Transactions.Parking;

/// A command that waits for its record, because another owns it or because its image must be read from a device; and with
/// it its connection: later messages stay behind it, so replies keep their order. Ends with its reply, with a timeout, or
/// with its client; then the object serves the next one.
internal sealed class ParkedCommand : LongReply, IImageUser, IRecordWaiter
{
    private readonly ParkedCommands _parked;
    private readonly CommitHold _hold;
    private RunParked? _run;
    private BufferId _copy = BufferId.None;
    private UdfExecution? _function;
    private bool _canRun;
    private long _runsFrom;

    public ParkedCommand(ParkedCommands parked, ImageReads reads, CommitHold hold)
    {
        _parked = parked;
        _hold = hold;
        Images = new ImageFetch(reads) { User = this };
    }

    public ParkingOrder Order { get; private set; }

    public ulong Ticket { get; set; }

    public int KeptBytes => Length;

    public override bool HoldsRecord => _function is not null;

    /// The record is this command's until it has run.
    public bool OwnsHold { get; private set; }

    public int Length { get; private set; }

    /// A write that has not run yet, because its namespace has more to write out than the device keeps up with.
    public bool WaitsForRoom { get; private set; }

    /// What it waits for, or what has been read for it.
    public ImageFetch Images { get; }

    public ReadOnlySpan<byte> Request => _parked.Request(_copy, Length);

    /// Takes over the copy of the request.
    public void Take(in ParkingOrder order, BufferId copy, int length, RunParked run)
    {
        Order = order;
        _copy = copy;
        Length = length;
        _run = run;
        _canRun = false;
        WakeAt = order.Deadline;
    }

    public void WaitForRoom(long from)
    {
        WaitsForRoom = true;
        _runsFrom = from;
        WakeAt = from == 0 ? Order.Deadline : Math.Min(from, Order.Deadline);
    }

    /// Its function goes on with the loop's next turn.
    public void GoOnWith(UdfExecution function)
    {
        _function = function;
        _canRun = true;
        OwnsHold = false; // the function's call has it
    }

    public void ItsTurn(in WokenWaiter woken)
    {
        _canRun = true;
        OwnsHold = woken.OwnsHold;
        _parked.StepNow(this);
    }

    public void ImagesArrived()
    {
        _canRun = true;
        _parked.StepNow(this);
    }

    public override LongReplyProgress Step(Worker worker, ReplyBuffer reply)
    {
        if (WaitsForRoom && worker.Clock.MonotonicNanoseconds >= _runsFrom && !IsStillFull())
        {
            WakeAt = Order.Deadline;
            EndWaitForRoom();
            _canRun = true;
        }

        if (_canRun)
        {
            return Run(worker, reply);
        }

        if (_hold.IsHolding && Committed(reply))
        {
            return LongReplyProgress.Done;
        }

        if (worker.Clock.MonotonicNanoseconds < Order.Deadline)
        {
            return LongReplyProgress.Waiting;
        }

        TimeOut(worker, reply);
        return LongReplyProgress.Done;
    }

    public override void End(bool completed)
    {
        var copy = _copy;
        _hold.Drop();
        EndWaitForRoom();
        if (_function is { } function)
        {
            _function = null;
            _parked.GiveUp(function);
        }

        Images.Clear();
        _parked.Leave(this, copy);
        OwnsHold = false;
        _copy = BufferId.None;
    }

    private LongReplyProgress Run(Worker worker, ReplyBuffer reply)
    {
        var start = reply.Length;
        _canRun = false;
        if (_function is { } function)
        {
            _function = null;
            _parked.Resume(function);
        }

        worker.Fetched = Images;
        var isDone = _run!(this);
        worker.Fetched = null;
        Images.Clear();
        if (!worker.LacksImage)
        {
            OwnsHold = false; // the command let go in the section of its change
        }

        if (!isDone)
        {
            _parked.WaitAgain(this);
        }

        if (isDone && !worker.Commits.IsEmpty)
        {
            _hold.Take(worker, reply, start);
            return Committed(reply) ? LongReplyProgress.Done : LongReplyProgress.Waiting;
        }

        return isDone ? LongReplyProgress.Done : _canRun ? LongReplyProgress.More : LongReplyProgress.Waiting;
    }

    private void EndWaitForRoom()
    {
        if (WaitsForRoom)
        {
            WaitsForRoom = false;
            _parked.HasRoom(this);
        }
    }

    // Looks again after it has asked to be woken: the round that makes room may be the one that ends just now.
    private bool IsStillFull()
    {
        if (!Order.Namespace.IsWriteCacheFull)
        {
            return false;
        }

        _parked.WakeAfterFlush(this);
        Order.Namespace.FlushSignal.Ask();
        return Order.Namespace.IsWriteCacheFull;
    }

    // True: there is an answer. The change was made, but is not safe before a flush.
    private bool Committed(ReplyBuffer reply)
    {
        var state = _hold.Look(this);
        if (state == CommitState.Safe)
        {
            _hold.Release(reply);
        }
        else if (state == CommitState.Failed)
        {
            CommitReply.WriteStatus(reply, ResultCode.Unknown);
        }

        return state != CommitState.Waiting;
    }

    private void TimeOut(Worker worker, ReplyBuffer reply)
    {
        _parked.GiveUp(this);
        Protocol.Request.TryRead(Request, out var request);
        var counter = request.Fields.Has(FieldId.UdfFunction) ? NamespaceCounter.ClientUdfTimeout
            : (request.Header.Info2 & Info2.Write) == 0 ? NamespaceCounter.ClientReadTimeout
            : (request.Header.Info2 & Info2.Delete) != 0 ? NamespaceCounter.ClientDeleteTimeout
            : NamespaceCounter.ClientWriteTimeout;
        Order.Namespace.Counters.Add(worker.Number, counter);
        ProtoHeader.Write(reply.Reserve(ProtoHeader.Length), ProtoType.Message, MessageHeader.Length);
        reply.Commit(ProtoHeader.Length);
        RecordCommands.Refuse(reply, 0, ResultCode.Timeout);
    }
}

using Aerie.Foundation;
using Aerie.Memory;
using Aerie.Protocol;
using Aerie.Server.Metrics;
using Aerie.Server.Records;
using Aerie.Server.Records.Flushing;
using Aerie.Server.Transactions.Commits;

namespace Aerie.Server.Transactions.Parking;

/// A command that waits for a record, and with it its connection: later messages stay behind it, so replies keep their
/// order. Ends with its reply, with a timeout, or with its client.
internal sealed class ParkedCommand : LongReply
{
    private readonly ParkedCommands _parked;
    private readonly BufferId _copy;
    private readonly int _length;
    private readonly RunParked _run;
    private readonly CommitHold _hold;
    private bool _isItsTurn;

    public ParkedCommand(ParkedCommands parked, in ParkingOrder order, BufferId copy, int length, RunParked run, CommitHold hold)
    {
        _parked = parked;
        Order = order;
        _copy = copy;
        _length = length;
        _run = run;
        _hold = hold;
        WakeAt = order.Deadline;
    }

    public ParkingOrder Order { get; }

    public ulong Ticket { get; set; }

    /// The record is this command's until it has run.
    public bool OwnsHold { get; private set; }

    public ReadOnlySpan<byte> Request => _parked.Request(_copy, _length);

    public void ItsTurn(bool ownsHold)
    {
        _isItsTurn = true;
        OwnsHold = ownsHold;
    }

    public override LongReplyProgress Step(Worker worker, ReplyBuffer reply)
    {
        if (_isItsTurn)
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
        _hold.Drop();
        _parked.Leave(this, _copy, _length);
    }

    private LongReplyProgress Run(Worker worker, ReplyBuffer reply)
    {
        var start = reply.Length;
        _isItsTurn = false;
        var isDone = _run(this);
        OwnsHold = false; // the command let go in the section of its change
        worker.TellWoken();
        if (!isDone)
        {
            _parked.Requeue(this);
        }

        if (isDone && !worker.Commits.IsEmpty)
        {
            _hold.Take(worker, reply, start);
            return Committed(reply) ? LongReplyProgress.Done : LongReplyProgress.Waiting;
        }

        return isDone ? LongReplyProgress.Done : LongReplyProgress.Waiting;
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
        MessageHeader.TryRead(Request, out var header);
        var counter = (header.Info2 & Info2.Delete) != 0 ? NamespaceCounter.ClientDeleteTimeout : NamespaceCounter.ClientWriteTimeout;
        Order.Namespace.Counters.Add(worker.Number, counter);
        ProtoHeader.Write(reply.Reserve(ProtoHeader.Length), ProtoType.Message, MessageHeader.Length);
        reply.Commit(ProtoHeader.Length);
        RecordCommands.Refuse(reply, 0, ResultCode.Timeout);
    }
}

using Aerie.Foundation;
using Aerie.Memory;
using Aerie.Server.Metrics;
using Aerie.Server.Records;
using Aerie.Server.Records.Flushing;

namespace Aerie.Server.Transactions.Commits;

/// A write that waits before it runs, because its namespace has more to write out than the device keeps up with. It goes on
/// when a flush round has made room.
internal sealed class ThrottledCommand : LongReply
{
    private readonly LoopCommits _commits;
    private readonly BufferId _copy;
    private readonly int _length;
    private readonly RunThrottled _run;
    private readonly CommitHold _hold;

    public ThrottledCommand(LoopCommits commits, ReadOnlySpan<byte> request, Namespace records, long deadline, RunThrottled run)
    {
        _commits = commits;
        _length = request.Length;
        _copy = commits.Buffers.Rent(_length);
        request.CopyTo(commits.Buffers.Span(_copy));
        _run = run;
        _hold = commits.NewHold();
        Records = records;
        WakeAt = deadline;
    }

    public Namespace Records { get; }

    public ReadOnlySpan<byte> Request => _commits.Buffers.Span(_copy)[.._length];

    public override LongReplyProgress Step(Worker worker, ReplyBuffer reply)
    {
        if (!_hold.IsHolding)
        {
            if (IsStillFull())
            {
                return WaitOrEnd(worker, reply);
            }

            var start = reply.Length;
            _run(this);
            if (worker.Commits.IsEmpty)
            {
                return LongReplyProgress.Done;
            }

            _hold.Take(worker, reply, start);
        }

        switch (_hold.Look(this))
        {
            case CommitState.Safe:
                _hold.Release(reply);
                return LongReplyProgress.Done;
            case CommitState.Failed:
                CommitReply.WriteStatus(reply, ResultCode.Unknown);
                return LongReplyProgress.Done;
            default:
                return WaitOrEnd(worker, reply);
        }
    }

    public override void End(bool completed)
    {
        _hold.Drop();
        _commits.Buffers.Return(_copy);
        _commits.Ended(_length);
    }

    // Looks again after it has asked to be woken: the round that makes room may be the one that ends just now.
    private bool IsStillFull()
    {
        if (!Records.IsWriteCacheFull)
        {
            return false;
        }

        _commits.Waits.Add(this);
        Records.FlushSignal.Ask();
        return Records.IsWriteCacheFull;
    }

    private LongReplyProgress WaitOrEnd(Worker worker, ReplyBuffer reply)
    {
        if (worker.Clock.MonotonicNanoseconds < WakeAt)
        {
            return LongReplyProgress.Waiting;
        }

        Records.Counters.Add(worker.Number, NamespaceCounter.ClientWriteTimeout);
        CommitReply.WriteStatus(reply, ResultCode.Timeout);
        return LongReplyProgress.Done;
    }
}

/// Runs the command and writes its framed reply.
internal delegate void RunThrottled(ThrottledCommand command);

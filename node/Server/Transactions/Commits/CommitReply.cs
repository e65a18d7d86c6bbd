using Aerie.Foundation;
using Aerie.Protocol;
using Aerie.Server.Records;
using Aerie.Server.Records.Flushing;

namespace Aerie.Server.Transactions.Commits;

/// The reply of a command, or of a batch that ended in its first stretch, whose changes are not safe yet. When the flush fails
/// the client hears an error; whether the change outlives the node is in doubt then, as after a timeout.
internal sealed class CommitReply(LoopCommits commits) : LongReply
{
    private readonly CommitHold _hold = commits.NewHold();
    private bool _isBatch;

    public void Take(Worker worker, ReplyBuffer reply, int start, long deadline, bool isBatch)
    {
        _hold.Take(worker, reply, start);
        _isBatch = isBatch;
        WakeAt = deadline;
    }

    public override LongReplyProgress Step(Worker worker, ReplyBuffer reply)
    {
        switch (_hold.Look(this))
        {
            case CommitState.Safe:
                _hold.Release(reply);
                return LongReplyProgress.Done;
            case CommitState.Failed:
                Fail(reply, ResultCode.Unknown);
                return LongReplyProgress.Done;
            case CommitState.Waiting when WakeAt != 0 && worker.Clock.MonotonicNanoseconds >= WakeAt:
                Fail(reply, ResultCode.Timeout);
                return LongReplyProgress.Done;
            default:
                return LongReplyProgress.Waiting;
        }
    }

    public override void End(bool completed)
    {
        _hold.Drop();
        commits.Ended(this);
    }

    private void Fail(ReplyBuffer reply, ResultCode result)
    {
        if (_isBatch)
        {
            var frame = ReplyFrame.Begin(reply);
            frame.AddLast(result);
            frame.End(compresses: false);
        }
        else
        {
            WriteStatus(reply, result);
        }
    }

    /// A framed reply of one record that is nothing but a result.
    public static void WriteStatus(ReplyBuffer reply, ResultCode result)
    {
        const int Length = ProtoHeader.Length + MessageHeader.Length;
        reply.Commit(ReplyFormat.WriteStatus(reply.Reserve(Length), result));
    }
}

using Aerie.Foundation;
using Aerie.Protocol;
using Aerie.Server.Records;
using Aerie.Server.Records.Flushing;

namespace Aerie.Server.Transactions.Commits;

internal enum CommitReplyKind : byte
{
    Record,
    Batch,
    Info,

    /// An info answer without a frame.
    Text,
}

/// The reply of a command, or of a batch that ended in its first stretch, whose changes are not safe yet. When the flush fails
/// the client hears an error; whether the change outlives the node is in doubt then, as after a timeout.
internal sealed class CommitReply(LoopCommits commits) : LongReply
{
    private readonly CommitHold _hold = commits.NewHold();
    private CommitReplyKind _kind;

    public void Take(Worker worker, ReplyBuffer reply, int start, long deadline, CommitReplyKind kind)
    {
        _hold.Take(worker, reply, start);
        _kind = kind;
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
        switch (_kind)
        {
            case CommitReplyKind.Record:
                WriteStatus(reply, result);
                break;
            case CommitReplyKind.Batch:
                var frame = ReplyFrame.Begin(reply);
                frame.AddLast(result);
                frame.End(compresses: false);
                break;
            default:
                WriteInfoError(reply, _kind == CommitReplyKind.Info ? ProtoHeader.Length : 0);
                break;
        }
    }

    // The answer stands behind the request's line and a tab.
    private void WriteInfoError(ReplyBuffer reply, int frame)
    {
        var line = _hold.Held[frame..];
        line = line[..Math.Max(0, line.IndexOf((byte)'\t'))];
        var error = "\tERROR:1:not saved, the storage fails: it may not hold after a restart\n"u8;
        var length = line.Length + error.Length;
        var target = reply.Reserve(frame + length);
        if (frame > 0)
        {
            ProtoHeader.Write(target, ProtoType.Info, length);
        }

        line.CopyTo(target[frame..]);
        error.CopyTo(target[(frame + line.Length)..]);
        reply.Commit(frame + length);
    }

    /// A framed reply of one record that is nothing but a result.
    public static void WriteStatus(ReplyBuffer reply, ResultCode result)
    {
        const int Length = ProtoHeader.Length + MessageHeader.Length;
        reply.Commit(ReplyFormat.WriteStatus(reply.Reserve(Length), result));
    }
}

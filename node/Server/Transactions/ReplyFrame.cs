using Aerie.Foundation;
using Aerie.Protocol;

namespace Aerie.Server.Transactions;

/// One frame of a reply stream (batch, query): a proto header, then many messages. The message that ends the stream stands
/// in the last frame.
internal readonly struct ReplyFrame
{
    private readonly ReplyBuffer _reply;
    private readonly int _start;

    private ReplyFrame(ReplyBuffer reply, int start)
    {
        _reply = reply;
        _start = start;
    }

    private ReplyFrame(ReplyBuffer reply)
    {
        _reply = reply;
        _start = reply.Length;
        reply.Reserve(ProtoHeader.Length);
        reply.Commit(ProtoHeader.Length);
    }

    public static ReplyFrame Begin(ReplyBuffer reply) => new(reply);

    /// The frame that is all of the reply so far.
    public static ReplyFrame GoOn(ReplyBuffer reply) => new(reply, 0);

    public void AddLast(ResultCode result)
    {
        new MessageHeader { Info3 = Info3.Last, Result = (byte)result }.Write(_reply.Reserve(MessageHeader.Length));
        _reply.Commit(MessageHeader.Length);
    }

    /// A frame without any message is taken back: clients do not expect it.
    public void End(bool compresses)
    {
        var length = _reply.Length - _start - ProtoHeader.Length;
        if (length == 0)
        {
            _reply.WindBack(_start);
            return;
        }

        ProtoHeader.Write(_reply.Written(_start, ProtoHeader.Length), ProtoType.Message, length);
        if (compresses)
        {
            Compression.CompressReply(_reply, _start);
        }
    }
}

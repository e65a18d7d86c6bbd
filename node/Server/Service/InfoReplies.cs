using System.Buffers;
using Aerie.Protocol;
using Aerie.Server.Config;
using Aerie.Server.Info;
using Aerie.Server.Transactions;

namespace Aerie.Server.Service;

/// Info requests of one loop: text in, text out, framed. Not on the request path of records, so it may allocate.
internal sealed class InfoReplies(ReplyBuffer reply, IInfoAnswers answers)
{
    /// A line of the text port; longer ones are no info commands.
    public const int TextLineMax = 16 * 1024;

    private readonly ArrayBufferWriter<byte> _text = new(4096);

    public void Answer(ReadOnlySpan<byte> request, PortKind port)
    {
        _text.ResetWrittenCount();
        answers.Answer(request, port, _text);
        var body = _text.WrittenSpan;
        var message = reply.Reserve(ProtoHeader.Length + body.Length);
        ProtoHeader.Write(message, ProtoType.Info, body.Length);
        body.CopyTo(message[ProtoHeader.Length..]);
        reply.Commit(ProtoHeader.Length + body.Length);
    }

    /// The text port answers with the line alone.
    public void AnswerText(ReadOnlySpan<byte> line)
    {
        _text.ResetWrittenCount();
        answers.Answer(line, PortKind.Text, _text);
        _text.WrittenSpan.CopyTo(reply.Reserve(_text.WrittenCount));
        reply.Commit(_text.WrittenCount);
    }
}

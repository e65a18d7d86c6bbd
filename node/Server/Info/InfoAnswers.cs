using System.Buffers;
using System.Text;
using Aerie.Foundation;
using Aerie.Server.Config;

namespace Aerie.Server.Info;

/// Answers info requests from the table of commands. Any thread may ask at any time.
public sealed class InfoAnswers : IInfoAnswers
{
    /// The reference's limit for a name.
    public const int NameLengthMax = 31;

    /// Limits of one request, so that a few bytes cannot keep an event loop busy or make it send without end. Monitoring
    /// asks for tens of commands at a time and for a few hundred kilobytes.
    public const int CommandsMax = 1024;
    public const int ReplyBytesMax = 4 * 1024 * 1024;

    /// The longest sensible command carries a user-defined module of 1 MiB in base64.
    public const int LineLengthMax = 2 * 1024 * 1024;

    private readonly IReadOnlyDictionary<string, InfoCommand> _commands;
    private readonly string[] _summary;

    public InfoAnswers(InfoTable table)
    {
        _commands = table.Commands;
        _summary = table.Summary;
    }

    public void Answer(ReadOnlySpan<byte> request, PortKind port, IBufferWriter<byte> reply)
    {
        var counted = new CountingWriter(reply);
        if (request.Trim((byte)'\n').IsEmpty)
        {
            foreach (var name in _summary)
            {
                AnswerLine(Encoding.UTF8.GetBytes(name), port, counted);
            }

            return;
        }

        var commands = 0;
        while (!request.IsEmpty)
        {
            var end = request.IndexOf((byte)'\n');
            var line = end < 0 ? request : request[..end];
            request = end < 0 ? [] : request[(end + 1)..];
            if (line.TrimEnd((byte)'\r').IsEmpty)
            {
                continue;
            }

            if (++commands > CommandsMax || counted.Written > ReplyBytesMax)
            {
                Refuse(line, counted, "too much asked in one request");
                return;
            }

            AnswerLine(line, port, counted);
        }
    }

    private void AnswerLine(ReadOnlySpan<byte> line, PortKind port, CountingWriter reply)
    {
        if (line.Length > LineLengthMax)
        {
            Refuse(line, reply, "command is too long");
            return;
        }

        reply.Write(line);
        reply.Write("\t"u8);
        var text = new InfoText(reply);
        var request = InfoRequest.Parse(Encoding.UTF8.GetString(line), port);
        if (request.Name.Length <= NameLengthMax && _commands.TryGetValue(request.Name, out var command))
        {
            command.Answer(request, text);
        }
        else
        {
            text.Error(ResultCode.Parameter, "unrecognized command");
        }

        reply.Write("\n"u8);
    }

    private static void Refuse(ReadOnlySpan<byte> line, CountingWriter reply, string why)
    {
        reply.Write(line[..Math.Min(line.Length, NameLengthMax)]);
        reply.Write("\t"u8);
        new InfoText(reply).Error(ResultCode.Parameter, why);
        reply.Write("\n"u8);
    }

    private sealed class CountingWriter(IBufferWriter<byte> into) : IBufferWriter<byte>
    {
        public long Written { get; private set; }

        public void Advance(int count)
        {
            Written += count;
            into.Advance(count);
        }

        public Memory<byte> GetMemory(int sizeHint = 0) => into.GetMemory(sizeHint);

        public Span<byte> GetSpan(int sizeHint = 0) => into.GetSpan(sizeHint);
    }
}

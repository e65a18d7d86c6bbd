using System.Buffers;
using Aerie.Foundation;
using Aerie.Io;
using Aerie.Memory;
using Aerie.Server;
using Aerie.Server.Config;
using Aerie.Server.Info;
using Aerie.Server.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Aerie.Fuzz;

/// Any bytes as an info request against a node without loops. Whatever comes: one line of answer for each line asked, in
/// bounds.
public static class InfoFuzz
{
    private static readonly IInfoAnswers Answers = Make();

    // An event loop keeps its writer, too.
    [ThreadStatic]
    private static ArrayBufferWriter<byte>? _keptWriter;

    public static void Run(ReadOnlySpan<byte> input)
    {
        var reply = _keptWriter ??= new ArrayBufferWriter<byte>(2 * InfoAnswers.ReplyBytesMax);
        reply.ResetWrittenCount();
        Answers.Answer(input, PortKind.Service, reply);
        if (reply.WrittenCount > InfoAnswers.ReplyBytesMax + (2 << 20) + input.Length)
        {
            throw new InvalidOperationException("the reply is out of bounds");
        }

        if (reply.WrittenCount == 0 ? !input.Trim("\r\n"u8).IsEmpty : reply.WrittenSpan[^1] != '\n')
        {
            throw new InvalidOperationException("the reply does not end its last line");
        }
    }

    private static IInfoAnswers Make()
    {
        var table = ParameterTable.Load();
        var report = ConfigCheck.Run(
            ConfigCheck.DefaultText(), ConfigKind.Conf, "default.conf", table, new Dictionary<string, string>(),
            new MachineFacts(1, 4L << 30));
        var config = new ConfigStore(table, report);
        IInfoAnswers? answers = null;
        var log = new NodeLog(new LoggingOptions([]), new StillClock());
        _ = new Node(config, new StillClock(), () => new NoEngine(), NullLoggerFactory.Instance, node =>
            answers = new NodeReporting(node, config, log, NullLoggerFactory.Instance).Info);
        return answers!;
    }

    private sealed class StillClock : IClock
    {
        public long MonotonicNanoseconds => 1_000_000_000;

        public long UnixMilliseconds => 1_800_000_000_000;
    }

    private sealed class NoEngine : IIoEngine
    {
        public BufferPool Buffers { get; } = new();

        public IoCounters Counters { get; } = new();

        public int Wait(Span<Completion> into, int timeoutMilliseconds) => 0;

        public int Listen(ListenAddress address, int tag) => 0;

        public void StopListening(int tag)
        {
        }

        public IoHandOver Detach(ConnectionId connection) => default;

        public ConnectionId Attach(IoHandOver handOver) => ConnectionId.None;

        public void ReceiveMoreInto(ConnectionId connection, BufferId buffer, int filled)
        {
        }

        public void PauseReceiving(ConnectionId connection)
        {
        }

        public void ResumeReceiving(ConnectionId connection)
        {
        }

        public bool Send(ConnectionId connection, BufferId buffer, int length) => true;

        public void Read(IBlockDevice device, long offset, BufferId buffer, int length, int token)
        {
        }

        public long PendingSendBytes(ConnectionId connection) => 0;

        public void Close(ConnectionId connection, CloseMode mode)
        {
        }

        public string PeerOf(ConnectionId connection) => "";

        public void Wake()
        {
        }

        public void Dispose() => Buffers.Dispose();
    }
}

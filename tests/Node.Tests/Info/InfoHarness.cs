using System.Buffers;
using System.Text;
using Aerie.Server;
using Aerie.Server.Config;
using Aerie.Server.Info;
using Aerie.Server.Logging;
using Aerie.TestKit;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Aerie.Node.Tests.Info;

/// A whole node that answers info requests, without threads; its log goes to a list.
internal sealed class InfoHarness : IDisposable
{
    private readonly LoggerFactory _loggers;

    public InfoHarness(string? configuration = null)
    {
        Log = new NodeLog([Sink], [LogSinkOptions.Console], new FakeClock(), startThread: false);
        _loggers = new LoggerFactory([new NodeLoggerProvider(Log)],
            new LoggerFilterOptions { MinLevel = Microsoft.Extensions.Logging.LogLevel.Trace });
        Node = new NodeUnderTest(configuration, logs: _loggers, info: (under, node) =>
        {
            Reporting = new NodeReporting(node, under.Config, Log, _loggers);
            return Reporting.Info;
        });
    }

    public NodeUnderTest Node { get; }

    public NodeReporting Reporting { get; private set; } = null!;

    public NodeLog Log { get; }

    public ListSink Sink { get; } = new();

    /// The value of a single command.
    public string Ask(string command)
    {
        var reply = AskRaw(Encoding.UTF8.GetBytes(command));
        Assert.StartsWith(command + "\t", reply, StringComparison.Ordinal);
        Assert.EndsWith("\n", reply, StringComparison.Ordinal);
        Assert.Equal(1, reply.Count(c => c == '\n'));
        return reply[(command.Length + 1)..^1];
    }

    public string AskRaw(ReadOnlySpan<byte> request)
    {
        var reply = new ArrayBufferWriter<byte>();
        Reporting.Info.Answer(request, PortKind.Service, reply);
        return Encoding.UTF8.GetString(reply.WrittenSpan);
    }

    public Dictionary<string, string> AskPairs(string command) => Pairs(Ask(command), ';');

    public static Dictionary<string, string> Pairs(string text, char separator) => text.Split(separator)
        .Select(pair => pair.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair.Length == 2 ? pair[1] : "", StringComparer.Ordinal);

    public void Dispose()
    {
        Node.Dispose();
        _loggers.Dispose();
        Log.Dispose();
    }
}

internal sealed class ListSink : ILogSink
{
    public List<string> Lines { get; } = [];

    public int Reopened { get; private set; }

    public string Name => "list";

    public void Write(Aerie.Server.Config.LogLevel level, string line) => Lines.Add(line);

    public void Flush()
    {
    }

    public void Reopen() => Reopened++;

    public void Dispose()
    {
    }
}

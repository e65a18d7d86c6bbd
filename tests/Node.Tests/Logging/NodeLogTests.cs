using System.Collections.Immutable;
using System.Globalization;
using System.Net.Sockets;
using Aerie.Node.Tests.Info;
using Aerie.Server.Config;
using Aerie.Server.Logging;
using Aerie.TestKit;
using Microsoft.Extensions.Logging;
using Xunit;
using LogLevel = Aerie.Server.Config.LogLevel;

namespace Aerie.Node.Tests.Logging;

public sealed class NodeLogTests : IDisposable
{
    private readonly FakeClock _clock = new()
    {
        UnixMilliseconds = DateTimeOffset.Parse("2026-11-20T12:00:00.123Z", CultureInfo.InvariantCulture).ToUnixTimeMilliseconds(),
    };

    private readonly ListSink _first = new();
    private readonly ListSink _second = new();
    private readonly NodeLog _log;

    public NodeLogTests()
    {
        var quiet = LogSinkOptions.Console with
        {
            AnyLevel = LogLevel.Warning,
            Levels = ImmutableDictionary<string, LogLevel>.Empty.Add("nsup", LogLevel.Detail),
        };
        _log = new NodeLog([_first, _second], [LogSinkOptions.Console, quiet], _clock, startThread: false);
    }

    public void Dispose() => _log.Dispose();

    [Fact]
    public void A_line_has_the_form_that_log_readers_know()
    {
        Write("info", LogLevel.Info, "hello");
        _log.UseFormat(millis: true, localTime: false);
        Write("as", LogLevel.Warning, "careful");
        Assert.Equal(["Nov 20 2026 12:00:00 GMT: INFO (info): hello\n", "Nov 20 2026 12:00:00.123 GMT: WARNING (as): careful\n"],
            _first.Lines);
    }

    [Fact]
    public void Local_time_says_how_far_it_is_from_utc()
    {
        _log.UseFormat(millis: false, localTime: true);
        Write("info", LogLevel.Info, "hello");
        Assert.Matches("^Nov \\d\\d 2026 \\d\\d:\\d\\d:\\d\\d GMT[+-]\\d{4}: INFO \\(info\\): hello\n$", Assert.Single(_first.Lines));
    }

    [Fact]
    public void Each_sink_has_its_own_levels_per_context()
    {
        Write("info", LogLevel.Info, "one");
        Write("nsup", LogLevel.Detail, "two");
        Write("info", LogLevel.Warning, "three");
        Assert.Equal(["one", "three"], Texts(_first));
        Assert.Equal(["two", "three"], Texts(_second));
    }

    [Fact]
    public void Levels_change_while_the_node_runs()
    {
        Assert.True(_log.TrySetLevel(0, "info", LogLevel.Critical));
        Assert.True(_log.TrySetLevel(1, "any", LogLevel.Debug));
        Write("info", LogLevel.Debug, "one");
        Assert.Empty(_first.Lines);
        Assert.Equal(["one"], Texts(_second));
        Assert.False(_log.TrySetLevel(2, "info", LogLevel.Info));
        Assert.False(_log.TrySetLevel(0, "nonsense", LogLevel.Info));
    }

    [Theory]
    [InlineData("log-set:id=0;info=debug", "ok", "info:DEBUG")]
    [InlineData("set-config:context=logging;id=0;rw=detail", "ok", "rw:DETAIL")]
    [InlineData("log-set:id=0;any=critical", "ok", "xdr:CRITICAL")]
    [InlineData("log-set:id=7;info=debug", "ERROR:4:", "info:INFO")]
    [InlineData("log-set:info=debug", "ERROR:4:", "info:INFO")]
    [InlineData("log-set:id=0;nonsense=debug", "ERROR:4:", "info:INFO")]
    [InlineData("log-set:id=0;rw=debug;info=2", "ERROR:4:", "rw:INFO")]
    [InlineData("log-set:id=0", "ERROR:4:", "info:INFO")]
    public void Info_commands_change_levels(string command, string answer, string then)
    {
        using var info = new InfoHarness();
        Assert.StartsWith(answer, info.Ask(command), StringComparison.Ordinal);
        Assert.Contains(then, info.Ask("log/0").Split(';'));
        Assert.Equal(then, info.Ask($"log/0/{then.Split(':')[0]}"));
    }

    [Fact]
    public void Control_characters_of_a_client_can_neither_fake_a_line_nor_reach_a_terminal()
    {
        Write("info", LogLevel.Info, "set a\nNov 20 2026 12:00:00 GMT: CRITICAL (as): fake\r\u001b[2J\u0085\u2028b");
        var line = Assert.Single(_first.Lines);
        Assert.Equal(1, line.Count(c => c == '\n'));
        Assert.Contains("set a\\x0aNov", line, StringComparison.Ordinal);
        Assert.EndsWith("fake\\x0d\\x1b[2J\\x85\\u2028b\n", line, StringComparison.Ordinal);
    }

    [Fact]
    public void An_endless_text_is_cut()
    {
        Write("info", LogLevel.Info, new string('x', 1_000_000));
        Assert.True(Assert.Single(_first.Lines).Length < LogLine.TextMax + 100);
    }

    [Fact]
    public void Too_many_lines_are_dropped_counted_and_reported()
    {
        for (var i = 0; i < NodeLog.QueuedLinesMax + 5; i++)
        {
            _log.Write(LogContexts.Of("info"), LogLevel.Info, "x");
        }

        _log.Flush();
        Assert.Equal(5, _log.DroppedLines);
        Assert.Equal(NodeLog.QueuedLinesMax + 1, _first.Lines.Count);
        Assert.Single(_first.Lines, line => line.Contains("WARNING (misc): 5 log lines were dropped", StringComparison.Ordinal));
    }

    [Fact]
    public void A_critical_line_is_out_at_once_behind_those_before_it()
    {
        for (var i = 0; i < NodeLog.QueuedLinesMax; i++)
        {
            _log.Write(LogContexts.Of("info"), LogLevel.Info, "before");
        }

        _log.Write(LogContexts.Of("as"), LogLevel.Critical, "the end");
        Assert.Equal(NodeLog.QueuedLinesMax + 1, _first.Lines.Count);
        Assert.EndsWith("CRITICAL (as): the end\n", _first.Lines[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void Loggers_of_the_platform_write_under_the_context_they_are_named_after()
    {
        using var loggers = new LoggerFactory([new NodeLoggerProvider(_log)]);
        loggers.CreateLogger("nsup").LogError(new InvalidOperationException("why"), "broken {What}", "x");
        loggers.CreateLogger("Some.Library").LogInformation("hello");
        _log.Flush();
        Assert.Contains("WARNING (nsup): broken x: System.InvalidOperationException: why", _first.Lines[0], StringComparison.Ordinal);
        Assert.EndsWith("INFO (misc): hello\n", _first.Lines[1], StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_is_appended_to_and_reopened_after_a_rotation()
    {
        var folder = Directory.CreateTempSubdirectory("aerie-log");
        try
        {
            var path = Path.Combine(folder.FullName, "node.log");
            File.WriteAllText(path, "old\n");
            var options = new LoggingOptions([LogSinkOptions.Console with { Kind = LogSinkKind.File, Path = path }]);
            using (var log = new NodeLog(options, _clock))
            {
                log.Write(LogContexts.Of("info"), LogLevel.Info, "first");
                log.Flush();
                File.Move(path, path + ".1");
                log.Reopen();
                log.Write(LogContexts.Of("info"), LogLevel.Info, "second");
            }

            Assert.Equal("old\nNov 20 2026 12:00:00 GMT: INFO (info): first\n", File.ReadAllText(path + ".1"));
            Assert.Equal("Nov 20 2026 12:00:00 GMT: INFO (info): second\n", File.ReadAllText(path));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void Lines_reach_the_systems_logger_as_datagrams()
    {
        var folder = Directory.CreateTempSubdirectory("aerie-log");
        try
        {
            var path = Path.Combine(folder.FullName, "log");
            using var receiver = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { ReceiveTimeout = 10_000 };
            receiver.Bind(new UnixDomainSocketEndPoint(path));
            var sink = LogSinkOptions.Console with { Kind = LogSinkKind.Syslog, Path = path, Facility = "local3", Tag = "tag" };
            var options = new LoggingOptions([sink]);
            using var log = new NodeLog(options, _clock);
            log.Write(LogContexts.Of("info"), LogLevel.Warning, "hello: you");
            var buffer = new byte[1000];
            var text = System.Text.Encoding.UTF8.GetString(buffer, 0, receiver.Receive(buffer));
            Assert.Equal($"<{(19 * 8) + 4}>tag[{Environment.ProcessId}]: WARNING (info): hello: you", text);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void A_file_that_cannot_be_opened_is_one_clear_line()
    {
        var options = new LoggingOptions([LogSinkOptions.Console with { Kind = LogSinkKind.File, Path = "/proc/none/node.log" }]);
        Assert.ThrowsAny<IOException>(() => new NodeLog(options, _clock));
    }

    private void Write(string context, LogLevel level, string text)
    {
        _log.Write(LogContexts.Of(context), level, text);
        _log.Flush();
    }

    private static IEnumerable<string> Texts(ListSink sink) =>
        sink.Lines.Select(line => line[(line.IndexOf("): ", StringComparison.Ordinal) + 3)..].Trim());
}

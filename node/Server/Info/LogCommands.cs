using System.Globalization;
using Aerie.Foundation;
using Aerie.Server.Config;
using Aerie.Server.Logging;
using Microsoft.Extensions.Logging;
using LogLevel = Aerie.Server.Config.LogLevel;

namespace Aerie.Server.Info;

/// Where the node logs to, what, and how verbosely.
internal sealed class LogCommands(InfoSources sources)
{
    private const int MessageLengthMax = 1024;

    private readonly ILogger _log = sources.Loggers.CreateLogger("info");

    public IEnumerable<InfoCommand> All =>
    [
        new("logs", "the log's sinks with their numbers", InfoPermission.None, (in _, reply) =>
            reply.Append(string.Join(';', sources.Log.SinkNames.Select((name, number) => $"{number}:{name}")))),
        new("log", "the levels of a sink: log/<number>[/<context>]", InfoPermission.None, Levels),
        new("log-set", "sets a level: id=<sink>;<context>=<level>", InfoPermission.SysAdmin, SetLevel),
        new("log-message", "writes a line: message=[;who=]", InfoPermission.SysAdmin, Message),
    ];

    /// `id=0;info=debug;…`, of log-set and of set-config:context=logging. All words are checked before the first is done.
    public static ConfigAnswer SetLevels(NodeLog log, in InfoRequest request)
    {
        if (!int.TryParse(request["id"], NumberStyles.None, CultureInfo.InvariantCulture, out var sink) || sink >= log.SinkNames.Count)
        {
            return ConfigAnswer.Error("bad or missing sink id");
        }

        var changes = new List<(string Context, LogLevel Level)>();
        foreach (var part in request.Text.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var pair = part.Split('=', 2);
            if (pair[0] is "id" or "context")
            {
                continue;
            }

            if (pair[0] != "any" && !LogContexts.TryFind(pair[0], out _))
            {
                return ConfigAnswer.Error($"unknown context '{pair[0]}'");
            }

            if (pair.Length < 2 || !Enum.TryParse<LogLevel>(pair[1], ignoreCase: true, out var level) || char.IsAsciiDigit(pair[1][0]))
            {
                return ConfigAnswer.Error($"bad level for '{pair[0]}'; allowed are critical, warning, info, debug, detail");
            }

            changes.Add((pair[0], level));
        }

        foreach (var (context, level) in changes)
        {
            log.TrySetLevel(sink, context, level);
        }

        return changes.Count == 0 ? ConfigAnswer.Error("missing context and level") : new ConfigAnswer(ResultCode.Ok, "ok");
    }

    private void Levels(in InfoRequest request, InfoText reply)
    {
        var parts = request.Text.Split('/', 2);
        if (!int.TryParse(request["id"] ?? parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var sink)
            || sink >= sources.Log.SinkNames.Count)
        {
            reply.Error(ResultCode.Parameter, "bad or missing sink id");
            return;
        }

        var separator = "";
        for (var context = 0; context < LogContexts.Names.Count; context++)
        {
            if (parts.Length == 1 || parts[1] == LogContexts.Names[context])
            {
                reply.Append(separator).Append(LogContexts.Names[context]).Append(":")
                    .Append(LogLine.NameOf(sources.Log.LevelOf(sink, context)));
                separator = ";";
            }
        }
    }

    private void SetLevel(in InfoRequest request, InfoText reply)
    {
        var answer = SetLevels(sources.Log, request);
        if (answer.Code == ResultCode.Ok)
        {
            _log.LogInformation("log-set: {Parameters}", request.Text);
        }

        reply.Answer(answer);
    }

    private void Message(in InfoRequest request, InfoText reply)
    {
        if (request["message"] is not { Length: > 0 and <= MessageLengthMax } message)
        {
            reply.Error(ResultCode.Parameter, "bad or missing message");
            return;
        }

        _log.LogInformation("log-message ({Who}): {Message}", request["who"] ?? "client", message);
        reply.Ok();
    }
}

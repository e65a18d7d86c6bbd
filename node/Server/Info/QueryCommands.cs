using System.Globalization;
using Aerie.Foundation;
using Aerie.Server.Query;

namespace Aerie.Server.Info;

/// Queries in progress. Tools older than 6.0 know them as scans and jobs.
internal sealed class QueryCommands(InfoSources sources)
{
    public IEnumerable<InfoCommand> All =>
        from shape in new[] { "query", "scan" }
        from command in Of(shape)
        select command;

    private IEnumerable<InfoCommand> Of(string shape)
    {
        yield return new($"{shape}-show", "queries in progress and done: [id=]", InfoPermission.None, Show);
        yield return new($"{shape}-abort", "ends a query: id=", InfoPermission.DataAdmin, Abort);
        yield return new($"{shape}-abort-all", "ends all queries", InfoPermission.DataAdmin, (in _, reply) => AbortAll(reply, shape));
        if (shape == "scan")
        {
            yield return new("jobs", "queries, as older tools ask: module=query|scan;[cmd=kill-job;trid=]", InfoPermission.DataAdmin, Jobs);
        }
    }

    private void Show(in InfoRequest request, InfoText reply)
    {
        if (!TryReadId(request, out var id))
        {
            reply.Error(ResultCode.Parameter, "bad id");
            return;
        }

        var now = sources.Clock.MonotonicNanoseconds;
        var rows = sources.Queries.Snapshot().Where(query => id is null || query.Id == id).Select(query => Row(query, now)).ToList();
        if (id is not null && rows.Count == 0)
        {
            reply.Error(ResultCode.NotFound, "trid not found");
        }
        else
        {
            reply.Append(string.Join(';', rows));
        }
    }

    // Times in milliseconds. Single threads serve a query, and nothing is filtered by bins.
    internal static string Row(QueryStatus query, long now) =>
        $"trid={query.Id}:job-type={query.TypeText}:ns={query.Namespace}:set={query.Set}:n-pids-requested={query.PartitionsRequested}"
        + $":rps={query.RecordsPerSecond}:active-threads={(query.IsActive ? 1 : 0)}:status={query.StatusText}"
        + $":job-progress={query.Progress.ToString("0.00", CultureInfo.InvariantCulture)}:run-time={query.RunTime(now) / 1_000_000}"
        + $":time-since-done={query.SinceDone(now) / 1_000_000}:recs-throttled=0:recs-filtered-meta=0:recs-filtered-bins=0"
        + $":recs-succeeded={query.RecordsSucceeded}:recs-failed={query.RecordsFailed}:net-io-bytes={query.NetIoBytes}:net-io-time=0"
        + $":socket-timeout={query.SocketTimeout}:from={query.From.Replace(':', '+')}";

    private void Abort(in InfoRequest request, InfoText reply)
    {
        if (!TryReadId(request, out var id) || id is null)
        {
            reply.Error(ResultCode.Parameter, "bad or missing id");
        }
        else if (sources.Queries.Abort(id.Value))
        {
            reply.Ok();
        }
        else
        {
            reply.Error(ResultCode.NotFound, "trid not active");
        }
    }

    private void AbortAll(InfoText reply, string shape) =>
        reply.Append($"OK - number of {(shape == "query" ? "queries" : "scans")} killed: {sources.Queries.AbortAll()}");

    private void Jobs(in InfoRequest request, InfoText reply)
    {
        switch (request["module"], request["cmd"])
        {
            case ("query" or "scan" or null, null or "get-job"):
                Show(request, reply);
                break;
            case ("query" or "scan", "kill-job"):
                Abort(request, reply);
                break;
            default:
                reply.Error(ResultCode.Parameter, "bad module or cmd");
                break;
        }
    }

    private static bool TryReadId(in InfoRequest request, out ulong? id)
    {
        id = null;
        if ((request["id"] ?? request["trid"]) is not { } text)
        {
            return true;
        }

        var hex = text.StartsWith("0x", StringComparison.OrdinalIgnoreCase);
        var sound = ulong.TryParse(
            hex ? text.AsSpan(2) : text, hex ? NumberStyles.HexNumber : NumberStyles.None, CultureInfo.InvariantCulture, out var number);
        id = number;
        return sound;
    }
}

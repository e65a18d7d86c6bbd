using System.Globalization;
using System.Text;
using Aerie.Foundation;
using Aerie.Server.Records;
using Microsoft.Extensions.Logging;

namespace Aerie.Server.Info;

/// Truncation: records last updated before a moment are gone, of a set or of a whole namespace.
internal sealed class TruncateCommands(InfoSources sources)
{
    private const long NanosecondsPerMillisecond = 1_000_000;

    private readonly ILogger _log = sources.Loggers.CreateLogger("truncate");

    public IEnumerable<InfoCommand> All =>
    [
        new("truncate", "removes the records of a set: namespace=;set=;[lut=<Unix nanoseconds>]", InfoPermission.DataAdmin,
            (in request, reply) => Truncate(request, reply, wholeNamespace: false)),
        new("truncate-namespace", "removes all records of a namespace: namespace=;[lut=<Unix nanoseconds>]", InfoPermission.DataAdmin,
            (in request, reply) => Truncate(request, reply, wholeNamespace: true)),
        new("truncate-undo", "forgets the truncation of a set: namespace=;set=", InfoPermission.DataAdmin,
            (in request, reply) => Undo(request, reply, wholeNamespace: false)),
        new("truncate-namespace-undo", "forgets the truncation of a namespace: namespace=", InfoPermission.DataAdmin,
            (in request, reply) => Undo(request, reply, wholeNamespace: true)),
    ];

    private void Truncate(in InfoRequest request, InfoText reply, bool wholeNamespace)
    {
        if (!TryFindTarget(request, reply, wholeNamespace, out var records, out var setName)
            || !TryReadCut(request["lut"], reply, out var cut))
        {
            return;
        }

        Cut(records, setName, cut);
        _log.LogInformation("{{{Namespace}|{Set}}} truncated to lut {Cut}", records.Name, setName ?? "", cut);
        reply.Ok();
    }

    private void Undo(in InfoRequest request, InfoText reply, bool wholeNamespace)
    {
        if (!TryFindTarget(request, reply, wholeNamespace, out var records, out var setName))
        {
            return;
        }

        Cut(records, setName, 0);
        _log.LogInformation("{{{Namespace}|{Set}}} undid truncation", records.Name, setName ?? "");
        reply.Ok();
    }

    private static void Cut(Namespace records, string? setName, ulong cut)
    {
        if (setName is null)
        {
            records.Truncate(null, cut);
        }
        else if (records.Sets.TryFind(Encoding.UTF8.GetBytes(setName), out var set))
        {
            records.Truncate(set, cut);
        } // a set without records has nothing to cut
    }

    private bool TryFindTarget(
        in InfoRequest request, InfoText reply, bool wholeNamespace, out Namespace records, out string? setName)
    {
        setName = wholeNamespace ? null : request["set"];
        setName = string.IsNullOrEmpty(setName) ? null : setName; // old tools truncate a namespace by naming no set
        records = sources.Namespaces.Find(request.Namespace ?? "")!;
        if (records is null)
        {
            reply.Error(ResultCode.Namespace, "unknown namespace");
            return false;
        }

        if (setName is not null && Encoding.UTF8.GetByteCount(setName) > SetTable.NameLengthMax)
        {
            reply.Error(ResultCode.Parameter, "bad set name");
            return false;
        }

        return true;
    }

    // Without a time: everything up to now. Writes after this get later update times, so the cut cannot touch them.
    private bool TryReadCut(string? lut, InfoText reply, out ulong cut)
    {
        var now = sources.LastUpdateClock.Advance(CitrusTime.Milliseconds(sources.Clock.UnixMilliseconds));
        cut = 0;
        if (lut is null or "0")
        {
            cut = sources.LastUpdateClock.Advance(now + 1);
            return true;
        }

        if (!ulong.TryParse(lut, NumberStyles.None, CultureInfo.InvariantCulture, out var nanoseconds) || nanoseconds > long.MaxValue)
        {
            reply.Error(ResultCode.Parameter, "bad lut");
            return false;
        }

        cut = CitrusTime.Milliseconds((long)nanoseconds / NanosecondsPerMillisecond);
        if (cut > now)
        {
            reply.Error(ResultCode.Parameter, "lut is in the future");
            return false;
        }

        return true;
    }
}

using System.Globalization;
using System.Text;
using Aerie.Server.Udf;

namespace Aerie.Server.Info;

/// Registers, lists and removes the modules whose functions commands call.
internal sealed class UdfCommands(InfoSources sources)
{
    public IEnumerable<InfoCommand> All =>
    [
        new("udf-list", "the user-defined modules", InfoPermission.None, List),
        new("udf-get", "a user-defined module: filename=", InfoPermission.None, Get),
        new("udf-put", "registers a user-defined module: filename=;content=<base64>;[content-len=;udf-type=LUA]",
            InfoPermission.DataAdmin, Put),
        new("udf-remove", "removes a user-defined module: filename=", InfoPermission.DataAdmin, Remove),
        new("udf-clear-cache", "forgets compiled modules, and what they keep in globals", InfoPermission.DataAdmin, (in _, reply) =>
        {
            sources.Modules.ClearCache();
            reply.Ok();
        }),
        new("udf-stats", "calls, errors and microseconds of each function", InfoPermission.None, Statistics),
    ];

    private void List(in InfoRequest request, InfoText reply)
    {
        foreach (var module in sources.Modules.All)
        {
            reply.Append($"filename={module.FileName},hash={module.Hash},type=LUA;");
        }
    }

    private void Get(in InfoRequest request, InfoText reply)
    {
        var module = request["filename"] is { } name ? sources.Modules.Find(name) : null;
        reply.Append(module is null ? "error=not_found" : $"type=LUA;content={Convert.ToBase64String(module.Text)};");
    }

    private void Put(in InfoRequest request, InfoText reply)
    {
        var name = request["filename"] ?? "";
        var content = request["content"];
        var text = new byte[(content?.Length ?? 0) * 3 / 4 + 3];
        if (request["udf-type"] is { } type && !type.Equals("LUA", StringComparison.OrdinalIgnoreCase))
        {
            reply.Append("error=invalid_udf_type");
            return;
        }

        if (content is null || !Convert.TryFromBase64String(content, text, out var length))
        {
            reply.Append(content is null ? "error=missing_content" : "error=invalid_base64_content");
            return;
        }

        var outcome = sources.Modules.Put(name, text[..length], out var error);
        if (error is not null)
        {
            var message = Convert.ToBase64String(Encoding.UTF8.GetBytes(error.Message));
            reply.Append($"error=compile_error;file={name};line={error.Line.ToString(CultureInfo.InvariantCulture)};message={message}");
            return;
        }

        Say(reply, outcome);
    }

    private void Remove(in InfoRequest request, InfoText reply) => Say(reply, sources.Modules.Remove(request["filename"] ?? ""));

    private static void Say(InfoText reply, UdfOutcome outcome) => reply.Append(outcome switch
    {
        UdfOutcome.Done or UdfOutcome.NotFound => "ok", // what is not there need not be removed: so clients expect it
        UdfOutcome.BadName => "error=invalid_filename",
        UdfOutcome.TooLong => "error=invalid_content_length",
        _ => "error=cannot_store",
    });

    private void Statistics(in InfoRequest request, InfoText reply)
    {
        foreach (var function in sources.UdfStatistics())
        {
            reply.Append($"module={function.Module}:function={function.Function}:calls={function.Calls}:errors={function.Errors}:"
                + $"microseconds={function.Nanoseconds / 1000};");
        }
    }
}

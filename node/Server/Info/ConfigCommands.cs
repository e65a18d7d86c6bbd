using System.Globalization;
using Aerie.Foundation;
using Aerie.Server.Config;
using Microsoft.Extensions.Logging;
using LogLevel = Aerie.Server.Config.LogLevel;

namespace Aerie.Server.Info;

/// Reads and changes the configuration while the node runs.
internal sealed class ConfigCommands(InfoSources sources)
{
    private readonly ILogger _log = sources.Loggers.CreateLogger("config");

    public IEnumerable<InfoCommand> All =>
    [
        new("get-config", "the configuration: [context=service|network|namespace|security|xdr;…]", InfoPermission.None, Get),
        new("config-get", "the same as get-config", InfoPermission.None, Get),
        new("set-config", "changes dynamic parameters: context=;<parameter>=<value>", InfoPermission.SysAdmin, Set),
        new("config-set", "the same as set-config", InfoPermission.SysAdmin, Set),
    ];

    private void Get(in InfoRequest request, InfoText reply) => reply.Answer(sources.Config.Get(request.Text));

    private void Set(in InfoRequest request, InfoText reply)
    {
        var answer = request["context"] == "logging" ? LogCommands.SetLevels(sources.Log, request) : sources.Config.Set(request.Text);
        if (answer.Code == ResultCode.Ok)
        {
            _log.LogInformation("config-set: {Parameters}", request.Text);
        }

        reply.Answer(answer);
    }
}

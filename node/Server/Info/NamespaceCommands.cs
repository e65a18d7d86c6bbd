using System.Collections.Concurrent;
using Aerie.Foundation;
using Aerie.Server.Config;
using Aerie.Server.Metrics;
using Aerie.Server.Records;
using Aerie.Server.Statistics;

namespace Aerie.Server.Info;

/// Namespaces, their statistics and their sets.
internal sealed class NamespaceCommands(InfoSources sources)
{
    private readonly ConcurrentDictionary<Namespace, (NamespaceOptions Options, string Text)> _configs = new();

    public IEnumerable<InfoCommand> All =>
    [
        new("namespaces", "the names of the namespaces", InfoPermission.None, (in _, reply) =>
            reply.Append(string.Join(';', sources.Namespaces.All.Select(records => records.Name)))),
        new("namespace", "statistics and configuration of a namespace: namespace/<name>", InfoPermission.None, OfNamespace),
        new("sets", "the sets: sets[/<namespace>[/<set>]]", InfoPermission.None, OfSets),
        new("objects", "how many records there are", InfoPermission.None, (in _, reply) =>
            reply.Append(sources.Namespaces.All.Sum(records => records.Objects))),
    ];

    private void OfNamespace(in InfoRequest request, InfoText reply)
    {
        if (sources.Namespaces.Find(request.Namespace ?? request.Text) is not { } records)
        {
            reply.Error(ResultCode.Namespace, "unknown namespace");
            return;
        }

        foreach (var statistic in sources.NamespaceStatistics.Read(records))
        {
            reply.Pair(statistic.Key, statistic.Value);
        }

        AppendConfig(records, reply);
    }

    private void AppendConfig(Namespace records, InfoText reply) => reply.Append(";").Append(ConfigOf(records));

    // Monitoring asks for it every few seconds on an event loop, and it changes when somebody changes it: every set-config
    // gives the namespace a new options object.
    private string ConfigOf(Namespace records)
    {
        var options = records.Options;
        if (_configs.TryGetValue(records, out var known) && ReferenceEquals(known.Options, options))
        {
            return known.Text;
        }

        var text = ConfigText(records);
        _configs[records] = (options, text);
        return text;
    }

    // The configuration as get-config has it, with the names of the memory's stripes behind the engine's.
    private string ConfigText(Namespace records)
    {
        const string Engine = "storage-engine=memory";
        var config = sources.Config.Get($"context=namespace;namespace={records.Name}").Text;
        var stripes = Enumerable.Range(0, records.Log.Stripes)
            .Select(stripe => $";storage-engine.stripe[{stripe}]={SetStatistics.StripeName(stripe)}");
        return config.Replace(Engine, Engine + string.Concat(stripes), StringComparison.Ordinal);
    }

    private void OfSets(in InfoRequest request, InfoText reply)
    {
        var slash = request.Text.IndexOf('/');
        var name = request.Namespace ?? (slash < 0 ? request.Text : request.Text[..slash]);
        var set = request["set"] ?? (slash < 0 ? null : request.Text[(slash + 1)..]);
        if (name.Length > 0 && sources.Namespaces.Find(name) is null)
        {
            reply.Error(ResultCode.Namespace, "unknown namespace");
            return;
        }

        foreach (var records in sources.Namespaces.All.Where(records => name.Length == 0 || records.Name == name))
        {
            for (var id = 1; id <= records.Sets.Count; id++)
            {
                if (string.IsNullOrEmpty(set) || records.Sets[id].Text == set)
                {
                    var separator = "";
                    foreach (var statistic in SetStatistics.Read(records, records.Sets[id]))
                    {
                        reply.Append(separator).Append(statistic.Key).Append("=").Append(statistic.Value);
                        separator = ":";
                    }

                    reply.Append(";");
                }
            }
        }
    }
}

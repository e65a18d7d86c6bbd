using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Aerie.Foundation;
using Aerie.Server.Metrics;
using Aerie.Server.Statistics;

namespace Aerie.Server.Info;

/// Who the node is, how it is reached and which cluster it is in. The cluster is this node alone.
internal sealed class ClusterCommands(InfoSources sources)
{
    /// What clients before 8.1 decide by.
    private const string Features =
        "batch-any;batch-index;blob-bits;cdt-list;cdt-map;cluster-stable;float;geo;peers;pipelining;pquery;pscans;query-show;"
        + "relaxed-sc;replicas;replicas-all;replicas-master;sindex-exists;truncate-namespace;udf";

    private const int UserAgentsMax = 256;
    private const int UserAgentLengthMax = 512;

    private readonly ConcurrentDictionary<string, long> _userAgents = new(StringComparer.Ordinal);

    public IEnumerable<InfoCommand> All =>
    [
        .. Identity,
        .. Addresses,
        .. Peers,
        .. Membership,
        .. Single,
        new("user-agent-set", "a client tells its name: value=<base64>", InfoPermission.None, SetUserAgent),
        new("user-agents", "names that clients told, with how often", InfoPermission.None, UserAgents),
        new("connection", "what this connection may do", InfoPermission.None, (in _, reply) => reply.Append("admin=false")),
    ];

    private IEnumerable<InfoCommand> Identity =>
    [
        Fixed("node", "the node's id", () => sources.Identity.NodeId),
        Fixed("name", "the node's id", () => sources.Identity.NodeId),
        Fixed("build", "the release that this node is compatible with", () => NodeIdentity.Build),
        Fixed("version", "product and release", () => $"Aerospike Enterprise Edition build {NodeIdentity.Build}"),
        Fixed("edition", "what set of features the node has", () => "Aerospike Enterprise Edition"),
        Fixed("build_os", "the operating system the node was built for", () => "linux"),
        Fixed("build_arch", "the processor the node runs on", () => Architecture),
        Fixed("build_time", "when the node was built", () => "unknown"),
        Fixed("build_sha", "the source the node was built from", () => OwnVersion),
        Fixed("build_ee_sha", "the source the node was built from", () => OwnVersion),
        Fixed("release", "edition, version and platform", () =>
            $"edition=Aerospike Enterprise Edition;version={NodeIdentity.Build};os=linux;arch={Architecture}"
            + $";sha={OwnVersion};ee-sha={OwnVersion}"),
        Fixed("features", "what older clients may use", () => Features),
        Fixed("compatibility-id", "the release's inner protocols", () => $"{NodeIdentity.CompatibilityId}"),
        Fixed("feature-key", "no licence is needed", () => "none"),
        Fixed("status", "ok once the node serves", () => "ok"),
    ];

    private IEnumerable<InfoCommand> Addresses =>
    [
        Fixed("service", "addresses for clients", () => sources.AccessPoints.Standard),
        Fixed("service-clear-std", "addresses for clients", () => sources.AccessPoints.Standard),
        Fixed("service-clear-alt", "alternate addresses for clients", () => sources.AccessPoints.Alternate),
        Fixed("service-tls-std", "addresses for clients with TLS", () => ""),
        Fixed("service-tls-alt", "alternate addresses for clients with TLS", () => ""),
        Fixed("admin-clear-std", "addresses for operators", () => sources.AccessPoints.Admin),
        Fixed("admin-tls-std", "addresses for operators with TLS", () => ""),
        Fixed("services", "addresses of the other nodes", () => ""),
        Fixed("services-alternate", "alternate addresses of the other nodes", () => ""),
        Fixed("services-alumni", "addresses of nodes that once were there", () => ""),
        Command("services-alumni-reset", "forgets nodes that once were there", InfoPermission.SysAdmin, (in _, reply) => reply.Ok()),
        Fixed("endpoints", "where the node listens, in short", () => $"service.addresses={sources.AccessPoints.Standard}"),
    ];

    private IEnumerable<InfoCommand> Peers =>
        from list in new[] { "peers", "alumni" }
        from kind in new[] { "clear-std", "clear-alt", "tls-std", "tls-alt" }
        select Fixed($"{list}-{kind}", list == "peers" ? "the other nodes" : "nodes that are or were there", NoPeers);

    private IEnumerable<InfoCommand> Membership =>
    [
        Fixed("peers-generation", "changes when the other nodes change", () => "0"),
        Fixed("cluster-name", "the configured name of the cluster", () => sources.Config.Service.Current.ClusterNameOrNull),
        Command("cluster-stable", "the cluster's key when nothing is moving: [size=;ignore-migrations=;namespace=]",
            InfoPermission.None, ClusterStable),
        Command("roster", "the roster of each namespace: [namespace=]", InfoPermission.None, Roster),
        Command("recluster", "lets the cluster form anew", InfoPermission.SysAdmin, (in _, reply) => reply.Ok()),
        Command("tip", "another node to meet: host=;port=", InfoPermission.SysAdmin, (in _, reply) => reply.Error(
            ResultCode.UnsupportedFeature, "this node runs alone: clusters are not available yet")),
        Command("tip-clear", "forgets nodes to meet", InfoPermission.SysAdmin, (in _, reply) => reply.Ok()),
        Fixed("mesh", "nodes to meet", () => ""),
        Fixed("mcast", "multicast groups", () => ""),
    ];

    private IEnumerable<InfoCommand> Single =>
    [
        Fixed("get-sl", "the succession list", () => $"ns=*:sl={sources.Identity.NodeId}"),
        Command("quiesce", "hands everything over to the other nodes", InfoPermission.SysAdmin, (in _, reply) => reply.Error(
            ResultCode.Forbidden, "there is no other node to hand over to")),
        Command("quiesce-undo", "takes a quiesce back", InfoPermission.SysAdmin, (in _, reply) => reply.Ok()),
    ];

    private static string Architecture => RuntimeInformation.ProcessArchitecture == System.Runtime.InteropServices.Architecture.Arm64
        ? "aarch64" : "x86_64";

    private static string OwnVersion => $"aerie-{typeof(ClusterCommands).Assembly.GetName().Version?.ToString(3)}";

    private string NoPeers() => $"0,{sources.AccessPoints.ServicePort},[]";

    private void ClusterStable(in InfoRequest request, InfoText reply)
    {
        if (request["size"] is { } size && size != "1")
        {
            reply.Error(ResultCode.Unknown, "cluster-not-specified-size");
        }
        else if (request.Namespace is { } name && sources.Namespaces.Find(name) is null)
        {
            reply.Error(ResultCode.Unknown, "unknown-namespace");
        }
        else
        {
            reply.Append(sources.Identity.ClusterKey);
        }
    }

    private void Roster(in InfoRequest request, InfoText reply)
    {
        var wanted = request.Namespace;
        var separator = "";
        foreach (var records in sources.Namespaces.All.Where(records => wanted is null || records.Name == wanted))
        {
            reply.Append(separator).Append($"ns={records.Name}:roster=null:pending_roster=null:observed_nodes=null");
            separator = ";";
        }

        if (separator.Length == 0)
        {
            reply.Error(ResultCode.Parameter, "unknown namespace");
        }
    }

    private void SetUserAgent(in InfoRequest request, InfoText reply)
    {
        var name = request["value"];
        if (name is not { Length: > 0 and <= UserAgentLengthMax }
            || !Convert.TryFromBase64String(name, new byte[UserAgentLengthMax], out _))
        {
            reply.Error(ResultCode.Parameter, "bad value");
            return;
        }

        if (_userAgents.ContainsKey(name) || _userAgents.Count < UserAgentsMax)
        {
            _userAgents.AddOrUpdate(name, 1, (_, count) => count + 1);
        }

        reply.Ok();
    }

    private void UserAgents(in InfoRequest request, InfoText reply) =>
        reply.Append(string.Join(';', _userAgents.OrderBy(agent => agent.Key, StringComparer.Ordinal)
            .Select(agent => $"user-agent={agent.Key}:count={agent.Value}")));

    private static InfoCommand Fixed(string name, string help, Func<string> answer) =>
        new(name, help, InfoPermission.None, (in _, reply) => reply.Append(answer()));

    private static InfoCommand Command(string name, string help, InfoPermission permission, InfoHandler answer) =>
        new(name, help, permission, answer);
}

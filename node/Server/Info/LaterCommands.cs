using Aerie.Foundation;
using Aerie.Server.Metrics;
using Aerie.Server.Statistics;

namespace Aerie.Server.Info;

/// Commands of parts that this node does not have yet: lists are empty, questions are answered truthfully, and orders are
/// refused with a reason. Nothing here pretends to have done something.
internal sealed class LaterCommands(InfoSources sources)
{
    public IEnumerable<InfoCommand> All => [.. Indexes, .. OtherClusters, .. Dumps];

    private IEnumerable<InfoCommand> Indexes =>
    [
        new("sindex-list", "the secondary indexes: [namespace=]", InfoPermission.None, ListIndexes),
        new("sindex", "the secondary indexes, as older tools ask", InfoPermission.None, ListIndexes),
        new("sindex-exists", "whether there is an index: namespace=;indexname=", InfoPermission.None,
            (in _, reply) => reply.Append("false")),
        new("sindex-stat", "statistics of an index: namespace=;indexname=", InfoPermission.None, NoIndex),
        new("sindex-describe", "statistics of an index: namespace=;indexname=", InfoPermission.None, NoIndex),
        Refused("sindex-create", "creates an index", InfoPermission.DataAdmin, "secondary indexes are not available yet"),
        new("sindex-delete", "removes an index: namespace=;indexname=", InfoPermission.DataAdmin, NoIndex),
    ];

    private static IEnumerable<InfoCommand> OtherClusters =>
    [
        Empty("masking-show", "masking rules"),
        Refused("masking", "adds or removes a masking rule", InfoPermission.DataAdmin, "masking is not available yet"),
        Empty("xdr-get-filter", "what is shipped to other clusters"),
        Refused("xdr-set-filter", "limits what is shipped", InfoPermission.DataAdmin, "shipping to other clusters is not available yet"),
        Refused("xdr-dc-state", "how far another cluster is", InfoPermission.None, "shipping to other clusters is not available yet"),
        Refused("roster-set", "sets the roster of a namespace", InfoPermission.SysAdmin, "strong consistency is not available yet"),
        Refused("revive", "takes dead partitions back", InfoPermission.SysAdmin, "strong consistency is not available yet"),
        new("eviction-reset", "forgets the eviction depth: namespace=", InfoPermission.DataAdmin, (in _, reply) => reply.Ok()),
        Empty("smd-info", "replicated metadata"),
        Empty("smd-show", "replicated metadata of a module: module="),
    ];

    private IEnumerable<InfoCommand> Dumps =>
    [
        Empty("digests", "single-record commands in progress"),
        Empty("physical-devices", "the devices under a path: path="),
        Refused("thread-traces", "what each thread does", InfoPermission.SysAdmin, "use dotnet-stack on the process"),
        Refused("jem-stats", "figures of the native allocator", InfoPermission.SysAdmin, "the node does not use jemalloc; see aerie-stats"),
        Refused("debug-record", "the bytes of a record", InfoPermission.SysAdmin, "not available yet"),
        Refused("debug-record-meta", "the index entry of a record", InfoPermission.SysAdmin, "not available yet"),
        Dump("dump-cluster", "the cluster as this node sees it", () =>
            $"cluster of one node {sources.Identity.NodeId}, key {sources.Identity.ClusterKey}"),
        Dump("dump-fabric", "connections between nodes", () => "no other node, no connections"),
        Dump("dump-hb", "heartbeats", () => "no other node, no heartbeats"),
        Dump("dump-hlc", "the clock of the cluster", () => $"last-update-time {sources.LastUpdateClock.Latest}"),
        Dump("dump-migrates", "partitions on the move", () => "none"),
        Dump("dump-rw", "single-record commands in progress", () => "none: commands end within their loop's turn"),
        Dump("dump-skew", "differences between the nodes' clocks", () => "no other node, no skew"),
        Dump("dump-wb-summary", "how full the blocks of the log are: namespace=", BlockSummary),
    ];

    private void ListIndexes(in InfoRequest request, InfoText reply)
    {
        if (request.Namespace is { } name && sources.Namespaces.Find(name) is null)
        {
            reply.Error(ResultCode.Namespace, "unknown namespace");
        }
    }

    private static void NoIndex(in InfoRequest request, InfoText reply) => reply.Error(ResultCode.IndexNotFound, "no index");

    private string BlockSummary() => string.Join(", ", sources.Namespaces.All.Select(records =>
        $"{records.Name}: {records.Log.BlockCount} blocks, {records.Log.FreeBlocks} free, {records.Log.DefragQueue} below defrag-lwm-pct"));

    private static InfoCommand Empty(string name, string help) => new(name, help, InfoPermission.None, (in _, reply) => { });

    private static InfoCommand Refused(string name, string help, InfoPermission permission, string why) =>
        new(name, help, permission, (in _, reply) => reply.Error(ResultCode.UnsupportedFeature, why));

    private static InfoCommand Dump(string name, string help, Func<string> text) =>
        new(name, help, InfoPermission.SysAdmin, (in _, reply) => reply.Append(text()));
}

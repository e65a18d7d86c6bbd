using Aerie.Foundation;

namespace Aerie.Server.Info;

/// Which partitions are whose. A node alone is master of all of them and keeps one copy.
internal sealed class PartitionCommands(InfoSources sources)
{
    private const string Columns =
        "namespace:partition:state:n_replicas:replica:n_dupl:working_master:emigrates:lead_emigrates:immigrates:records:tombstones:"
        + "regime:version:final_version:evade:auto_revived:quiesced";

    /// A partition that is complete and in sync, in a family of its own.
    private const string Version = "1-00000000-00";

    private static readonly string OwnsAll = Convert.ToBase64String(Enumerable.Repeat((byte)0xFF, Digest.PartitionCount / 8).ToArray());

    public IEnumerable<InfoCommand> All =>
    [
        Fixed("partition-generation", "changes when partitions move", "1"),
        Fixed("rebalance-generation", "changes when the cluster forms anew", "1"),
        new("partitions", "how many partitions there are", InfoPermission.None, (in _, reply) => reply.Append(Digest.PartitionCount)),
        new("replicas", "owned partitions, one bitmap per copy", InfoPermission.None, (in _, reply) => Bitmaps(reply, "0,1,")),
        new("replicas-all", "owned partitions, as older clients ask", InfoPermission.None, (in _, reply) => Bitmaps(reply, "1,")),
        new("replicas-master", "partitions owned as master, as older clients ask", InfoPermission.None,
            (in _, reply) => Bitmaps(reply, "")),
        new("rack-ids", "the rack of this node in each namespace", InfoPermission.None, RackIds),
        new("racks", "the nodes of each rack: [namespace=]", InfoPermission.None, Racks),
        new("partition-info", "every partition of every namespace", InfoPermission.None, PartitionInfo),
    ];

    private void Bitmaps(InfoText reply, string before)
    {
        var separator = "";
        foreach (var records in sources.Namespaces.All)
        {
            reply.Append(separator).Append(records.Name).Append(":").Append(before).Append(OwnsAll);
            separator = ";";
        }
    }

    private void RackIds(in InfoRequest request, InfoText reply) =>
        reply.Append(string.Join(';', sources.Namespaces.All.Select(records => $"{records.Name}:{records.Options.RackId}")));

    private void Racks(in InfoRequest request, InfoText reply)
    {
        var wanted = request.Namespace;
        if (wanted is not null && sources.Namespaces.Find(wanted) is null)
        {
            reply.Error(ResultCode.Parameter, "unknown namespace");
            return;
        }

        reply.Append(string.Join(';', sources.Namespaces.All.Where(records => wanted is null || records.Name == wanted)
            .Select(records => $"ns={records.Name}:rack_{records.Options.RackId}={sources.Identity.NodeId}")));
    }

    private void PartitionInfo(in InfoRequest request, InfoText reply)
    {
        reply.Append(Columns);
        foreach (var records in sources.Namespaces.All)
        {
            for (var partition = 0; partition < Digest.PartitionCount; partition++)
            {
                reply.Append(";").Append(records.Name).Append(":").Append(partition).Append(":S:1:0:0:").Append(sources.Identity.NodeId)
                    .Append(":0:0:0:").Append(records.Index.Count(partition)).Append(":0:0:").Append(Version).Append(":").Append(Version)
                    .Append(":0:0:0");
            }
        }
    }

    private static InfoCommand Fixed(string name, string help, string answer) =>
        new(name, help, InfoPermission.None, (in _, reply) => reply.Append(answer));
}

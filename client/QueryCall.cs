using System.Text;
using Aerie.Client.Cluster;
using Aerie.Client.Wire;
using Aerie.DataModel;
using Aerie.Foundation;
using Aerie.Protocol;

namespace Aerie.Client;

/// Runs a primary-index query node after node. A partition counts as done when its node's stream ended well and nothing
/// about the partition was complained of; all others are asked for again, behind the last digest that arrived.
internal static class QueryCall
{
    public static void Execute(
        NodeCluster cluster,
        QueryPolicy policy,
        Statement statement,
        QueryProgress progress,
        Func<FoundRecord, bool> found,
        MessageWriter writer)
    {
        var deadline = new Deadline(policy);
        var left = policy.MaxRecords > 0 ? policy.MaxRecords : long.MaxValue;
        for (var attempt = 0; ; attempt++)
        {
            AerieException? failure = null;
            foreach (var (node, partitions) in ByNode(cluster, statement, progress, attempt))
            {
                var stream = new NodeQuery(policy, statement, progress, partitions, left, found);
                try
                {
                    stream.Run(node, writer, deadline);
                }
                catch (AerieException cause) when (cause.Kind != FailureKind.Malformed)
                {
                    failure = cause;
                }

                left -= stream.Records;
                if (stream.IsStopped || left <= 0)
                {
                    return;
                }

                failure ??= stream.Unavailable;
            }

            if (failure is null)
            {
                return;
            }

            if (attempt >= policy.MaxRetries || deadline.IsOver || failure.Kind == FailureKind.Server && !IsPassing(failure.Code))
            {
                throw failure;
            }
        }
    }

    private static bool IsPassing(ResultCode code) => code is ResultCode.Unavailable or ResultCode.Timeout;

    private static Dictionary<ClusterNode, List<int>> ByNode(NodeCluster cluster, Statement statement, QueryProgress progress, int attempt)
    {
        var byNode = new Dictionary<ClusterNode, List<int>>();
        for (var partition = progress.First; partition < progress.First + progress.Count; partition++)
        {
            if (progress.IsPartitionDone(partition))
            {
                continue;
            }

            var node = cluster.Holder(statement.Namespace, partition, attempt);
            if (!byNode.TryGetValue(node, out var partitions))
            {
                byNode.Add(node, partitions = []);
            }

            partitions.Add(partition);
        }

        return byNode;
    }
}

/// The stream of one node: one request, records until the last message.
internal sealed class NodeQuery(
    QueryPolicy policy, Statement statement, QueryProgress progress, List<int> partitions, long recordsMax, Func<FoundRecord, bool> found)
{
    private readonly HashSet<int> _unavailable = [];

    public long Records { get; private set; }

    /// The caller wants no more.
    public bool IsStopped { get; private set; }

    public AerieException? Unavailable { get; private set; }

    public void Run(ClusterNode node, MessageWriter writer, in Deadline deadline)
    {
        Requests.Query(writer, policy, Request());
        var connection = node.Rent();
        try
        {
            connection.Send(writer.Written, policy.SocketTimeout);
            while (!Read(connection.Receive(ProtoType.Message, deadline)))
            {
                if (IsStopped)
                {
                    return; // the stream goes on without us: the connection is closed below
                }
            }

            node.Return(connection);
            connection = null;
            CloseBooks();
        }
        finally
        {
            if (connection is not null)
            {
                node.Discard(connection);
            }
        }
    }

    private QueryRequest Request()
    {
        var whole = new List<int>();
        var resume = new List<Digest>();
        foreach (var partition in partitions)
        {
            if (progress.LastSeen(partition) is { } digest)
            {
                resume.Add(digest);
            }
            else
            {
                whole.Add(partition);
            }
        }

        var id = BitConverter.ToUInt64(Guid.NewGuid().ToByteArray());
        return new QueryRequest(statement, whole, resume, recordsMax == long.MaxValue ? 0 : recordsMax, id);
    }

    /// True when this group held the last message.
    private bool Read(ReadOnlySpan<byte> body)
    {
        var reader = new ReplyReader(body);
        while (!reader.AtEnd && !IsStopped)
        {
            var header = reader.Header();
            if (header.IsLast)
            {
                return header.Result is ResultCode.Ok or ResultCode.NotFound ? true : throw new AerieException(header.Result);
            }

            if (header.IsPartitionDone)
            {
                ReadPartitionDone(header);
                reader.SkipFields(header.Fields);
                continue;
            }

            if (header.Result != ResultCode.Ok)
            {
                throw new AerieException(header.Result);
            }

            var key = ReadKey(ref reader, header.Fields);
            var record = reader.Record(header);
            if (!progress.Covers(key.Partition))
            {
                throw new AerieException(FailureKind.Malformed, $"a query answer of partition {key.Partition}, which was not asked for");
            }

            progress.Seen(key.Digest);
            Records++;
            IsStopped = !found(new FoundRecord(key, record));
        }

        return false;
    }

    private void ReadPartitionDone(in ReplyHeader header)
    {
        if (header.Result != ResultCode.Ok)
        {
            _unavailable.Add((int)header.Generation);
            Unavailable = new AerieException(header.Result, $"partition {header.Generation}: the node answered {header.Result}");
        }
    }

    private Key ReadKey(ref ReplyReader reader, int fields)
    {
        var set = statement.Set;
        var userKey = Value.Null;
        Digest? digest = null;
        for (var i = 0; i < fields; i++)
        {
            var data = reader.Field(out var type);
            switch (type)
            {
                case FieldId.Digest when data.Length == Digest.Length:
                    digest = new Digest(data);
                    break;
                case FieldId.Set when statement.Set.Length == 0:
                    set = Encoding.UTF8.GetString(data);
                    break;
                case FieldId.Key when data.Length > 0:
                    userKey = Value.Parse((ParticleType)data[0], data[1..]);
                    break;
            }
        }

        return digest is { } known
            ? new Key(statement.Namespace, set, known, userKey)
            : throw new AerieException(FailureKind.Malformed, "a query answer without a digest");
    }

    /// A stream that ended because it reached the asked number says nothing about what is left in its partitions.
    private void CloseBooks()
    {
        if (Records >= recordsMax)
        {
            return;
        }

        foreach (var partition in partitions)
        {
            if (!_unavailable.Contains(partition))
            {
                progress.Done(partition);
            }
        }
    }
}

using Aerie.Client.Cluster;
using Aerie.Client.Wire;
using Aerie.Foundation;
using Aerie.Protocol;

namespace Aerie.Client;

/// One batch: entries by node, one message each, answers in any order. Reads without an answer are tried again on the next
/// replica; a batch with writes is not, since they may have been applied.
internal static class BatchCall
{
    public static void Execute(NodeCluster cluster, BatchPolicy policy, IReadOnlyList<BatchEntry> entries, MessageWriter writer)
    {
        var deadline = new Deadline(policy);
        var attempts = entries.Any(entry => entry.HasWrite) ? 1 : policy.MaxRetries + 1;
        foreach (var entry in entries)
        {
            entry.Answered = false;
            entry.Result = ResultCode.Unknown;
            entry.Record = null;
        }

        for (var attempt = 0; ; attempt++)
        {
            var failure = Attempt(cluster, policy, entries, writer, deadline, attempt);
            if (failure is null)
            {
                return;
            }

            if (attempt + 1 >= attempts || deadline.IsOver)
            {
                failure.InDoubt = entries.Any(entry => entry is { HasWrite: true, Answered: false });
                throw failure;
            }
        }
    }

    private static AerieException? Attempt(
        NodeCluster cluster, BatchPolicy policy, IReadOnlyList<BatchEntry> entries, MessageWriter writer, in Deadline deadline, int attempt)
    {
        var byNode = new Dictionary<ClusterNode, List<int>>();
        for (var place = 0; place < entries.Count; place++)
        {
            var entry = entries[place];
            if (!entry.Answered)
            {
                var node = cluster.Holder(entry.Key.Namespace, entry.Key.Partition, entry.HasWrite ? 0 : attempt);
                if (!byNode.TryGetValue(node, out var places))
                {
                    byNode.Add(node, places = []);
                }

                places.Add(place);
            }
        }

        AerieException? failure = null;
        foreach (var (node, places) in byNode)
        {
            Requests.Batch(writer, policy, entries, System.Runtime.InteropServices.CollectionsMarshal.AsSpan(places));
            try
            {
                Exchange(node, entries, writer, deadline);
            }
            catch (AerieException cause)
            {
                failure = cause;
            }
        }

        return failure;
    }

    private static void Exchange(ClusterNode node, IReadOnlyList<BatchEntry> entries, MessageWriter writer, in Deadline deadline)
    {
        var connection = node.Rent();
        try
        {
            connection.Send(writer.Written, TimeSpan.FromMilliseconds(deadline.Patience()));
            ResultCode? end;
            do
            {
                end = ReadGroup(connection.Receive(ProtoType.Message, deadline), entries);
            }
            while (end is null);

            node.Return(connection);
            connection = null;
            if (end != ResultCode.Ok)
            {
                throw new AerieException(end.Value);
            }
        }
        finally
        {
            if (connection is not null)
            {
                node.Discard(connection);
            }
        }
    }

    /// The result of the whole batch when this group of answers was the last.
    private static ResultCode? ReadGroup(ReadOnlySpan<byte> body, IReadOnlyList<BatchEntry> entries)
    {
        var reader = new ReplyReader(body);
        while (!reader.AtEnd)
        {
            var header = reader.Header();
            reader.SkipFields(header.Fields);
            if (header.IsLast)
            {
                return header.Result;
            }

            if ((uint)header.Slot >= (uint)entries.Count)
            {
                throw new AerieException(FailureKind.Malformed, $"a batch answer for key {header.Slot} of {entries.Count}");
            }

            var entry = entries[header.Slot];
            var record = reader.Record(header);
            entry.Result = header.Result;
            entry.Record = header.Result == ResultCode.Ok ? record : null;
            entry.Answered = true;
        }

        return null;
    }
}

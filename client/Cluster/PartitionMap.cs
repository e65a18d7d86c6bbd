using System.Collections.Frozen;
using Aerie.Foundation;

namespace Aerie.Client.Cluster;

/// Which node holds which partition, per namespace and replica. Immutable: tending replaces the whole.
internal sealed class PartitionMap
{
    public static readonly PartitionMap Empty = new(FrozenDictionary<string, ClusterNode?[][]>.Empty);

    private const int BitmapLength = Digest.PartitionCount / 8;

    private readonly FrozenDictionary<string, ClusterNode?[][]> _replicas;

    private PartitionMap(FrozenDictionary<string, ClusterNode?[][]> replicas) => _replicas = replicas;

    /// The holder to ask in this attempt: the master first, then the other replicas in turn.
    public ClusterNode? Holder(string @namespace, int partition, int attempt)
    {
        if (!_replicas.TryGetValue(@namespace, out var replicas))
        {
            return null;
        }

        for (var i = 0; i < replicas.Length; i++)
        {
            if (replicas[(attempt + i) % replicas.Length][partition] is { } node)
            {
                return node;
            }
        }

        return null;
    }

    public bool Knows(string @namespace) => _replicas.ContainsKey(@namespace);

    /// Joins what every node said in answer to `replicas`: `ns:regime,count,bitmap,bitmap;ns2:…`, bitmaps of one bit per
    /// partition, first partition in the highest bit.
    public static PartitionMap From(IEnumerable<(ClusterNode Node, string Replicas)> answers)
    {
        var namespaces = new Dictionary<string, ClusterNode?[][]>(StringComparer.Ordinal);
        foreach (var (node, answer) in answers)
        {
            foreach (var part in answer.Split(';', StringSplitOptions.RemoveEmptyEntries))
            {
                Add(namespaces, node, part);
            }
        }

        return new PartitionMap(namespaces.ToFrozenDictionary(StringComparer.Ordinal));
    }

    private static void Add(Dictionary<string, ClusterNode?[][]> namespaces, ClusterNode node, string part)
    {
        var colon = part.IndexOf(':');
        var items = part[(colon + 1)..].Split(',');
        if (colon <= 0 || items.Length < 2 || !int.TryParse(items[1], out var count) || count != items.Length - 2)
        {
            var shown = part[..Math.Min(part.Length, 60)];
            throw new AerieException(FailureKind.Malformed, $"{node.Address} describes its partitions as \"{shown}\"");
        }

        var name = part[..colon];
        var replicas = namespaces.GetValueOrDefault(name, []);
        for (var i = replicas.Length; i < count; i++)
        {
            replicas = [.. replicas, new ClusterNode?[Digest.PartitionCount]];
        }

        namespaces[name] = replicas;
        Span<byte> bitmap = stackalloc byte[BitmapLength];
        for (var replica = 0; replica < count; replica++)
        {
            if (!Convert.TryFromBase64String(items[replica + 2], bitmap, out var length) || length != BitmapLength)
            {
                throw new AerieException(FailureKind.Malformed, $"{node.Address} sent a partition bitmap of the wrong length");
            }

            Take(replicas[replica], bitmap, node);
        }
    }

    private static void Take(ClusterNode?[] holders, ReadOnlySpan<byte> bitmap, ClusterNode node)
    {
        for (var partition = 0; partition < holders.Length; partition++)
        {
            if ((bitmap[partition >> 3] & (0x80 >> (partition & 7))) != 0)
            {
                holders[partition] = node;
            }
        }
    }
}

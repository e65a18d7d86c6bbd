using Aerie.Foundation;
using Aerie.Index;
using Xunit;

namespace Aerie.Node.Tests.Index;

/// An index beside a sorted map that cannot be wrong. The generation of each entry is the map's value.
internal sealed class IndexModel(PrimaryIndex index)
{
    private readonly List<Digest> _live = [];

    public SortedDictionary<Digest, ushort> Expected { get; } = [];

    public void Insert(Digest digest, ushort generation)
    {
        using var partition = index.Enter(digest.Partition);
        Assert.Equal(Expected.ContainsKey(digest), index.TryFind(digest, out var handle));
        if (handle.IsNone)
        {
            Assert.True(index.TryInsert(digest, out handle));
            _live.Add(digest);
        }

        index[handle].Generation = generation;
        Expected[digest] = generation;
    }

    public void RemoveAny(Random random)
    {
        var at = random.Next(_live.Count);
        var digest = _live[at];
        _live[at] = _live[^1];
        _live.RemoveAt(_live.Count - 1);
        using var partition = index.Enter(digest.Partition);
        Assert.True(index.TryFind(digest, out var handle));
        index.Remove(digest, handle);
        Assert.False(index.TryFind(digest, out _));
        Expected.Remove(digest);
    }

    public Digest Any(Random random) => _live[random.Next(_live.Count)];

    public void Verify()
    {
        foreach (var (digest, generation) in Expected)
        {
            using var partition = index.Enter(digest.Partition);
            Assert.True(index.TryFind(digest, out var handle), $"{digest} is missing");
            Assert.Equal(generation, index[handle].Generation);
            Assert.Equal(digest, index[handle].Digest(digest.Partition));
        }

        foreach (var group in Expected.Keys.GroupBy(digest => digest.Partition))
        {
            Assert.Equal(group.Count(), index.Count(group.Key));
            Assert.Equal(group, Walk(index, group.Key, default));
        }
    }

    public static List<Digest> Walk(PrimaryIndex index, int partition, IndexCursor cursor)
    {
        var handles = new EntryHandle[PrimaryIndex.LeafCapacity];
        var seen = new List<Digest>();
        while (true)
        {
            using var entered = index.Enter(partition);
            var count = index.NextLeaf(partition, ref cursor, handles);
            if (count == 0)
            {
                return seen;
            }

            foreach (var handle in handles.AsSpan(0, count))
            {
                seen.Add(index[handle].Digest(partition));
            }
        }
    }
}

using Aerie.Foundation;
using Aerie.Index;
using Aerie.Memory;
using Xunit;

namespace Aerie.Node.Tests.Index;

public sealed class IndexMemoryTests
{
    [Fact]
    public void Growing_and_emptying_ten_times_takes_no_more_memory()
    {
        using var index = new PrimaryIndex(new PrimaryIndexOptions());
        var first = 0L;
        for (var round = 0; round < 10; round++)
        {
            var digests = RandomDigests(round, 200_000);
            InsertAll(index, digests);
            first = round == 0 ? index.UsedBytes : first;
            Assert.InRange(index.UsedBytes, first, first + (first / 10));
            Assert.InRange(index.LiveBytes, 40 * digests.Length, 50 * digests.Length);
            Array.Reverse(digests, 0, digests.Length / 2);
            RemoveAll(index, digests);
            Assert.Equal(Digest.PartitionCount * 64, index.LiveBytes);
        }
    }

    [Fact]
    public void Replacing_records_over_and_over_takes_no_more_memory()
    {
        using var index = new PrimaryIndex(new PrimaryIndexOptions());
        var digests = RandomDigests(77, 200_000);
        InsertAll(index, digests);
        var first = index.UsedBytes;
        for (var round = 0; round < 10; round++)
        {
            var piece = digests.AsSpan(round * 20_000, 20_000);
            RemoveAll(index, piece);
            RandomDigests(100 + round, 20_000).CopyTo(piece);
            InsertAll(index, piece);
        }

        Assert.InRange(index.UsedBytes, first, first + (first / 10));
    }

    [Fact]
    public void An_exhausted_budget_refuses_inserts_and_breaks_nothing()
    {
        using var index = new PrimaryIndex(new PrimaryIndexOptions { MemoryBudget = 12 * NativeRegion.HugePage });
        var random = new Random(5);
        var digests = new List<Digest>();
        var refused = 0;
        while (refused < 1000)
        {
            var digest = refused % 2 == 0 ? Digests.Random(random) : Digests.AlikeUpTo(17, random, 3);
            using var partition = index.Enter(digest.Partition);
            if (index.TryFind(digest, out _))
            {
                continue;
            }

            if (index.TryInsert(digest, out var handle))
            {
                digests.Add(digest);
            }
            else
            {
                Assert.True(handle.IsNone);
                Assert.False(index.TryFind(digest, out _));
                refused++;
            }
        }

        Assert.InRange(index.UsedBytes, 1, 12 * NativeRegion.HugePage);
        Assert.Equal(digests.Count, Enumerable.Range(0, Digest.PartitionCount).Sum(index.Count));
        foreach (var group in digests.GroupBy(digest => digest.Partition))
        {
            Assert.Equal(group.Order(), IndexModel.Walk(index, group.Key, default));
        }

        RemoveAll(index, digests.ToArray());
        Assert.Equal(Digest.PartitionCount * 64, index.LiveBytes);
        InsertAll(index, RandomDigests(8, 1000));
    }

    [Fact]
    public void Nothing_is_allocated_on_the_managed_heap()
    {
        using var index = new PrimaryIndex(new PrimaryIndexOptions());
        var digests = RandomDigests(3, 50_000);
        InsertAll(index, digests);
        IterateAll(index); // the platform makes its sorter once
        RemoveAll(index, digests);

        var before = GC.GetAllocatedBytesForCurrentThread();
        InsertAll(index, digests);
        IterateAll(index);
        RemoveAll(index, digests);

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    private static void IterateAll(PrimaryIndex index)
    {
        Span<EntryHandle> handles = stackalloc EntryHandle[PrimaryIndex.LeafCapacity];
        for (var partition = 0; partition < Digest.PartitionCount; partition++)
        {
            using var entered = index.Enter(partition);
            IndexCursor cursor = default;
            while (index.NextLeaf(partition, ref cursor, handles) > 0)
            {
            }
        }
    }

    private static Digest[] RandomDigests(int seed, int count)
    {
        var random = new Random(seed);
        return Enumerable.Range(0, count).Select(_ => Digests.Random(random)).ToArray();
    }

    private static void InsertAll(PrimaryIndex index, ReadOnlySpan<Digest> digests)
    {
        foreach (ref readonly var digest in digests)
        {
            using var partition = index.Enter(digest.Partition);
            Invariant.Holds(index.TryInsert(digest, out _));
        }
    }

    private static void RemoveAll(PrimaryIndex index, ReadOnlySpan<Digest> digests)
    {
        foreach (ref readonly var digest in digests)
        {
            using var partition = index.Enter(digest.Partition);
            Invariant.Holds(index.TryFind(digest, out var handle));
            index.Remove(digest, handle);
        }
    }
}

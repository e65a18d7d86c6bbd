using Aerie.Foundation;
using Aerie.Index;
using Xunit;

namespace Aerie.Node.Tests.Index;

public sealed class IndexLoadTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(49)]
    [InlineData(50)]
    [InlineData(3000)]
    public void Rows_loaded_at_once_are_what_was_inserted_one_by_one(int count)
    {
        using var inserted = new PrimaryIndex(new PrimaryIndexOptions());
        using var loaded = new PrimaryIndex(new PrimaryIndexOptions());
        var digests = Digests(count, seed: 7);
        var rows = Insert(inserted, digests);
        using (loaded.Enter(5))
        {
            Assert.True(loaded.TryLoad(5, rows));
        }

        Assert.Equal(count, loaded.Count(5));
        Assert.Equal(Rows(inserted), Rows(loaded));
        Assert.True(loaded.LiveBytes <= inserted.LiveBytes, $"{loaded.LiveBytes} bytes, {inserted.LiveBytes} when inserted");
        AssertExpires(loaded, rows.Length);
    }

    [Fact]
    public void What_was_loaded_takes_inserts_and_removals_as_ever()
    {
        using var index = new PrimaryIndex(new PrimaryIndexOptions());
        var digests = Digests(2000, seed: 8);
        using (var other = new PrimaryIndex(new PrimaryIndexOptions()))
        {
            var rows = Insert(other, digests[..1000]);
            using var gate = index.Enter(5);
            Assert.True(index.TryLoad(5, rows));
        }

        using (index.Enter(5))
        {
            foreach (var digest in digests[1000..])
            {
                Assert.True(index.TryInsert(digest, out _));
            }

            foreach (var digest in digests)
            {
                Assert.True(index.TryFind(digest, out var handle));
                index.Remove(digest, handle);
            }
        }

        Assert.Equal(0, index.Count(5));
    }

    private static RecordEntry[] Insert(PrimaryIndex index, Digest[] digests)
    {
        using (index.Enter(5))
        {
            for (var i = 0; i < digests.Length; i++)
            {
                Assert.True(index.TryInsert(digests[i], out var handle));
                index[handle].Assign(new RecordEntry { Generation = (ushort)(i + 1), Place = (ulong)i + 1, VoidTime = (uint)i + 100 });
                index.NoteVoidTime(digests[i], (uint)i + 100);
            }
        }

        return Rows(index);
    }

    private static RecordEntry[] Rows(PrimaryIndex index)
    {
        var all = new List<RecordEntry>();
        var some = new RecordEntry[PrimaryIndex.LeafCapacity];
        var cursor = default(IndexCursor);
        using var gate = index.Enter(5);
        while (index.NextRows(5, ref cursor, some) is > 0 and var count)
        {
            all.AddRange(some[..count]);
        }

        return [.. all];
    }

    private static void AssertExpires(PrimaryIndex index, int count)
    {
        var handles = new EntryHandle[PrimaryIndex.LeafCapacity];
        var cursor = default(IndexCursor);
        var expired = 0;
        using var gate = index.Enter(5);
        while (!cursor.IsAtEnd)
        {
            expired += index.NextExpired(5, ref cursor, uint.MaxValue, handles);
        }

        Assert.Equal(count, expired);
    }

    // Some of one prefix, which make the tree deep.
    private static Digest[] Digests(int count, int seed)
    {
        var random = new Random(seed);
        var digests = new Digest[count];
        var bytes = new byte[Digest.Length];
        for (var i = 0; i < count; i++)
        {
            random.NextBytes(bytes);
            (bytes[0], bytes[1]) = (5, (byte)(random.Next(16) << 4));
            if (i % 10 == 0)
            {
                bytes.AsSpan(2, 12).Fill(0x77);
            }

            digests[i] = new Digest(bytes);
        }

        return digests;
    }
}

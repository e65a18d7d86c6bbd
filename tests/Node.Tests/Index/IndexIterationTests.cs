using Aerie.Foundation;
using Aerie.Index;
using Xunit;

namespace Aerie.Node.Tests.Index;

public sealed class IndexIterationTests : IDisposable
{
    private const int Partition = 1234;

    private readonly PrimaryIndex _index = new(new PrimaryIndexOptions());
    private readonly EntryHandle[] _handles = new EntryHandle[PrimaryIndex.LeafCapacity];

    public void Dispose() => _index.Dispose();

    [Theory, InlineData(1), InlineData(2), InlineData(3), InlineData(4)]
    public void What_exists_throughout_is_seen_once_and_in_order_whatever_else_happens(int seed)
    {
        var random = new Random(seed);
        var lasting = new HashSet<Digest>();
        var passing = new IndexModel(_index);
        for (var i = 0; i < 2000; i++)
        {
            var digest = Next(random);
            if (lasting.Add(digest))
            {
                Insert(digest);
            }
        }

        var seen = new List<Digest>();
        IndexCursor cursor = default;
        while (Step(ref cursor, seen))
        {
            for (var i = 0; i < 200; i++)
            {
                if (random.Next(2) == 0 && passing.Expected.Count > 0)
                {
                    passing.RemoveAny(random);
                }
                else if (Next(random) is var digest && !lasting.Contains(digest))
                {
                    passing.Insert(digest, 1);
                }
            }
        }

        Assert.Equal(seen.Order(), seen);
        Assert.Equal(lasting.Order(), seen.Where(lasting.Contains));
        Assert.Equal(seen.Count, seen.Distinct().Count());

        Digest Next(Random source) => seed % 2 == 0 ? Digests.Random(source, Partition) : Digests.AlikeUpTo(9, source, Partition);
    }

    [Theory, InlineData(2), InlineData(9), InlineData(17)]
    public void It_resumes_right_behind_any_digest(int firstByte)
    {
        var random = new Random(firstByte);
        var model = new IndexModel(_index);
        for (var i = 0; i < 1500; i++)
        {
            model.Insert(Digests.AlikeUpTo(firstByte, random, Partition), 1);
        }

        for (var i = 0; i < 60; i++)
        {
            var after = i % 2 == 0 ? model.Any(random) : Digests.AlikeUpTo(firstByte, random, Partition);
            var expected = model.Expected.Keys.Where(digest => digest > after);

            Assert.Equal(expected, IndexModel.Walk(_index, Partition, _index.CursorAfter(after)));
        }
    }

    [Fact]
    public void Nothing_follows_the_greatest_digest()
    {
        var greatest = new byte[Digest.Length];
        greatest.AsSpan().Fill(0xFF);
        var digest = new Digest(greatest);
        Insert(digest);

        Assert.Equal([digest], IndexModel.Walk(_index, digest.Partition, default));
        Assert.Empty(IndexModel.Walk(_index, digest.Partition, _index.CursorAfter(digest)));
    }

    [Fact]
    public void The_sweep_finds_exactly_what_expired()
    {
        var random = new Random(9);
        var expected = new SortedSet<Digest>();
        for (var i = 0; i < 5000; i++)
        {
            var digest = Digests.Random(random, Partition);
            var voidTime = random.Next(4) == 0 ? (uint)random.Next(1, 2000) : 0;
            Expire(digest, voidTime);
            if (voidTime is > 0 and <= 1000)
            {
                expected.Add(digest);
            }

            if (i % 50 == 0)
            {
                RemoveOne(expected);
            }
        }

        Assert.Equal(expected, Sweep(now: 1000, remove: true).Order());
        Assert.Empty(Sweep(now: 1000, remove: true));
    }

    [Fact]
    public void A_void_time_that_comes_closer_is_noticed()
    {
        var digest = Digests.Random(new Random(1), Partition);
        Expire(digest, 500);
        Assert.Empty(Sweep(now: 499, remove: false));
        using (_index.Enter(Partition))
        {
            Assert.True(_index.TryFind(digest, out var handle));
            _index[handle].VoidTime = 100;
            _index.NoteVoidTime(digest, 100);
        }

        Assert.Equal([digest], Sweep(now: 100, remove: false));
    }

    [Fact]
    public void One_call_of_the_sweep_looks_at_a_bounded_piece()
    {
        var random = new Random(2);
        for (var i = 0; i < 10_000; i++)
        {
            Expire(Digests.Random(random, Partition), 0);
        }

        IndexCursor cursor = default;
        using var entered = _index.Enter(Partition);
        Assert.Equal(0, _index.NextExpired(Partition, ref cursor, uint.MaxValue, _handles));
        Assert.False(cursor.IsAtEnd);
    }

    private List<Digest> Sweep(uint now, bool remove)
    {
        var found = new List<Digest>();
        IndexCursor cursor = default;
        while (!cursor.IsAtEnd)
        {
            using var entered = _index.Enter(Partition);
            var count = _index.NextExpired(Partition, ref cursor, now, _handles);
            foreach (var handle in _handles.AsSpan(0, count))
            {
                var digest = _index[handle].Digest(Partition);
                found.Add(digest);
                if (remove)
                {
                    _index.Remove(digest, handle);
                }
            }
        }

        return found;
    }

    private void RemoveOne(SortedSet<Digest> digests)
    {
        if (digests.Count == 0)
        {
            return;
        }

        var digest = digests.Min;
        digests.Remove(digest);
        using var entered = _index.Enter(Partition);
        Assert.True(_index.TryFind(digest, out var handle));
        _index.Remove(digest, handle);
    }

    private bool Step(ref IndexCursor cursor, List<Digest> seen)
    {
        using var entered = _index.Enter(Partition);
        var count = _index.NextLeaf(Partition, ref cursor, _handles);
        foreach (var handle in _handles.AsSpan(0, count))
        {
            seen.Add(_index[handle].Digest(Partition));
        }

        return count > 0;
    }

    private void Insert(Digest digest) => Expire(digest, 0);

    private void Expire(Digest digest, uint voidTime)
    {
        using var entered = _index.Enter(digest.Partition);
        Assert.True(_index.TryInsert(digest, out var handle));
        _index[handle].VoidTime = voidTime;
        _index.NoteVoidTime(digest, voidTime);
    }
}

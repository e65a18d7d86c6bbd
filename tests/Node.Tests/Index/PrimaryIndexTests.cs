using Aerie.Foundation;
using Aerie.Index;
using Xunit;

namespace Aerie.Node.Tests.Index;

public sealed class PrimaryIndexTests : IDisposable
{
    private readonly PrimaryIndex _index = new(new PrimaryIndexOptions());

    public void Dispose() => _index.Dispose();

    [Theory, InlineData(1), InlineData(2), InlineData(3)]
    public void It_agrees_with_a_sorted_map(int seed) =>
        Agrees(seed, random => Digests.Random(random, random.Next(3) * 2000));

    [Theory, InlineData(2), InlineData(4), InlineData(8), InlineData(9), InlineData(10), InlineData(12), InlineData(17), InlineData(18)]
    public void Digests_chosen_to_be_alike_are_kept_apart(int firstByte) =>
        Agrees(firstByte, random => Digests.AlikeUpTo(firstByte, random, random.Next(2) * 4095));

    [Theory, InlineData(0), InlineData(4095)]
    public void Neighbouring_prefixes_are_kept_apart(int partition) =>
        Agrees(7, random => Digests.WithPrefix(ulong.MaxValue - (ulong)random.Next(5000), partition));

    [Fact]
    public void Alike_digests_cost_a_bounded_multiple_of_memory()
    {
        var random = new Random(11);
        for (var i = 0; i < 20_000; i++)
        {
            Insert(Digests.AlikeUpTo(16, random, 9));
        }

        Assert.InRange(_index.LiveBytes / 20_000, 40, 80);
    }

    [Fact]
    public void A_new_entry_is_zero_but_for_its_digest()
    {
        var random = new Random(3);
        for (var i = 0; i < 1000; i++)
        {
            var digest = Digests.Random(random, 5);
            using var partition = _index.Enter(5);
            Assert.True(_index.TryInsert(digest, out var handle));
            Assert.Equal(0, _index[handle].Generation);
            Assert.Equal(0u, _index[handle].VoidTime);
            Assert.Equal(0u, _index[handle].Units);
            _index[handle].Generation = 7;
            _index[handle].VoidTime = 7;
            _index[handle].SetPlace(7, 7);
            _index.Remove(digest, handle);
        }
    }

    [Fact]
    public void Entries_do_not_move_while_others_come_and_go()
    {
        var random = new Random(4);
        var stays = Digests.Random(random, 8);
        var handle = Insert(stays);
        var model = new IndexModel(_index);
        for (var i = 0; i < 20_000; i++)
        {
            model.Insert(Digests.Random(random, 8), 1);
            if (i % 3 == 0)
            {
                model.RemoveAny(random);
            }
        }

        Assert.True(_index.TryFind(stays, out var found));
        Assert.Equal(handle, found);
    }

    [Fact]
    public void A_digest_cannot_be_inserted_twice()
    {
        var digest = Digests.Random(new Random(6), 8);
        Insert(digest);

        using var partition = _index.Enter(8);
        Assert.Throws<InvariantException>(() => _index.TryInsert(digest, out _));
    }

    [Fact]
    public void Changing_it_without_the_lock_is_a_bug() =>
        Assert.Throws<InvariantException>(() => _index.TryInsert(Digests.Random(new Random(6), 8), out _));

    private EntryHandle Insert(Digest digest)
    {
        using var partition = _index.Enter(digest.Partition);
        if (!_index.TryFind(digest, out var handle))
        {
            Assert.True(_index.TryInsert(digest, out handle));
        }

        return handle;
    }

    // Grows, churns, shrinks to nothing and grows again.
    private void Agrees(int seed, Func<Random, Digest> next)
    {
        var random = new Random(seed);
        var model = new IndexModel(_index);
        foreach (var (steps, insertOutOfTen) in new[] { (4000, 9), (3000, 5), (6000, 1), (3000, 8) })
        {
            for (var step = 0; step < steps; step++)
            {
                if (model.Expected.Count == 0 || random.Next(10) < insertOutOfTen)
                {
                    model.Insert(next(random), (ushort)random.Next());
                }
                else
                {
                    model.RemoveAny(random);
                }
            }

            model.Verify();
        }

        while (model.Expected.Count > 0)
        {
            model.RemoveAny(random);
        }

        Assert.Equal(Digest.PartitionCount * 64, _index.LiveBytes);
    }
}

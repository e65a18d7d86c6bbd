using Aerie.Foundation;
using Aerie.Index;
using Aerie.TestKit;
using Xunit;

namespace Aerie.Node.Tests.Index;

/// Four threads on few partitions: every lock and every pool stripe is contended.
public sealed class IndexThreadsTests : IDisposable
{
    private const int Threads = 4;
    private const int Rounds = 60_000;

    private readonly PrimaryIndex _index = new(new PrimaryIndexOptions());
    private long _generationsRemoved;

    public void Dispose() => _index.Dispose();

    [Fact]
    public void Threads_with_keys_of_their_own_do_not_disturb_each_other()
    {
        var kept = new Dictionary<Digest, ushort>[Threads];
        OnThreads.Run(Threads, thread =>
        {
            var random = new Random(thread);
            var own = kept[thread] = [];
            var order = new Queue<Digest>();
            for (ushort round = 1; round < Rounds; round++)
            {
                var digest = Digests.Random(random, random.Next(4) * 16);
                Insert(digest, round);
                own[digest] = round;
                order.Enqueue(digest);
                if (round % 4 == 0)
                {
                    var victim = order.Dequeue();
                    own.Remove(victim);
                    Remove(victim);
                }
            }
        });

        var all = kept.SelectMany(own => own).ToDictionary();
        foreach (var (digest, round) in all)
        {
            Assert.True(_index.TryFind(digest, out var handle));
            Assert.Equal(round, _index[handle].Generation);
        }

        VerifyPartitions(all.Keys);
    }

    [Fact]
    public void Threads_that_fight_for_the_same_keys_lose_no_change()
    {
        var keys = new Digest[2000];
        var random = new Random(42);
        for (var i = 0; i < keys.Length; i++)
        {
            keys[i] = i % 2 == 0 ? Digests.Random(random, 7) : Digests.AlikeUpTo(12, random, 4000);
        }

        var balance = new int[keys.Length];
        var increments = 0L;
        OnThreads.Run(Threads, thread => Interlocked.Add(ref increments, Fight(new Random(100 + thread), keys, balance)));

        var present = keys.Where((_, i) => balance[i] == 1).ToList();
        Assert.All(balance, value => Assert.InRange(value, 0, 1));
        VerifyPartitions(present);
        var removed = Volatile.Read(ref _generationsRemoved);
        Assert.Equal(increments, removed + present.Sum(GenerationOf));
    }

    private long Fight(Random random, Digest[] keys, int[] balance)
    {
        var increments = 0L;
        for (var round = 0; round < Rounds; round++)
        {
            var key = random.Next(keys.Length);
            LookAhead(keys[key]);
            using var partition = _index.Enter(keys[key].Partition);
            if (!_index.TryFind(keys[key], out var handle))
            {
                Assert.True(_index.TryInsert(keys[key], out handle));
                balance[key]++;
            }
            else if (random.Next(3) == 0)
            {
                Interlocked.Add(ref _generationsRemoved, _index[handle].Generation);
                _index.Remove(keys[key], handle);
                balance[key]--;
                continue;
            }

            _index[handle].Generation++;
            increments++;
        }

        return increments;
    }

    // Reads without the lock what the other threads change.
    private void LookAhead(Digest digest)
    {
        _index.Foresee(digest);
        var hint = _index.ForeseeRoot(digest);
        while (_index.ForeseeBranch(digest, ref hint))
        {
        }

        _index.ForeseeEntry(digest, hint);
        _index.GuessPlace(digest, hint);
    }

    private void Insert(Digest digest, ushort generation)
    {
        using var partition = _index.Enter(digest.Partition);
        Assert.True(_index.TryInsert(digest, out var handle));
        _index[handle].Generation = generation;
    }

    private void Remove(Digest digest)
    {
        using var partition = _index.Enter(digest.Partition);
        Assert.True(_index.TryFind(digest, out var handle));
        _index.Remove(digest, handle);
    }

    private int GenerationOf(Digest digest)
    {
        Assert.True(_index.TryFind(digest, out var handle));
        return _index[handle].Generation;
    }

    private void VerifyPartitions(IEnumerable<Digest> expected)
    {
        foreach (var group in expected.GroupBy(digest => digest.Partition))
        {
            Assert.Equal(group.Count(), _index.Count(group.Key));
            Assert.Equal(group.Order(), IndexModel.Walk(_index, group.Key, default));
        }
    }
}

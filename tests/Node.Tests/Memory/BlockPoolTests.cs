using Aerie.Foundation;
using Aerie.Memory;
using Xunit;

namespace Aerie.Node.Tests.Memory;

public sealed class BlockPoolTests
{
    private const int BlockSize = 64;

    [Fact]
    public void Lent_blocks_never_overlap_and_keep_their_contents()
    {
        using var pool = new BlockPool(BlockSize, 64 << 20, uint.MaxValue, new MemoryBudget(0));
        var random = new Random(1);
        var lent = new Dictionary<uint, byte>();
        var order = new Queue<uint>();
        for (var step = 0; step < 50_000; step++)
        {
            if (lent.Count == 0 || random.Next(100) < 55)
            {
                Assert.True(pool.TryTake(random.Next(), out var handle));
                var mark = (byte)random.Next();
                pool.Span(handle).Fill(mark);
                lent.Add(handle, mark);
                order.Enqueue(handle);
            }
            else
            {
                var handle = order.Dequeue();
                Assert.Equal(-1, pool.Span(handle).IndexOfAnyExcept(lent[handle]));
                pool.Return(random.Next(), handle);
                lent.Remove(handle);
            }
        }

        Assert.Equal(lent.Count, pool.Lent);
        Assert.All(lent, pair => Assert.Equal(-1, pool.Span(pair.Key).IndexOfAnyExcept(pair.Value)));
    }

    [Fact]
    public void Returned_blocks_are_lent_again_before_new_memory_is_touched()
    {
        var budget = new MemoryBudget(0);
        using var pool = new BlockPool(BlockSize, 256 << 20, uint.MaxValue, budget);
        var handles = new uint[200_000];
        var taken = 0L;
        for (var round = 0; round < 5; round++)
        {
            for (var i = 0; i < handles.Length; i++)
            {
                Assert.True(pool.TryTake(i, out handles[i]));
            }

            taken = round == 0 ? budget.Taken : taken;
            Assert.Equal(taken, budget.Taken);
            for (var i = 0; i < handles.Length; i++)
            {
                pool.Return(round, handles[i]); // to one stripe: the others must get at them
            }
        }
    }

    [Fact]
    public void The_budget_is_never_exceeded_and_all_of_it_can_be_used()
    {
        var budget = new MemoryBudget(2 * NativeRegion.HugePage);
        using var pool = new BlockPool(BlockSize, 256 << 20, uint.MaxValue, budget);
        var lent = 0;
        while (pool.TryTake(0, out _))
        {
            lent++;
        }

        Assert.Equal((2 * NativeRegion.HugePage / BlockSize) - 1, lent);
        Assert.Equal(budget.Limit, budget.Taken);
    }

    [Fact]
    public void The_address_space_is_a_limit_too()
    {
        using var pool = new BlockPool(BlockSize, 100 * BlockSize, uint.MaxValue, new MemoryBudget(0));
        var lent = 0;
        while (pool.TryTake(0, out _))
        {
            lent++;
        }

        Assert.Equal(99, lent);
    }

    [Fact]
    public void A_block_that_never_was_cannot_be_returned()
    {
        using var pool = new BlockPool(BlockSize, 1 << 20, uint.MaxValue, new MemoryBudget(0));
        Assert.Throws<InvariantException>(() => pool.Return(0, BlockPool.None));
        Assert.Throws<InvariantException>(() => pool.Return(0, 12345));
    }

    [Fact]
    public void Threads_never_share_a_block()
    {
        using var pool = new BlockPool(BlockSize, 64 << 20, uint.MaxValue, new MemoryBudget(0));
        var collisions = 0;
        var threads = Enumerable.Range(1, 4).Select(number => new Thread(() =>
        {
            var random = new Random(number);
            var own = new Queue<uint>();
            for (var step = 0; step < 100_000; step++)
            {
                if (own.Count < 50 + (step % 300) && pool.TryTake(random.Next(2), out var handle))
                {
                    pool.At<long>(handle) = number;
                    own.Enqueue(handle);
                }
                else
                {
                    var back = own.Dequeue();
                    Interlocked.Add(ref collisions, pool.At<long>(back) == number ? 0 : 1);
                    pool.Return(random.Next(2), back);
                }
            }

            while (own.TryDequeue(out var back))
            {
                pool.Return(0, back);
            }
        })).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());

        Assert.Equal(0, collisions);
        Assert.Equal(0, pool.Lent);
    }
}

using Aerie.Foundation;
using Aerie.Index;
using Aerie.Index.Holds;
using Xunit;

namespace Aerie.Node.Tests.Index;

public sealed class RecordHoldsTests
{
    private readonly RecordHolds _holds = new(waitersMax: 64, hashKey: 12345);
    private readonly Digest _digest = Digests.Random(new Random(1));
    private RecordEntry _entry;

    [Fact]
    public void A_record_has_one_holder()
    {
        Assert.True(RecordHolds.TryHold(ref _entry));
        Assert.False(RecordHolds.TryHold(ref _entry));
        Assert.False(_holds.Release(_digest, ref _entry, out _));
        Assert.True(RecordHolds.TryHold(ref _entry));
    }

    [Fact]
    public void The_hold_passes_on_in_the_order_of_arrival_and_nobody_overtakes()
    {
        RecordHolds.TryHold(ref _entry);
        for (var i = 0; i < 10; i++)
        {
            Assert.Equal(EnqueueResult.Queued, Wait(i));
        }

        for (var i = 0; i < 10; i++)
        {
            Assert.True(_holds.Release(_digest, ref _entry, out var next));
            Assert.Equal(new Waiter(i % 3, (ulong)i), next);
            Assert.False(RecordHolds.TryHold(ref _entry));
            Assert.Equal(9 - i > 0, _entry.IsAwaited);
        }

        Assert.False(_holds.Release(_digest, ref _entry, out _));
        Assert.False(_entry.IsHeld);
        Assert.Equal(0, _holds.Waiting);
    }

    [Fact]
    public void A_record_has_as_many_waiters_as_its_limit_allows()
    {
        RecordHolds.TryHold(ref _entry);

        Assert.Equal(EnqueueResult.Queued, Wait(1, limit: 2));
        Assert.Equal(EnqueueResult.Queued, Wait(2, limit: 2));
        Assert.Equal(EnqueueResult.Busy, Wait(3, limit: 2));
        _holds.Release(_digest, ref _entry, out _);
        Assert.Equal(EnqueueResult.Queued, Wait(4, limit: 2));
    }

    [Fact]
    public void The_node_has_a_limit_even_where_the_record_has_none()
    {
        RecordHolds.TryHold(ref _entry);
        for (var i = 0; i < 64; i++)
        {
            Assert.Equal(EnqueueResult.Queued, Wait(i));
        }

        Assert.Equal(EnqueueResult.Busy, Wait(64));
        var other = new RecordEntry();
        RecordHolds.TryHold(ref other);
        Assert.Equal(EnqueueResult.Busy, _holds.Enqueue(Digests.Random(new Random(2)), ref other, default, 0));
        Assert.False(other.IsAwaited);
    }

    [Fact]
    public void Who_waits_for_a_removed_record_is_sent_to_start_over()
    {
        RecordHolds.TryHold(ref _entry);
        Wait(1);
        Wait(2);

        Assert.True(_holds.TryAbandon(_digest, out var first));
        Assert.True(_holds.TryAbandon(_digest, out var second));
        Assert.False(_holds.TryAbandon(_digest, out _));
        Assert.Equal((1UL, 2UL), (first.Ticket, second.Ticket));
    }

    [Fact]
    public void Many_records_keep_their_queues_apart()
    {
        var random = new Random(3);
        var digests = Enumerable.Range(0, 16).Select(_ => Digests.Random(random)).ToArray();
        var entries = new RecordEntry[16];
        var queues = digests.Select(_ => new Queue<ulong>()).ToArray();
        for (var round = 0UL; round < 50_000; round++)
        {
            var i = random.Next(16);
            if (RecordHolds.TryHold(ref entries[i]))
            {
                Assert.Empty(queues[i]);
            }
            else if (random.Next(2) == 0)
            {
                var full = queues.Sum(queue => queue.Count) == 64;
                var result = _holds.Enqueue(digests[i], ref entries[i], new Waiter(0, round), 0);
                Assert.Equal(full ? EnqueueResult.Busy : EnqueueResult.Queued, result);
                if (!full)
                {
                    queues[i].Enqueue(round);
                }
            }
            else if (_holds.Release(digests[i], ref entries[i], out var next))
            {
                Assert.Equal(queues[i].Dequeue(), next.Ticket);
            }
            else
            {
                Assert.Empty(queues[i]);
            }

            Assert.Equal(queues.Sum(queue => queue.Count), _holds.Waiting);
        }
    }

    [Fact]
    public void Waiting_allocates_nothing()
    {
        RecordHolds.TryHold(ref _entry);
        Wait(0);
        _holds.Release(_digest, ref _entry, out _);

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
        {
            Wait(i);
            _holds.Release(_digest, ref _entry, out _);
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    private EnqueueResult Wait(int number, int limit = 0) =>
        _holds.Enqueue(_digest, ref _entry, new Waiter(number % 3, (ulong)number), limit);
}

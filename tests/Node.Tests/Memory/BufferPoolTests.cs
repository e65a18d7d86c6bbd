using Aerie.Foundation;
using Aerie.Memory;
using Xunit;

namespace Aerie.Node.Tests.Memory;

public sealed class BufferPoolTests : IDisposable
{
    private const int Larger = BufferPool.StandardLength + 1;

    private readonly BufferPool _pool = new();

    [Theory]
    [InlineData(0, BufferPool.SmallLength)]
    [InlineData(BufferPool.SmallLength, BufferPool.SmallLength)]
    [InlineData(BufferPool.SmallLength + 1, BufferPool.StandardLength)]
    [InlineData(BufferPool.StandardLength, BufferPool.StandardLength)]
    public void A_request_up_to_the_standard_length_gets_the_next_length_that_is_kept(int length, int lent)
    {
        var buffer = _pool.Rent(length);
        Assert.Equal(lent, _pool.Length(buffer));
        Assert.Equal(lent, _pool.Span(buffer).Length);
        Assert.Equal(lent, _pool.BytesHeld);
        _pool.Return(buffer);
    }

    [Fact]
    public void A_larger_buffer_has_exactly_the_length_asked_for_and_is_not_kept()
    {
        var buffer = _pool.Rent(Larger);
        _pool.Span(buffer).Fill(1);
        Assert.Equal(Larger, _pool.Span(buffer).Length);
        Assert.Equal(Larger, _pool.BytesHeld);
        _pool.Return(buffer);
        Assert.Equal(0, _pool.BytesHeld);
    }

    [Fact]
    public void The_buffer_returned_last_is_lent_first()
    {
        var one = _pool.Rent();
        var two = _pool.Rent();
        _pool.Span(one)[0] = 1;
        _pool.Span(two)[0] = 2;
        _pool.Return(two);
        _pool.Return(one);
        var again = _pool.Rent();
        Assert.Equal(1, _pool.Span(again)[0]);
        _pool.Return(again);
    }

    [Theory]
    [InlineData(100)]
    [InlineData(Larger)]
    public void A_returned_buffer_cannot_be_used_or_returned_again(int length)
    {
        var stale = _pool.Rent(length);
        _pool.Return(stale);
        Assert.Throws<InvariantException>(() => _pool.Span(stale).Length);
        Assert.Throws<InvariantException>(() => _pool.Length(stale));
        Assert.Throws<InvariantException>(() => _pool.Return(stale));
        Assert.Equal(0, _pool.Outstanding);
    }

    [Fact]
    public void A_stale_id_does_not_name_the_slot_s_next_buffer()
    {
        var stale = _pool.Rent();
        _pool.Return(stale);
        var next = _pool.Rent();
        Assert.Equal(stale.Slot, next.Slot);
        Assert.Throws<InvariantException>(() => _pool.Return(stale));
        _pool.Return(next);
    }

    [Fact]
    public void An_id_that_was_never_lent_is_refused()
    {
        Assert.Throws<InvariantException>(() => _pool.Return(BufferId.None));
        Assert.Throws<InvariantException>(() => _pool.Return(new BufferId(0, 0)));
        Assert.Throws<InvariantException>(() => _pool.Return(new BufferId(1_000_000, 1)));
        Assert.Throws<InvariantException>(() => _pool.Rent(-1));
        Assert.Equal(0, _pool.Outstanding);
    }

    [Fact]
    public void After_a_burst_only_a_few_buffers_are_kept()
    {
        var burst = Enumerable.Range(0, 500).Select(_ => _pool.Rent()).ToList();
        Assert.Equal(500, _pool.Outstanding);
        Assert.Equal(500L * BufferPool.StandardLength, _pool.BytesHeld);
        burst.ForEach(_pool.Return);
        Assert.Equal(0, _pool.Outstanding);
        Assert.Equal(4 * 1024 * 1024, _pool.BytesHeld);
    }

    [Fact]
    public void A_buffer_outlives_the_pool_s_end_until_it_is_returned()
    {
        var lent = _pool.Rent();
        var kept = _pool.Rent();
        _pool.Return(kept);
        _pool.Dispose();
        _pool.Span(lent).Fill(1);
        _pool.Return(lent);
        Assert.Equal(0, _pool.BytesHeld);
    }

    [Fact]
    public void Buffers_lent_at_the_same_time_do_not_overlap()
    {
        var buffers = Enumerable.Range(0, 40).Select(_ => _pool.Rent()).ToList();
        for (var i = 0; i < buffers.Count; i++)
        {
            _pool.Span(buffers[i]).Fill((byte)i);
        }

        for (var i = 0; i < buffers.Count; i++)
        {
            Assert.Equal(-1, _pool.Span(buffers[i]).IndexOfAnyExcept((byte)i));
        }

        buffers.ForEach(_pool.Return);
    }

    [Fact]
    public void Lending_and_returning_allocates_nothing_once_warm()
    {
        _pool.Return(_pool.Rent());
        _pool.Return(_pool.Rent(Larger));
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
        {
            _pool.Return(_pool.Rent());
            _pool.Return(_pool.Rent(Larger));
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Theory]
    [InlineData(1, Page.Length)]
    [InlineData(Page.Length, Page.Length)]
    [InlineData(Page.Length + 1, 2 * Page.Length)]
    [InlineData(BufferPool.StandardLength, BufferPool.StandardLength)]
    [InlineData(Larger, BufferPool.StandardLength + Page.Length)]
    public void An_aligned_buffer_begins_at_a_page_and_is_of_whole_pages(int length, int lent)
    {
        var buffers = Enumerable.Range(0, 20).Select(_ => _pool.RentAligned(length)).ToList();
        Assert.Equal(20L * lent, _pool.BytesHeld);
        for (var i = 0; i < buffers.Count; i++)
        {
            Assert.True(Page.StartsAt(_pool.Span(buffers[i])));
            Assert.Equal(lent, _pool.Length(buffers[i]));
            _pool.Span(buffers[i]).Fill((byte)i);
        }

        for (var i = 0; i < buffers.Count; i++)
        {
            Assert.Equal(-1, _pool.Span(buffers[i]).IndexOfAnyExcept((byte)i));
            _pool.Return(buffers[i]);
        }

        Assert.Equal(length > BufferPool.StandardLength ? 0 : 20L * lent, _pool.BytesHeld);
        _pool.Dispose();
        Assert.Equal(0, _pool.BytesHeld);
    }

    [Fact]
    public void Aligned_buffers_and_others_of_the_same_length_are_never_mixed_up()
    {
        foreach (var length in new[] { BufferPool.SmallLength, BufferPool.StandardLength })
        {
            _pool.Return(_pool.Rent(length));
            var aligned = _pool.RentAligned(length);
            Assert.True(Page.StartsAt(_pool.Span(aligned)));
            _pool.Return(aligned);
            var plain = Enumerable.Range(0, 2).Select(_ => _pool.Rent(length)).ToList();
            aligned = _pool.RentAligned(length);
            Assert.True(Page.StartsAt(_pool.Span(aligned)));
            plain.Add(aligned);
            plain.ForEach(_pool.Return);
        }

        _pool.Dispose();
        Assert.Equal(0, _pool.BytesHeld);
    }

    [Fact]
    public void Of_each_aligned_length_a_mebibyte_is_kept()
    {
        var burst = Enumerable.Range(0, 1000).Select(_ => _pool.RentAligned(Page.Length)).ToList();
        burst.ForEach(_pool.Return);
        Assert.Equal(1024 * 1024, _pool.BytesHeld);
    }

    [Fact]
    public void An_aligned_buffer_stays_one_in_another_pool()
    {
        using var other = new BufferPool();
        var moved = other.Attach(_pool.Detach(_pool.RentAligned(100)));
        Assert.Equal((0L, Page.Length), (_pool.BytesHeld, other.Length(moved)));
        other.Return(moved);
        var again = other.RentAligned(100);
        Assert.Equal(Page.Length, other.BytesHeld);
        other.Return(again);
    }

    [Fact]
    public void Lending_aligned_buffers_allocates_nothing_once_warm()
    {
        _pool.Return(_pool.RentAligned(5000));
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
        {
            _pool.Return(_pool.RentAligned(5000));
            _pool.Return(_pool.RentAligned(Larger));
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    public void Dispose() => _pool.Dispose();
}

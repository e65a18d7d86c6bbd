using Aerie.Server.Records.Flushing;
using Xunit;

namespace Aerie.Node.Tests.Records.Flushing;

public sealed class FlushPaceTests
{
    private const long FlushSize = 1 << 20;
    private const long Millisecond = 1_000_000;

    private static readonly FlushNeed Idle = new(0, 0, IsAsked: false, QuarantinedBlocks: 0, FreeBlocks: 100, Cursors: 3);

    [Fact]
    public void Nothing_to_write_needs_no_flush_however_long_ago_the_last_one_was() =>
        Assert.Equal(FlushPace.Never, Until(Idle with { SinceFlushNanoseconds = 1L << 50 }));

    [Fact]
    public void A_little_waits_for_the_time_and_enough_does_not()
    {
        var little = Idle with { UnflushedBytes = 16 };
        Assert.Equal(1000 * Millisecond, Until(little));
        Assert.Equal(1 * Millisecond, Until(little with { SinceFlushNanoseconds = 999 * Millisecond }));
        Assert.Equal(0, Until(little with { SinceFlushNanoseconds = 2000 * Millisecond }));
        Assert.Equal(0, Until(little with { UnflushedBytes = FlushSize }));
    }

    [Fact]
    public void Who_asks_is_served_at_once() => Assert.Equal(0, Until(Idle with { IsAsked = true }));

    [Fact]
    public void Blocks_that_only_a_flush_sets_free_hurry_it_when_free_ones_are_short()
    {
        var waiting = Idle with { QuarantinedBlocks = 1 };
        Assert.Equal(1000 * Millisecond, Until(waiting));
        Assert.Equal(0, Until(waiting with { FreeBlocks = 5 }));
        Assert.Equal(FlushPace.Never, Until(Idle with { FreeBlocks = 5 }));
    }

    [Fact]
    public void Without_a_time_size_alone_decides()
    {
        Assert.Equal(FlushPace.Never, FlushPace.Until(Idle with { UnflushedBytes = 16, SinceFlushNanoseconds = 1L << 50 }, FlushSize, 0));
        Assert.Equal(0, FlushPace.Until(Idle with { UnflushedBytes = FlushSize }, FlushSize, 0));
    }

    private static long Until(in FlushNeed need) => FlushPace.Until(need, FlushSize, 1000);
}

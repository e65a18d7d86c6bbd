using Aerie.Server.Metrics;
using Aerie.Server.Records.Housekeeping;
using Xunit;

namespace Aerie.Node.Tests.Records;

public sealed class EvictionTests
{
    private static readonly byte[] Value = new byte[10_000];

    [Fact]
    public void What_expires_soonest_goes_first_and_no_more_than_asked_for()
    {
        using var node = new HousekeptNode(
            "evict-tenths-pct 100\nset spared {\ndisable-eviction true\n}", "data-size 128M\nevict-used-pct 1");
        for (var i = 0; i < 100; i++)
        {
            node.Writer.Put($"ttl{i}", Value, ttl: (uint)(1000 + (i * 100)));
            node.Writer.Put($"ever{i}", Value);
            node.Writer.Put($"spared{i}", Value, "spared", ttl: 60);
        }

        node.KeepHouse(TimeSpan.FromSeconds(11));

        Assert.True(node.Records.Housekeeping.HwmBreached);
        Assert.Equal(10, node.Count(NamespaceCounter.EvictedObjects));
        Assert.Equal(290, node.Records.Objects);
        Assert.All(Enumerable.Range(0, 100), i => Assert.Equal(i >= 10, node.Writer.Exists($"ttl{i}")));
        Assert.InRange(node.Records.Housekeeping.EvictTtl, 1880, 2010);
        Assert.Equal(1, node.Logs.LinesWith("evicted 10"));
        Books.MustBalance(node.Records);
    }

    [Fact]
    public void Records_that_all_expire_at_once_do_not_all_go_at_once()
    {
        using var node = new HousekeptNode("evict-tenths-pct 50", "data-size 128M\nevict-used-pct 1");
        for (var i = 0; i < 200; i++)
        {
            node.Writer.Put($"k{i}", Value, ttl: 5000);
        }

        node.KeepHouse(TimeSpan.FromSeconds(11));
        Assert.Equal(10, node.Count(NamespaceCounter.EvictedObjects));
    }

    [Fact]
    public void Below_its_mark_nothing_is_evicted_and_without_a_ttl_an_operator_is_told_that_nothing_can_be()
    {
        using var node = new HousekeptNode("evict-tenths-pct 500", "data-size 128M\nevict-used-pct 5");
        for (var i = 0; i < 200; i++)
        {
            node.Writer.Put($"k{i}", Value, ttl: 5000);
        }

        node.KeepHouse(TimeSpan.FromSeconds(11));
        Assert.Equal(0, node.Count(NamespaceCounter.EvictedObjects));
        Assert.False(node.Records.Housekeeping.HwmBreached);

        for (var i = 0; i < 200; i++)
        {
            node.Writer.Put($"k{i}", Value);
        }

        node.Set("evict-used-pct", "1");
        node.KeepHouse(TimeSpan.FromSeconds(11));
        Assert.Equal(200, node.Records.Objects);
        Assert.Equal(1, node.Logs.LinesWith("nothing to evict"));
    }

    [Theory]
    [InlineData(100)]
    [InlineData(101)]
    [InlineData(10_000)]
    public void A_cut_takes_exactly_the_share_asked_for_whatever_the_spread(int buckets)
    {
        var random = new Random(11);
        var histogram = new VoidTimeHistogram();
        histogram.Reset(1000, buckets);
        var all = Enumerable.Range(0, 5000).Select(_ => (uint)(1000 + Math.Pow(10, random.NextDouble() * 8.5))).ToArray();
        foreach (var voidTime in all)
        {
            histogram.Add(voidTime);
        }

        var cut = histogram.CutOff(50);
        var below = all.Count(voidTime => voidTime < cut.Below);
        Assert.Equal(5000, histogram.Total);
        Assert.Equal(250, below + cut.OfLastBucket);
        Assert.InRange(all.Count(voidTime => voidTime < cut.UpTo), 250, 5000);
        Assert.Equal((uint)histogram.BucketSeconds, cut.UpTo - (cut.Below == 0 ? 1000 : cut.Below));
    }

    [Fact]
    public void Few_records_give_at_least_one()
    {
        var histogram = new VoidTimeHistogram();
        histogram.Reset(1000, 100);
        Assert.True(histogram.CutOff(5).IsNothing);
        histogram.Add(2000);
        Assert.Equal(1, histogram.CutOff(5).OfLastBucket);
        Assert.True(histogram.CutOff(0).IsNothing);
    }
}

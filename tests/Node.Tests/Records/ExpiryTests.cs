using Aerie.Foundation;
using Aerie.Protocol;
using Aerie.Server.Metrics;
using Aerie.Server.Records;
using Aerie.Server.Records.Housekeeping;
using Xunit;

namespace Aerie.Node.Tests.Records;

public sealed class ExpiryTests
{
    private static readonly byte[] Value = [1, 2, 3];

    [Fact]
    public void A_cycle_removes_what_has_expired_and_nothing_else()
    {
        using var node = new HousekeptNode();
        for (var i = 0; i < 300; i++)
        {
            node.Writer.Put($"ever{i}", Value);
            node.Writer.Put($"soon{i}", Value, ttl: 5);
            node.Writer.Put($"late{i}", Value, ttl: 500);
        }

        node.KeepHouse(TimeSpan.FromSeconds(12));

        Assert.Equal(300, node.Count(NamespaceCounter.ExpiredObjects));
        Assert.Equal(600, node.Records.Objects);
        Assert.Equal(100.0 / 3, node.Records.Housekeeping.NsupCycleDeletedPct, 1.0);
        Assert.Equal(1, node.Records.Housekeeping.NsupCycles);
        Assert.All(Enumerable.Range(0, 300), i => Assert.True(node.Writer.Exists($"ever{i}") && node.Writer.Exists($"late{i}")));
        Books.MustBalance(node.Records);
    }

    [Fact]
    public void A_record_lives_through_the_last_second_of_its_life()
    {
        using var node = new HousekeptNode();
        node.Clock.UnixMilliseconds += 1000 - (node.Clock.UnixMilliseconds % 1000);
        node.Writer.Put("a", Value, ttl: 10);
        node.KeepHouse(TimeSpan.FromSeconds(10.5));
        Assert.Equal(1, node.Records.Housekeeping.NsupCycles);
        Assert.True(node.Writer.Exists("a"));
        node.KeepHouse(TimeSpan.FromSeconds(10));
        Assert.Equal(0, node.Records.Objects);
    }

    [Fact]
    public void Without_a_period_nothing_is_removed_until_there_is_one()
    {
        using var node = new HousekeptNode("allow-ttl-without-nsup true");
        node.Set("nsup-period", "0");
        node.Writer.Put("a", Value, ttl: 1);
        node.KeepHouse(TimeSpan.FromSeconds(60));
        Assert.Equal(1, node.Records.Objects);
        node.Set("nsup-period", "10");
        node.KeepHouse(TimeSpan.FromSeconds(2));
        Assert.Equal(0, node.Records.Objects);
    }

    [Fact]
    public void Leaves_without_a_void_time_cost_one_look_each()
    {
        using var node = new HousekeptNode();
        var random = new Random(5);
        var bytes = new byte[Digest.Length];
        for (var i = 0; i < 20_000; i++)
        {
            random.NextBytes(bytes);
            bytes[0] = 7;
            bytes[1] = 0; // all in one partition: some six hundred leaves
            Assert.Equal(ResultCode.Ok, node.Writer.Put(new Digest(bytes), Value, Ttl.Never));
        }

        node.KeepHouse(TimeSpan.FromSeconds(9));
        var before = node.Node.Housekeeper.Pieces;
        node.KeepHouse(TimeSpan.FromSeconds(2));
        Assert.Equal(1, node.Records.Housekeeping.NsupCycles);
        var pieces = node.Node.Housekeeper.Pieces - before;
        Assert.InRange(pieces, 64, 64 + 60); // 4096 partitions by 64, and 64 leaves per call; a leaf each would be six hundred
    }

    [Fact]
    public void A_clock_set_back_neither_stalls_the_cycles_nor_brings_anything_back()
    {
        using var node = new HousekeptNode();
        node.Writer.Put("gone", Value, ttl: 5);
        node.KeepHouse(TimeSpan.FromSeconds(12));
        node.Writer.Put("due", Value, ttl: 5);
        node.Clock.UnixMilliseconds -= 3_600_000;
        node.KeepHouse(TimeSpan.FromSeconds(60));
        Assert.Equal(7, node.Records.Housekeeping.NsupCycles);
        Assert.False(node.Writer.Exists("gone"));
        Assert.Equal(1, node.Count(NamespaceCounter.ExpiredObjects));

        node.Clock.UnixMilliseconds += 7_200_000; // now it is due
        node.KeepHouse(TimeSpan.FromSeconds(11));
        Assert.Equal(0, node.Records.Objects);
        Assert.Equal(8, node.Records.Housekeeping.NsupCycles);
    }

    [Fact]
    public void A_held_record_waits_for_the_next_cycle()
    {
        using var node = new HousekeptNode();
        var digest = TestKit.WireRequest.DigestOf("a");
        node.Writer.Put("a", Value, ttl: 5);
        Assert.True(node.Records.TryHold(digest));
        node.KeepHouse(TimeSpan.FromSeconds(25));
        Assert.Equal(1, node.Records.Objects);
        node.Records.Release(node.Writer.Worker, digest);
        node.KeepHouse(TimeSpan.FromSeconds(10));
        Assert.Equal(0, node.Records.Objects);
    }

    [Fact]
    public void A_sweep_keeps_to_its_share_of_a_core()
    {
        using var node = new HousekeptNode();
        for (var i = 0; i < 3000; i++)
        {
            node.Writer.Put($"k{i}", Value, ttl: 5);
        }

        var clock = new TickingClock(node.Clock, nanosecondsPerLook: 20_000);
        using var housekeeper = new Housekeeper(node.Node.Namespaces, clock, node.Logs, static () => null);
        var worker = new Worker(1, clock, node.Node.LastUpdateClock);
        var begun = clock.MonotonicNanoseconds;
        while (node.Records.Housekeeping.NsupCycles == 0)
        {
            clock.Advance(TimeSpan.FromMilliseconds(housekeeper.Step(worker)));
        }

        var sweep = clock.MonotonicNanoseconds - begun - 10_000_000_000; // one period passed before it
        Assert.InRange(housekeeper.BusyNanoseconds, 1, (sweep / 10) + 10_000_000);
        Assert.Equal(0, node.Records.Objects);
    }
}

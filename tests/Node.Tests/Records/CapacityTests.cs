using Aerie.Foundation;
using Aerie.Server.Records.Housekeeping;
using Xunit;

namespace Aerie.Node.Tests.Records;

public sealed class CapacityTests
{
    private static readonly byte[] Value = new byte[200_000];

    [Fact]
    public void A_used_log_stops_writes_with_an_early_warning_and_deletes_start_them_again()
    {
        using var node = new HousekeptNode(storageLines: "data-size 128M\nstop-writes-used-pct 20");
        var keys = Fill(node, "k", () => node.Records.StopWrites);

        Assert.Equal(ResultCode.OutOfSpace, node.Writer.Put("other", Value));
        Assert.Equal(1, node.Logs.LinesWith("writes are stopped: data_used_pct is 20, stop-writes-used-pct 20"));
        Assert.Equal(1, node.Logs.LinesWith("comes close to stopping writes: data_used_pct is 16"));
        Assert.True(node.Writer.Exists("k0"));

        for (var i = 0; i < keys / 2; i++)
        {
            Assert.Equal(ResultCode.Ok, node.Writer.Delete($"k{i}"));
        }

        node.KeepHouse(TimeSpan.FromSeconds(3));
        Assert.Equal(ResultCode.Ok, node.Writer.Put("other", Value));
        Assert.Equal(1, node.Logs.LinesWith("writes go on"));
        Assert.Equal(1, node.Logs.LinesWith("writes are stopped"));
    }

    [Fact]
    public void A_full_log_refuses_writes_takes_deletes_and_then_takes_writes_again()
    {
        using var node = new HousekeptNode(storageLines: "data-size 128M\nstop-writes-used-pct 0\nstop-writes-avail-pct 0");
        var full = false;
        var keys = Fill(node, "k", () => full, result => full = result == ResultCode.OutOfSpace, houseEvery: 32);
        Assert.False(node.Records.StopWrites);
        Assert.InRange(node.Records.Log.UsedPercent, 75, 100);
        node.KeepHouse(TimeSpan.FromSeconds(1)); // nothing to gain, and no harm done

        for (var i = 0; i < keys; i += 2)
        {
            Assert.Equal(ResultCode.Ok, node.Writer.Delete($"k{i}"));
        }

        node.KeepHouse(TimeSpan.FromSeconds(10));
        for (var i = 0; i < keys; i += 4)
        {
            Assert.Equal(ResultCode.Ok, node.Writer.Put($"n{i}", Value));
        }

        Assert.All(Enumerable.Range(0, keys), i => Assert.Equal(i % 2 == 1, node.Writer.Exists($"k{i}")));
        Books.MustBalance(node.Records);
    }

    [Fact]
    public void The_systems_memory_and_the_indexs_budget_stop_writes_too()
    {
        using var node = new HousekeptNode("indexes-memory-budget 128M");
        Span<CapacityLimit> limits = new CapacityLimit[CapacityLimits.StopWritesLimits];
        CapacityLimits.OfStopWrites(node.Records.Options, new CapacityReading(1, 90, 95, 127 << 20), limits);
        Assert.Equal([false, false, true, true], limits.ToArray().Select(limit => limit.IsReached));
        CapacityLimits.OfStopWrites(node.Records.Options, new CapacityReading(70, 4, null, 1 << 20), limits);
        Assert.Equal([true, true, false, false], limits.ToArray().Select(limit => limit.IsReached));
        CapacityLimits.OfStopWrites(node.Records.Options, new CapacityReading(69, 5, 85, 116 << 20), limits);
        Assert.Equal([false, false, false, false], limits.ToArray().Select(limit => limit.IsReached));
        Assert.Equal([true, true, true, true], limits.ToArray().Select(limit => limit.IsNear));
    }

    [Theory]
    [InlineData(500, 50, 5)] // plenty: by the mark alone
    [InlineData(40, 60, 30)] // hurry begins below avail + 5 %
    [InlineData(26, 92, 100)] // all out where writes would stop
    [InlineData(0, 92, 100)]
    public void The_pace_rises_while_free_blocks_fall(int free, int belowAtLeast, int shareAtLeast)
    {
        var pace = DefragPace.Of(new LogRoom(512, free, 3, 50, 5, 1000));
        Assert.InRange(pace.BelowPct, belowAtLeast, 92);
        Assert.InRange(pace.SharePercent, shareAtLeast, 100);
        Assert.Equal(free < 52, pace.IsHurried);
    }

    private static int Fill(HousekeptNode node, string prefix, Func<bool> isFull, Action<ResultCode>? wrote = null, int houseEvery = 4)
    {
        for (var i = 0; ; i++)
        {
            var result = node.Writer.Put($"{prefix}{i}", Value);
            wrote?.Invoke(result);
            if (i % houseEvery == 0)
            {
                node.KeepHouse(TimeSpan.FromSeconds(1));
            }

            if (isFull())
            {
                return result == ResultCode.Ok ? i + 1 : i;
            }

            Assert.True(i < 10_000);
        }
    }
}

using System.Globalization;
using System.Text.RegularExpressions;
using Aerie.Node.Tests.Info;
using Aerie.Server.Metrics;
using Aerie.Server.Statistics;
using Aerie.TestKit;
using Xunit;

namespace Aerie.Node.Tests.Statistics;

/// Which keys there are, in which order, and where their values come from.
public sealed partial class StatisticsTests
{
    [Theory]
    [InlineData("statistics", "keys-node")]
    [InlineData("namespace/test", "keys-namespace")]
    [InlineData("get-config:context=service", "keys-service")]
    public void The_keys_and_their_order_are_those_that_tools_know(string command, string list)
    {
        using var info = new InfoHarness();
        var keys = info.Ask(command).Split(';').Select(pair => Index().Replace(pair.Split('=')[0], "[N]")).Distinct().ToArray();
        var expected = Facts.Lines(list).Select(key => Index().Replace(key, "[N]")).ToArray();
        Assert.Equal(expected, keys.Take(expected.Length)); // our own parameters follow
    }

    [Fact]
    public void A_set_has_the_keys_that_tools_know()
    {
        using var info = new InfoHarness();
        var client = info.Node.Connect();
        info.Node.Ask(client, WireRequest.Put("k", "a", "x", set: "people").Bytes());
        var row = info.Ask("sets").TrimEnd(';');
        Assert.Equal(Facts.Lines("keys-sets"), row.Split(':').Select(pair => pair.Split('=')[0]));
        client.Close();
        info.Node.Settle();
    }

    [Fact]
    public void Every_counter_has_a_key()
    {
        var keys = StatisticTable.Namespace().Concat(StatisticTable.Node()).Select(row => row.Key).ToHashSet(StringComparer.Ordinal);
        var without = CounterKeys.Of<NamespaceCounter>().Keys.Concat(CounterKeys.Of<NodeCounter>().Keys).Where(key => !keys.Contains(key))
            .ToArray();
        Assert.Equal(["truncated_objects"], without); // ours alone
    }

    [Fact]
    public void Stripes_add_up_to_the_log()
    {
        using var info = new InfoHarness();
        var client = info.Node.Connect();
        info.Node.Ask(client, WireRequest.Put("k", "a", new string('x', 5000)).Bytes());
        var values = info.AskPairs("namespace/test");
        var used = values.Where(pair => pair.Key.EndsWith("].used_bytes", StringComparison.Ordinal))
            .Sum(pair => long.Parse(pair.Value, CultureInfo.InvariantCulture));
        Assert.Equal(values["data_used_bytes"], used.ToString(CultureInfo.InvariantCulture));
        Assert.True(used >= 5000);
        client.Close();
        info.Node.Settle();
    }

    [Fact]
    public void Shares_of_processor_time_are_those_between_two_samples()
    {
        var clock = new FakeClock();
        var files = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["/proc/stat"] = "cpu  100 0 50 1000 0 0 0 0\ncpu0 1 1 1 1\n",
            ["/proc/self/stat"] = "7 (a b) c) S 1 1 1 0 -1 0 0 0 0 0 30 10 0 0 20 0 5\n",
            ["/proc/meminfo"] = "MemTotal:       1000 kB\nMemFree: 10 kB\nMemAvailable:    250 kB\nAnonHugePages:   64 kB\n",
            ["/proc/self/status"] = "Name: x\nVmRSS:\t  100 kB\nThreads:\t9\n",
        };
        var sampler = new HostSampler(clock, path => files.GetValueOrDefault(path), () => false);
        sampler.Sample();
        files["/proc/stat"] = "cpu  200 0 100 1000 0 0 0 0\n";
        files["/proc/self/stat"] = "7 (a b) c) S 1 1 1 0 -1 0 0 0 0 0 80 20 0 0 20 0 5\n";
        clock.Advance(TimeSpan.FromSeconds(2));
        sampler.Sample();

        var host = sampler.Latest;
        Assert.Equal((75, 50, 25, 30), (host.TotalCpuPct, host.UserCpuPct, host.KernelCpuPct, host.ProcessCpuPct));
        Assert.Equal((250, 25, 64, 9, 102_400), (host.FreeMemoryKbytes, host.FreeMemoryPct, host.HugePageKbytes, host.Threads,
            host.ResidentBytes));
        Assert.Equal((800_000_000, 200_000_000), (host.UserCpuNanoseconds, host.KernelCpuNanoseconds));

        clock.Advance(TimeSpan.FromMilliseconds(10));
        files["/proc/self/stat"] = "7 (a b) c) S 1 1 1 0 -1 0 0 0 0 0 90 20 0 0 20 0 5\n";
        sampler.Sample();
        Assert.Equal((75, 30, 900_000_000), (sampler.Latest.TotalCpuPct, sampler.Latest.ProcessCpuPct,
            sampler.Latest.UserCpuNanoseconds));
    }

    [Theory]
    [InlineData("")]
    [InlineData("garbage (\n cpu x y MemTotal: -")]
    public void Unreadable_figures_of_the_machine_are_zero(string text)
    {
        var sampler = new HostSampler(new FakeClock(), _ => text, () => true);
        sampler.Sample();
        Assert.Equal(0, sampler.Latest.FreeMemoryPct);
        new HostSampler(new FakeClock(), _ => null, () => true).Sample();
    }

    [Fact]
    public void The_node_id_is_the_port_and_the_hardware_address_backwards() =>
        Assert.Equal(0xBB9060011AC4202UL, NodeIdentity.IdFrom(0xBB9, [0x02, 0x42, 0xAC, 0x11, 0x00, 0x06]));

    [Fact]
    public void The_ticker_writes_lines_every_interval_and_leaves_zeros_out()
    {
        using var info = new InfoHarness();
        Tick(info, 9);
        Assert.Empty(info.Sink.Lines);
        var client = info.Node.Connect();
        info.Node.Ask(client, WireRequest.Put("k", "a", "x").Bytes());
        Tick(info, 1);

        Assert.Contains(info.Sink.Lines, line => line.Contains("INFO (info): NODE-ID ", StringComparison.Ordinal));
        Assert.Contains(info.Sink.Lines, line => line.Contains("{test} objects: all 1 master 1 prole 0 non-replica 0",
            StringComparison.Ordinal));
        Assert.Contains(info.Sink.Lines, line =>
            line.Contains("{test} client: tsvc (0,0) proxy (0,0,0) read (0,0,0,0,0) write (1,0,0,0) delete", StringComparison.Ordinal));
        Assert.Contains(info.Sink.Lines, line => line.Contains("histogram dump: {test}-write (1 total) msec", StringComparison.Ordinal));
        Assert.DoesNotContain(info.Sink.Lines, line => line.Contains("pi-query", StringComparison.Ordinal)
            || line.Contains("batch-sub", StringComparison.Ordinal));

        var before = info.Sink.Lines.Count;
        Tick(info, 9);
        Assert.Equal(before, info.Sink.Lines.Count);
        client.Close();
        info.Node.Settle();
    }

    private static void Tick(InfoHarness info, int seconds)
    {
        for (var i = 0; i < seconds; i++)
        {
            info.Node.Clock.Advance(TimeSpan.FromSeconds(1));
            info.Reporting.Ticker.Tick();
        }

        info.Log.Flush();
    }

    [GeneratedRegex("\\[\\d+\\]")]
    private static partial Regex Index();
}

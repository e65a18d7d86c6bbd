using Aerie.Node.Tests.Info;
using Aerie.Server.Metrics;
using Xunit;

namespace Aerie.Node.Tests.Metrics;

public sealed class LatencyWindowsTests
{
    private const long Second = 1_000_000_000;

    private readonly LatencyHistogram _read = new("{test}-read", 2);
    private readonly LatencyWindows _windows;

    public LatencyWindowsTests() => _windows = new LatencyWindows([_read], 0);

    [Fact]
    public void Nothing_measured_is_an_empty_row() => Assert.Equal("{test}-read:", _windows.Report(_read, microseconds: false));

    [Fact]
    public void Rates_and_percentages_are_those_of_the_last_period()
    {
        Record(10, microseconds: 100);
        _windows.Roll(10 * Second);
        Record(60, microseconds: 100);
        Record(30, microseconds: 3000);
        Record(10, microseconds: 70_000);
        Assert.StartsWith("{test}-read:msec,1.0,0.00,", _windows.Report(_read, microseconds: false), StringComparison.Ordinal);

        _windows.Roll(20 * Second);

        var row = _windows.Report(_read, microseconds: false).Split(',');
        Assert.Equal(2 + 17, row.Length);
        Assert.Equal("10.0", row[1]);
        Assert.Equal(["40.00", "40.00", "10.00", "10.00", "10.00", "10.00", "10.00", "0.00"], row[2..10]); // over 1, 2, 4 … 128 ms
        var fine = _windows.Report(_read, microseconds: true).Split(',');
        Assert.Equal("{test}-read:usec", fine[0]);
        Assert.Equal("100.00", fine[2 + 6]); // over 64 µs
        Assert.Equal("40.00", fine[2 + 7]); // over 128 µs
    }

    [Fact]
    public void A_period_without_operations_has_a_rate_of_zero()
    {
        Record(1, microseconds: 1);
        _windows.Roll(Second);
        _windows.Roll(2 * Second);
        Assert.StartsWith("{test}-read:msec,0.0,0.00,", _windows.Report(_read, microseconds: false), StringComparison.Ordinal);
    }

    [Fact]
    public void Extreme_latencies_stay_inside_of_the_histogram()
    {
        _read.Record(0, long.MaxValue);
        _read.Record(0, long.MinValue);
        _read.Record(1, 0);
        _windows.Roll(Second);
        Assert.Equal(3, _windows.Of(_read).Total);
    }

    [Fact]
    public void A_client_reads_a_row_for_every_histogram_of_every_namespace()
    {
        using var info = new InfoHarness();
        var rows = info.Ask("latencies:").Split(';');
        string[] kinds = ["read", "write", "udf", "batch-sub-read", "batch-sub-write", "batch-sub-udf", "pi-query", "si-query"];
        Assert.Equal(["batch-index:", .. kinds.Select(kind => $"{{test}}-{kind}:")], rows);
    }

    private void Record(int count, int microseconds)
    {
        for (var i = 0; i < count; i++)
        {
            _read.Record(i % 2, microseconds * 1000L);
        }
    }
}

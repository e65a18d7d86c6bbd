using Aerie.Tools.Bench;
using Xunit;

namespace Aerie.Node.Tests.Tools;

public class LatencyHistogramTests
{
    private const int Seed = 20_261;

    [Fact]
    public void Percentiles_are_within_half_a_percent_of_the_sorted_samples()
    {
        var random = new Random(Seed);
        var samples = new long[50_000];
        var histogram = new LatencyHistogram();
        for (var i = 0; i < samples.Length; i++)
        {
            samples[i] = (long)Math.Pow(10, 3 + (random.NextDouble() * 8)); // 1 µs to 100 s, each decade alike
            histogram.Record(samples[i]);
        }

        Array.Sort(samples);
        foreach (var percent in new[] { 0.1, 1, 10, 50, 90, 99, 99.9, 99.99, 100 })
        {
            var exact = samples[(int)Math.Ceiling(percent / 100 * samples.Length) - 1];
            var error = Math.Abs(histogram.Percentile(percent) - exact) / (double)exact;
            Assert.True(error < 0.005, $"p{percent}: {histogram.Percentile(percent)} for {exact} (seed {Seed})");
        }
    }

    [Fact]
    public void Small_values_are_exact()
    {
        for (var value = 1; value < 256; value++)
        {
            var histogram = new LatencyHistogram();
            histogram.Record(value);
            Assert.Equal(value, histogram.Percentile(50));
        }
    }

    [Fact]
    public void What_is_out_of_range_counts_as_the_nearest_value()
    {
        var histogram = new LatencyHistogram();
        histogram.Record(-5);
        histogram.Record(long.MaxValue);
        Assert.Equal(2, histogram.Count);
        Assert.Equal(LatencyHistogram.ValueMax, histogram.Max);
        Assert.Equal(0, histogram.Percentile(50));
        Assert.InRange(histogram.Percentile(100), LatencyHistogram.ValueMax * 0.995, LatencyHistogram.ValueMax);
    }

    [Fact]
    public void Nothing_recorded_is_zero() => Assert.Equal(0, new LatencyHistogram().Percentile(99));

    [Fact]
    public void An_interval_is_the_difference_of_two_sums()
    {
        var whole = new LatencyHistogram();
        whole.Record(1_000);
        var earlier = new LatencyHistogram();
        earlier.Add(whole);
        whole.Record(5_000_000);
        var interval = whole.Since(earlier);
        Assert.Equal(1, interval.Count);
        Assert.InRange(interval.Percentile(50), 4_975_000, 5_025_000);
    }
}

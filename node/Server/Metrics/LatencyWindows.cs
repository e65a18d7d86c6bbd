using System.Globalization;
using System.Text;

namespace Aerie.Server.Metrics;

/// What a histogram saw during the last period of the ticker.
public sealed record LatencyRates(long TotalEver, double Seconds, long[] Counts)
{
    /// Nothing was ever measured.
    public bool IsEmpty => TotalEver == 0;

    public long Total => Counts.Sum();

    public double PerSecond => Seconds <= 0 ? 0 : Total / Seconds;

    /// Percentage of operations that took at least 2^threshold milliseconds, or microseconds.
    public double PercentOver(int threshold, bool microseconds)
    {
        var total = Total;
        if (total == 0)
        {
            return 0;
        }

        // Buckets are powers of two of microseconds; 1024 of them pass for a millisecond. What took less than two
        // microseconds is one bucket.
        var first = microseconds ? Math.Max(threshold, 1) : threshold + 10;
        long over = 0;
        for (var i = first; i < Counts.Length; i++)
        {
            over += Counts[i];
        }

        return over * 100.0 / total;
    }
}

/// Turns histograms that only grow into rates: the ticker rolls the windows, readers see the last whole period.
public sealed class LatencyWindows
{
    private const int Buckets = 64;

    /// Shared by all periods in which nothing happened; nobody writes to it.
    private static readonly long[] Nothing = new long[Buckets];

    private readonly Lock _rolling = new();
    private readonly Dictionary<LatencyHistogram, Window> _windows;
    private long _rolledAt;

    public LatencyWindows(IEnumerable<LatencyHistogram> histograms, long nowNanoseconds)
    {
        _windows = histograms.ToDictionary(histogram => histogram, _ => new Window());
        _rolledAt = nowNanoseconds;
    }

    public IEnumerable<LatencyHistogram> Histograms => _windows.Keys;

    public LatencyHistogram? Find(string name) => _windows.Keys.FirstOrDefault(histogram => histogram.Name == name);

    public LatencyRates Of(LatencyHistogram histogram) => Volatile.Read(ref _windows[histogram].Rates);

    /// Ends the present period.
    public void Roll(long nowNanoseconds)
    {
        lock (_rolling)
        {
            var seconds = (nowNanoseconds - _rolledAt) / 1e9;
            _rolledAt = nowNanoseconds;
            Span<long> counts = stackalloc long[Buckets];
            foreach (var (histogram, window) in _windows)
            {
                histogram.Snapshot(counts);
                var during = Difference(counts, window.Start);
                counts.CopyTo(window.Start);
                Volatile.Write(ref window.Rates, new LatencyRates(Sum(counts), seconds, during));
            }
        }
    }

    private static long[] Difference(ReadOnlySpan<long> counts, ReadOnlySpan<long> start)
    {
        if (counts.SequenceEqual(start))
        {
            return Nothing;
        }

        var during = new long[Buckets];
        for (var i = 0; i < Buckets; i++)
        {
            during[i] = counts[i] - start[i];
        }

        return during;
    }

    private static long Sum(ReadOnlySpan<long> counts)
    {
        var sum = 0L;
        foreach (var count in counts)
        {
            sum += count;
        }

        return sum;
    }

    /// One histogram as `latencies:` reports it.
    public string Report(LatencyHistogram histogram, bool microseconds)
    {
        var rates = Of(histogram);
        var text = new StringBuilder(histogram.Name).Append(':');
        if (rates.IsEmpty)
        {
            return text.ToString();
        }

        text.Append(microseconds ? "usec," : "msec,").Append(rates.PerSecond.ToString("0.0", CultureInfo.InvariantCulture));
        for (var threshold = 0; threshold < LatencyHistogram.Thresholds; threshold++)
        {
            text.Append(',').Append(rates.PercentOver(threshold, microseconds).ToString("0.00", CultureInfo.InvariantCulture));
        }

        return text.ToString();
    }

    private sealed class Window
    {
        public readonly long[] Start = new long[Buckets];
        public LatencyRates Rates = new(0, 0, Nothing);
    }
}

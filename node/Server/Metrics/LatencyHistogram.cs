using System.Numerics;

namespace Aerie.Server.Metrics;

/// Latencies in powers of two, as `latencies:` reports them: bucket i counts what took at least 2^i units (bucket 0: less
/// than two). Striped like the counters: one writer per stripe.
public sealed class LatencyHistogram
{
    /// Thresholds 1, 2, 4 … 65536 units.
    public const int Thresholds = 17;

    private const int Buckets = 64;

    private readonly long[][] _stripes;

    public LatencyHistogram(string name, int stripes)
    {
        Name = name;
        _stripes = new long[stripes][];
        for (var i = 0; i < stripes; i++)
        {
            _stripes[i] = new long[Buckets];
        }
    }

    public string Name { get; }

    /// Kept in microseconds; the reader turns them into the unit it reports.
    public void Record(int stripe, long nanoseconds)
    {
        var microseconds = (ulong)Math.Max(nanoseconds, 0) / 1000;
        _stripes[stripe][64 - BitOperations.LeadingZeroCount(microseconds | 1) - 1]++;
    }

    /// Counts per power of two of microseconds, all stripes together.
    public void Snapshot(Span<long> into)
    {
        into.Clear();
        foreach (var stripe in _stripes)
        {
            for (var i = 0; i < Math.Min(into.Length, Buckets); i++)
            {
                into[i] += Volatile.Read(ref stripe[i]);
            }
        }
    }
}

using System.Numerics;

namespace Aerie.Tools.Bench;

/// Counts latencies in nanoseconds, 1 ns to 100 s, with an error below half a percent: every power of two is cut into 128
/// equal steps. Written by one thread; others may read a slightly older state.
public sealed class LatencyHistogram
{
    /// What takes longer is counted as this: by then the exact figure is no longer the problem.
    public const long ValueMax = 100_000_000_000;

    private const int StepBits = 7;

    private readonly long[] _counts = new long[IndexOf(ValueMax) + 1];

    public long Count { get; private set; }

    public long Max { get; private set; }

    public void Record(long nanoseconds)
    {
        var value = Math.Clamp(nanoseconds, 0, ValueMax);
        _counts[IndexOf(value)]++;
        Count++;
        Max = Math.Max(Max, value);
    }

    public void Add(LatencyHistogram other)
    {
        for (var i = 0; i < _counts.Length; i++)
        {
            _counts[i] += other._counts[i];
        }

        Count += other.Count;
        Max = Math.Max(Max, other.Max);
    }

    /// What was recorded since `earlier` was taken; the maximum stays that of the whole.
    public LatencyHistogram Since(LatencyHistogram earlier)
    {
        var difference = new LatencyHistogram { Max = Max };
        for (var i = 0; i < _counts.Length; i++)
        {
            difference._counts[i] = _counts[i] - earlier._counts[i];
            difference.Count += difference._counts[i];
        }

        return difference;
    }

    /// The latency that `percent` of all did not exceed; 0 when nothing was recorded.
    public long Percentile(double percent)
    {
        var rank = Math.Max(1, (long)Math.Ceiling(percent / 100 * Count));
        long seen = 0;
        for (var i = 0; i < _counts.Length; i++)
        {
            seen += _counts[i];
            if (seen >= rank)
            {
                return Math.Min(MiddleOf(i), Max);
            }
        }

        return 0;
    }

    public double PercentileMicroseconds(double percent) => Percentile(percent) / 1000.0;

    // Below 256 every value has its own place; above, the 8 leading bits name it.
    private static int IndexOf(long value)
    {
        var shift = Math.Max(0, BitOperations.Log2((ulong)value) - StepBits);
        return (shift << StepBits) + (int)(value >> shift);
    }

    private static long MiddleOf(int index)
    {
        var shift = Math.Max(0, (index >> StepBits) - 1);
        var lowest = (long)(index - (shift << StepBits)) << shift;
        return lowest + ((1L << shift) >> 1);
    }
}

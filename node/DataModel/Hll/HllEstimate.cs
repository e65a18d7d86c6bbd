namespace Aerie.DataModel.Hll;

/// How many different values made a sketch: the estimator of Otmar Ertl's "New cardinality estimation algorithms for
/// HyperLogLog sketches" (2017), which needs no correction for few or many values.
internal static class HllEstimate
{
    /// The ranks of all registers, none above RankMax. The estimate is cut to a whole number.
    public static long Count(ReadOnlySpan<byte> ranks)
    {
        Span<int> histogram = stackalloc int[HllShape.RankMax + 1];
        histogram.Clear();
        foreach (var rank in ranks)
        {
            histogram[rank]++;
        }

        return Count(histogram, ranks.Length);
    }

    private static long Count(ReadOnlySpan<int> histogram, double m)
    {
        var z = m * Tau((m - histogram[HllShape.RankMax]) / m);
        for (var rank = HllShape.RankMax - 1; rank >= 1; rank--)
        {
            z = (z + histogram[rank]) / 2;
        }

        z += m * Sigma(histogram[0] / m);
        var count = m * m / (2 * Math.Log(2) * z);
        return count < long.MaxValue ? (long)count : long.MaxValue;
    }

    private static double Sigma(double x)
    {
        if (x == 1)
        {
            return double.PositiveInfinity;
        }

        var (y, z, before) = (1.0, x, double.NaN);
        while (z != before)
        {
            x *= x;
            before = z;
            z += x * y;
            y += y;
        }

        return z;
    }

    private static double Tau(double x)
    {
        if (x is 0 or 1)
        {
            return 0;
        }

        var (y, z, before) = (1.0, 1 - x, double.NaN);
        while (z != before)
        {
            x = Math.Sqrt(x);
            before = z;
            y /= 2;
            z -= (1 - x) * (1 - x) * y;
        }

        return z / 3;
    }
}

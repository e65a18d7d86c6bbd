using System.Globalization;

namespace Aerie.Tools.Bench;

/// What a run did in one interval: told while it runs. EndSeconds counts from where measuring began; Errors are all so far.
public sealed record LoadInterval(double EndSeconds, double Seconds, long Operations, long Errors, LatencyHistogram Latencies)
{
    public double OperationsPerSecond => Operations / Seconds;

    public override string ToString() => string.Create(
        CultureInfo.CurrentCulture,
        $"{EndSeconds,5:0} s {OperationsPerSecond,10:N0} ops/s {Errors,6} errors"
        + $"   p50 {Latencies.PercentileMicroseconds(50),8:N1} µs   p99 {Latencies.PercentileMicroseconds(99),8:N1} µs");
}

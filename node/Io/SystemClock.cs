using System.Diagnostics;
using Aerie.Foundation;

namespace Aerie.Io;

/// The machine's clocks. Both are read without a system call (about 25 ns).
public sealed class SystemClock : IClock
{
    private const long StopwatchTicksPerSecond = 1_000_000_000; // fixed on Linux

    public SystemClock() => Invariant.Holds(Stopwatch.Frequency == StopwatchTicksPerSecond);

    public long MonotonicNanoseconds => Stopwatch.GetTimestamp();

    public long UnixMilliseconds => DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
}

namespace Aerie.Foundation;

/// The only source of time above Io. Two clocks, because they answer different questions: how long something took
/// (never jumps), and what the date is (an operator may set it both ways at any moment).
public interface IClock
{
    long MonotonicNanoseconds { get; }

    long UnixMilliseconds { get; }
}

/// Dates as records keep them: counted from 2010-01-01 UTC.
public static class CitrusTime
{
    public const long EpochUnixSeconds = 1_262_304_000;
    public const long EpochUnixMilliseconds = EpochUnixSeconds * 1000;

    /// A void-time of zero means: never expires.
    public const uint NeverExpires = 0;

    /// Longest life that a client may ask for: ten years.
    public const uint TtlSecondsMax = 315_360_000;

    /// Seconds since 2010. A clock set before 2010 reads as second one, so that nothing becomes "never" or wraps.
    public static uint Seconds(long unixMilliseconds) =>
        unixMilliseconds <= EpochUnixMilliseconds ? 1 : (uint)Math.Min((unixMilliseconds - EpochUnixMilliseconds) / 1000, (1L << 30) - 1);

    /// Last-update-time: milliseconds since 2010 in 40 bits.
    public static ulong Milliseconds(long unixMilliseconds) =>
        unixMilliseconds <= EpochUnixMilliseconds ? 1 : (ulong)Math.Min(unixMilliseconds - EpochUnixMilliseconds, (1L << 40) - 1);

    public static long ToUnixMilliseconds(ulong lastUpdateTime) => (long)lastUpdateTime + EpochUnixMilliseconds;
}

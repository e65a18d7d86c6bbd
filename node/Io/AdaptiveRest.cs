namespace Aerie.Io;

/// Trades latency for CPU at partial load: a wake-up costs as much as three small requests, so a loop that waits a moment
/// before it goes back to the kernel serves several requests with one. Off by default: lowest latency.
public sealed record RestOptions
{
    /// Longest rest, which is also the most that a request waits for others. 0 = off; 50 is where the gain flattens.
    public int MaxMicroseconds { get; init; }

    /// Requests that must be expected during a rest, or the rest would only delay a lonely one.
    public int ArrivalsMin { get; init; } = 2;

    /// A batch of this size has already shared its wake-up.
    public int BatchMax { get; init; } = 16;
}

/// Decides from the measured rate of arrivals whether a loop should rest. Knows no clock: the engine tells it the time.
internal sealed class AdaptiveRest(RestOptions options)
{
    /// Long enough to count a few arrivals at the rates that matter (40 000/s and more), short enough to follow a change.
    private const long WindowNanoseconds = 1_000_000;

    private long _windowStart;
    private long _receivesAtStart;
    private double _arrivalsPerNanosecond;

    public bool IsOn => options.MaxMicroseconds > 0;

    /// How long to rest, after a batch of so many events, `receives` being the count since the engine started.
    public int MicrosecondsAfter(int batch, long receives, long monotonicNanoseconds)
    {
        Measure(receives, monotonicNanoseconds);
        if (batch == 0 || batch >= options.BatchMax)
        {
            return 0;
        }

        var expected = _arrivalsPerNanosecond * options.MaxMicroseconds * 1000;
        return expected >= options.ArrivalsMin ? options.MaxMicroseconds : 0;
    }

    private void Measure(long receives, long now)
    {
        var elapsed = now - _windowStart;
        if (elapsed >= WindowNanoseconds)
        {
            _arrivalsPerNanosecond = (double)(receives - _receivesAtStart) / elapsed;
            _windowStart = now;
            _receivesAtStart = receives;
        }
    }
}

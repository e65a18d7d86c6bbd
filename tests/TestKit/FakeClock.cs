using Aerie.Foundation;

namespace Aerie.TestKit;

/// Time that stands still until a test moves it. The wall clock can be set apart from the monotonic one, as an operator can.
/// Read by any thread, moved by one.
public sealed class FakeClock : IClock
{
    private long _monotonicNanoseconds = 1_000_000_000;
    private long _unixMilliseconds = 1_700_000_000_000;
    private long _nanosecondsBelowMillisecond;

    public long MonotonicNanoseconds
    {
        get => Volatile.Read(ref _monotonicNanoseconds);
        set => Volatile.Write(ref _monotonicNanoseconds, value);
    }

    public long UnixMilliseconds
    {
        get => Volatile.Read(ref _unixMilliseconds);
        set => Volatile.Write(ref _unixMilliseconds, value);
    }

    /// Time passes on both clocks; what is less than a millisecond is kept for the wall clock's next step.
    public void Advance(TimeSpan time)
    {
        var nanoseconds = time.Ticks * TimeSpan.NanosecondsPerTick;
        var wall = _nanosecondsBelowMillisecond + nanoseconds;
        MonotonicNanoseconds += nanoseconds;
        UnixMilliseconds += wall / 1_000_000;
        _nanosecondsBelowMillisecond = wall % 1_000_000;
    }
}

using Aerie.Foundation;
using Aerie.TestKit;

namespace Aerie.Node.Tests.Records;

/// Every look at it takes time: whoever works by the clock gets through so much and no more, the same in each run.
internal sealed class TickingClock(FakeClock clock, long nanosecondsPerLook) : IClock
{
    public long MonotonicNanoseconds
    {
        get
        {
            Advance(TimeSpan.FromTicks(nanosecondsPerLook / 100));
            return clock.MonotonicNanoseconds;
        }
    }

    public long UnixMilliseconds => clock.UnixMilliseconds;

    public void Advance(TimeSpan time) => clock.Advance(time);
}

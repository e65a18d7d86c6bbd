using Aerie.Node.Tests.Info;
using Aerie.TestKit;
using Xunit;

namespace Aerie.Node.Tests.Budgets;

/// What a node does by itself every second, whether or not it serves anybody.
public sealed class PeriodicWorkTests
{
    /// A second makes a few figures that readers may keep; nothing that grows with what was read.
    private const int BytesPerSecond = 1_000;

    private const int Seconds = 100;

    [Fact]
    public void A_quiet_second_makes_next_to_no_garbage()
    {
        using var info = new InfoHarness();
        Assert.Equal("ok", info.Ask("log-set:id=0;any=warning")); // the lines of the log are for whoever wants to read them
        KeepTime(info, Seconds);

        var before = GC.GetAllocatedBytesForCurrentThread();
        KeepTime(info, Seconds);

        Assert.InRange((GC.GetAllocatedBytesForCurrentThread() - before) / Seconds, 0, BytesPerSecond);
    }

    private static void KeepTime(InfoHarness info, int seconds)
    {
        var node = info.Node.Node;
        var end = info.Node.Clock.MonotonicNanoseconds + (seconds * 1_000_000_000L);
        var tick = info.Node.Clock.MonotonicNanoseconds;
        while (info.Node.Clock.MonotonicNanoseconds < end)
        {
            if (info.Node.Clock.MonotonicNanoseconds >= tick)
            {
                info.Reporting.Ticker.Tick();
                tick += 1_000_000_000;
            }

            var rest = node.Housekeeper.Step(node.HousekeepingWorker);
            info.Node.Clock.Advance(TimeSpan.FromMilliseconds(Math.Max(1, rest)));
        }
    }
}

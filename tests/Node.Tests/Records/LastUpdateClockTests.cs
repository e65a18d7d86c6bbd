using Aerie.Server.Records;
using Aerie.TestKit;
using Xunit;

namespace Aerie.Node.Tests.Records;

public sealed class LastUpdateClockTests
{
    private const int Threads = 4;

    private readonly LastUpdateClock _clock = new();

    [Fact, Evidence("LUT-01")]
    public void Time_goes_on_and_never_back()
    {
        Assert.Equal(100ul, _clock.Advance(100));
        Assert.Equal(100ul, _clock.Advance(100));
        Assert.Equal(250ul, _clock.Advance(250));
        Assert.Equal(250ul, _clock.Advance(1));
        Assert.Equal(251ul, _clock.Advance(251));
    }

    [Fact]
    public void No_thread_sees_it_go_back()
    {
        var wentBack = 0;
        var threads = Enumerable.Range(1, Threads).Select(seed => new Thread(() =>
        {
            var random = new Random(seed);
            ulong last = 0;
            for (ulong i = 0; i < 100_000; i++)
            {
                var seen = _clock.Advance(i + (ulong)random.Next(1000));
                if (seen < last)
                {
                    Interlocked.Increment(ref wentBack);
                }

                last = seen;
            }
        })).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        Assert.Equal(0, wentBack);
    }
}

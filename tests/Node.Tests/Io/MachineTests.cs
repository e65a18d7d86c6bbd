using Aerie.Io;
using Xunit;

namespace Aerie.Node.Tests.Io;

public sealed class MachineTests
{
    [Fact]
    public void The_monotonic_clock_never_goes_back_and_the_wall_clock_knows_the_date()
    {
        var clock = new SystemClock();
        var last = clock.MonotonicNanoseconds;
        for (var i = 0; i < 10_000; i++)
        {
            var now = clock.MonotonicNanoseconds;
            Assert.True(now >= last);
            last = now;
        }

        Assert.InRange(clock.UnixMilliseconds, DateTimeOffset.UtcNow.AddMinutes(-1).ToUnixTimeMilliseconds(), long.MaxValue);
    }

    [Fact]
    public void The_limit_of_open_files_can_be_raised_to_what_the_system_allows()
    {
        var highest = ProcessLimits.RaiseOpenFiles();
        Assert.True(ProcessLimits.SetOpenFiles(highest - 1));
        Assert.Equal(highest - 1, ProcessLimits.OpenFiles);
        Assert.Equal(highest, ProcessLimits.RaiseOpenFiles());
    }
}

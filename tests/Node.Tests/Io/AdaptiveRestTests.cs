using Aerie.Io;
using Xunit;

namespace Aerie.Node.Tests.Io;

public sealed class AdaptiveRestTests
{
    private const long Millisecond = 1_000_000;

    [Fact]
    public void It_is_off_by_default() => Assert.False(new AdaptiveRest(new RestOptions()).IsOn);

    [Theory]
    [InlineData(39, 0)] // 39 000 requests a second: fewer than two in 50 µs
    [InlineData(41, 50)]
    public void A_loop_rests_only_if_two_requests_are_expected_meanwhile(int receivesPerMillisecond, int expected)
    {
        var rest = new AdaptiveRest(new RestOptions { MaxMicroseconds = 50 });
        rest.MicrosecondsAfter(1, 0, Millisecond);
        Assert.Equal(expected, rest.MicrosecondsAfter(1, receivesPerMillisecond, 2 * Millisecond));
    }

    [Theory]
    [InlineData(0)] // nothing arrived: an idle loop has no wake-up to share
    [InlineData(16)]
    public void A_loop_does_not_rest_after_no_batch_or_a_large_one(int batch)
    {
        var rest = new AdaptiveRest(new RestOptions { MaxMicroseconds = 50 });
        rest.MicrosecondsAfter(1, 0, Millisecond);
        Assert.Equal(0, rest.MicrosecondsAfter(batch, 1000, 2 * Millisecond));
    }

    [Fact]
    public void The_first_request_after_silence_is_not_kept_waiting()
    {
        var rest = new AdaptiveRest(new RestOptions { MaxMicroseconds = 50 });
        rest.MicrosecondsAfter(1, 0, Millisecond);
        Assert.Equal(50, rest.MicrosecondsAfter(1, 100, 2 * Millisecond));
        Assert.Equal(0, rest.MicrosecondsAfter(1, 101, 1000 * Millisecond));
    }
}

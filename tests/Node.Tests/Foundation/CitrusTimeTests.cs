using Aerie.Foundation;
using Xunit;

namespace Aerie.Node.Tests.Foundation;

public sealed class CitrusTimeTests
{
    private const long Epoch = CitrusTime.EpochUnixMilliseconds;

    [Fact]
    public void Time_counts_from_the_first_of_January_2010() =>
        Assert.Equal(Epoch, new DateTimeOffset(2010, 1, 1, 0, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds());

    [Theory]
    [InlineData(Epoch + 1999, 1u)]
    [InlineData(Epoch + 2000, 2u)]
    [InlineData(Epoch, 1u)] // 0 would mean: never expires
    [InlineData(0, 1u)]
    [InlineData(long.MinValue, 1u)]
    [InlineData(long.MaxValue, (1u << 30) - 1)]
    public void Seconds_never_become_never_and_never_wrap(long unixMilliseconds, uint seconds) =>
        Assert.Equal(seconds, CitrusTime.Seconds(unixMilliseconds));

    [Theory]
    [InlineData(Epoch + 1, 1ul)]
    [InlineData(Epoch + 1234, 1234ul)]
    [InlineData(-5, 1ul)]
    [InlineData(long.MaxValue, (1ul << 40) - 1)]
    public void Milliseconds_fit_40_bits(long unixMilliseconds, ulong milliseconds) =>
        Assert.Equal(milliseconds, CitrusTime.Milliseconds(unixMilliseconds));

    [Fact]
    public void A_last_update_time_is_a_date_again() =>
        Assert.Equal(1_800_000_000_123, CitrusTime.ToUnixMilliseconds(CitrusTime.Milliseconds(1_800_000_000_123)));
}

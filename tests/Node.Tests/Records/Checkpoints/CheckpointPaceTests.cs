using Aerie.Server.Records.Checkpoints;
using Xunit;

namespace Aerie.Node.Tests.Records.Checkpoints;

public sealed class CheckpointPaceTests
{
    private const long Second = 1_000_000_000;

    [Theory]
    [InlineData(true, 16, 0, 1000, false)] // nothing has changed
    [InlineData(true, 16, 63, 60, false)]
    [InlineData(true, 16, 64, 10, true)]
    [InlineData(true, 16, 64, 9, false)]
    [InlineData(true, 16, 1, 119, false)]
    [InlineData(true, 16, 1, 120, true)]
    [InlineData(false, 0, 0, 10, true)] // a start that read everything
    [InlineData(false, 0, 0, 9, false)]
    public void A_checkpoint_is_due_when_the_tail_is_four_times_as_long_or_after_two_minutes(
        bool hasOne, long size, long tail, long seconds, bool isDue) =>
        Assert.Equal(isDue, CheckpointPace.IsDue(new CheckpointNeed(hasOne, size, tail, IsEmpty: false, seconds * Second)));

    [Fact]
    public void An_empty_log_needs_none() =>
        Assert.False(CheckpointPace.IsDue(new CheckpointNeed(false, 0, 0, IsEmpty: true, 1000 * Second)));
}

using Aerie.Foundation;
using Aerie.Index;
using Xunit;

namespace Aerie.Node.Tests.Index;

public sealed class OrderKeyTests
{
    [Theory, InlineData(0), InlineData(1), InlineData(2047), InlineData(4095)]
    public void Keys_order_as_digests_do(int partition)
    {
        var random = new Random(partition);
        var stretch = OrderKey.StretchOf(partition);
        for (var i = 0; i < 20_000; i++)
        {
            var firstByte = random.Next(1, Digest.Length);
            var one = Digests.AlikeUpTo(firstByte, random, partition);
            var other = i % 3 == 0
                ? Digests.WithPrefix((ulong)random.Next(64), partition)
                : Digests.AlikeUpTo(random.Next(1, Digest.Length), random, partition);

            var expected = Math.Sign(one.CompareTo(other));

            Assert.Equal(expected, Math.Sign(new OrderKey(one, stretch).CompareTo(new OrderKey(other, stretch))));
        }
    }

    [Fact]
    public void The_next_region_begins_right_after_the_keys_that_share_the_leading_bits()
    {
        var random = new Random(5);
        for (var i = 0; i < 5_000; i++)
        {
            var key = new OrderKey(Digests.Random(random, 77), OrderKey.StretchOf(77));
            var depth = random.Next(1, 200); // the lowest bits hold the partition, which is not zero

            Assert.True(key.TryNextRegion(depth, out var next));
            Assert.True(next.CompareTo(key) > 0);
            for (var bit = depth; bit < OrderKey.Bits; bit++)
            {
                Assert.False(next.Bit(bit));
            }

            Assert.True(new OrderKey(Digests.WithPrefix(0, 77), OrderKey.StretchOf(77)).TryNextRegion(depth, out var second));
            Assert.True(second.Bit(depth - 1));
        }
    }

    [Fact]
    public void Nothing_comes_after_the_whole() =>
        Assert.False(new OrderKey(Digests.Random(new Random(1)), OrderKey.StretchOf(0)).TryNextRegion(0, out _));
}

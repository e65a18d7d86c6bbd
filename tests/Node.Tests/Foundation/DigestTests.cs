using Aerie.Foundation;
using Aerie.TestKit;
using Xunit;

namespace Aerie.Node.Tests.Foundation;

public sealed class DigestTests
{
    [Theory, Evidence("DIGEST-02")]
    [InlineData(0x34, 0x12, 0x234)]
    [InlineData(0xFF, 0xFF, 0xFFF)]
    [InlineData(0x00, 0xF0, 0)]
    public void The_partition_is_the_low_12_bits_of_the_first_two_bytes_little_endian(byte first, byte second, int partition)
    {
        var bytes = new byte[Digest.Length];
        (bytes[0], bytes[1]) = (first, second);
        Assert.Equal(partition, new Digest(bytes).Partition);
    }

    [Fact]
    public void Digests_are_ordered_by_the_bytes_behind_the_partition()
    {
        var order = new[] { 2, 3, 9, 10, 19, 0, 1 }; // most significant byte first
        for (var i = 0; i < order.Length; i++)
        {
            var small = new byte[Digest.Length];
            var large = new byte[Digest.Length];
            large[order[i]] = 1;
            for (var lower = i + 1; lower < order.Length; lower++)
            {
                small[order[lower]] = 0xFF;
            }

            Assert.True(new Digest(small) < new Digest(large), $"byte {order[i]}");
            Assert.True(new Digest(large) > new Digest(small), $"byte {order[i]}");
        }
    }

    [Fact]
    public void The_order_is_total_and_agrees_with_equality()
    {
        const int seed = 77;
        var random = new Random(seed);
        var digests = Enumerable.Range(0, 300).Select(_ => Few(random)).ToArray();
        foreach (var a in digests)
        {
            foreach (var b in digests)
            {
                Assert.Equal(Math.Sign(a.CompareTo(b)), -Math.Sign(b.CompareTo(a)));
                Assert.Equal(a == b, a.CompareTo(b) == 0);
                Assert.Equal(a == b, a.ToString() == b.ToString());
            }
        }
    }

    [Fact]
    public void A_digest_gives_its_bytes_back()
    {
        var bytes = Enumerable.Range(1, Digest.Length).Select(i => (byte)i).ToArray();
        Assert.Equal(bytes, new Digest(bytes).ToArray());
        Assert.Throws<InvariantException>(() => new Digest(bytes.AsSpan(1)));
    }

    // Digests that differ in few places, so that each byte decides now and then.
    private static Digest Few(Random random)
    {
        var bytes = new byte[Digest.Length];
        bytes[random.Next(Digest.Length)] = (byte)random.Next(2);
        return new Digest(bytes);
    }
}

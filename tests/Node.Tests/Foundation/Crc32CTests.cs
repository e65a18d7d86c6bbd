using Aerie.Foundation;
using Xunit;

namespace Aerie.Node.Tests.Foundation;

public sealed class Crc32CTests
{
    /// The vectors of RFC 3720, appendix B.4, and the usual check value.
    public static TheoryData<byte[], uint> Vectors => new()
    {
        { [], 0u },
        { "123456789"u8.ToArray(), 0xE306_9283 },
        { new byte[32], 0x8A91_36AA },
        { [.. Enumerable.Repeat((byte)0xFF, 32)], 0x62A8_AB43 },
        { [.. Enumerable.Range(0, 32).Select(i => (byte)i)], 0x46DD_794E },
        { [.. Enumerable.Range(0, 32).Select(i => (byte)(31 - i))], 0x113F_DB5C },
    };

    [Theory, MemberData(nameof(Vectors))]
    public void The_checksum_is_that_of_the_standard(byte[] bytes, uint checksum) => Assert.Equal(checksum, Crc32C.Of(bytes));

    [Fact]
    public void A_checksum_can_be_carried_on_at_any_place()
    {
        var bytes = Enumerable.Range(0, 100).Select(i => (byte)(i * 7)).ToArray();
        for (var cut = 0; cut <= bytes.Length; cut++)
        {
            Assert.Equal(Crc32C.Of(bytes), Crc32C.Of(bytes.AsSpan(cut), Crc32C.Of(bytes.AsSpan(0, cut))));
        }
    }
}

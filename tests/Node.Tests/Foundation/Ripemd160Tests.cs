using System.Text;
using Aerie.Foundation;
using Xunit;

namespace Aerie.Node.Tests.Foundation;

public class Ripemd160Tests
{
    /// The vectors that the authors of the function published.
    [Theory]
    [InlineData("", "9c1185a5c5e9fc54612808977ee8f548b2258d31")]
    [InlineData("a", "0bdc9d2d256b3ee9daae347be6f4dc835a467ffe")]
    [InlineData("abc", "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc")]
    [InlineData("message digest", "5d0689ef49d2fae572b881b123a85ffa21595f36")]
    [InlineData("abcdefghijklmnopqrstuvwxyz", "f71c27109c692c1b56bbdceb5b9d2865b3708dbc")]
    [InlineData("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "12a053384a9c0c88e405a06c27dcf49ada62eb2b")]
    [InlineData("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", "b0e20b6e3116640286ed3a87a5713079b21f5189")]
    [InlineData(
        "12345678901234567890123456789012345678901234567890123456789012345678901234567890", "9b752e45573d4b39f4dbd3323cab82bf63326bfb")]
    public void Gives_the_published_hash(string text, string expected)
    {
        Assert.Equal(expected, HashOf(Encoding.ASCII.GetBytes(text), [], []));
    }

    [Fact]
    public void Gives_the_published_hash_of_a_million_times_a()
    {
        var text = new byte[1_000_000];
        Array.Fill(text, (byte)'a');
        Assert.Equal("52783243c1697bdbe16d37f97f68f08325dc1528", HashOf(text, [], []));
    }

    [Fact]
    public void Parts_hash_as_if_they_were_joined()
    {
        var text = Encoding.ASCII.GetBytes("12345678901234567890123456789012345678901234567890123456789012345678901234567890");
        for (var first = 0; first <= text.Length; first++)
        {
            var second = first + ((text.Length - first) / 2);
            Assert.Equal("9b752e45573d4b39f4dbd3323cab82bf63326bfb", HashOf(text[..first], text[first..second], text[second..]));
        }
    }

    private static string HashOf(byte[] first, byte[] second, byte[] third)
    {
        Span<byte> hash = stackalloc byte[Digest.Length];
        Ripemd160.Compute(first, second, third, hash);
        return Convert.ToHexStringLower(hash);
    }
}

using Aerie.Foundation;
using Aerie.Storage;
using Xunit;

namespace Aerie.Node.Tests.Storage;

public sealed class RemovalMarkTests
{
    private static readonly Digest Removed = new([.. Enumerable.Range(0xA0, Digest.Length).Select(i => (byte)i)]);

    [Fact]
    public void The_bytes_of_a_removal_mark_are_frozen()
    {
        var image = new byte[48];
        Assert.Equal(3, RemovalMark.Write(image, Removed, 0x01_0203_0405, 0x1112131415161718));
        Assert.Equal(
            "D3F7C833" + "03000004" + "A0A1A2A3A4A5A6A7A8A9AAABACADAEAFB0B1B2B3" + "0504030201" + "0000"
            + "1817161514131211" + "0000000000",
            Convert.ToHexString(image));
    }

    [Fact]
    public void A_mark_reads_back()
    {
        var image = new byte[48];
        var mark = new RemovalMark(Removed, (1UL << 40) - 1, ulong.MaxValue);
        RemovalMark.Write(image, mark.Digest, mark.LastUpdateTime, mark.Since);
        Assert.True(RemovalMark.TryRead(image, out var read));
        Assert.Equal(mark, read);
        Assert.True(RemovalMark.Verify(image));
        RecordImage.Reseed(image, 9);
        Assert.True(RemovalMark.Verify(image, 9));
        Assert.False(RemovalMark.Verify(image));
    }

    [Fact]
    public void A_mark_is_no_record_and_a_record_no_mark()
    {
        var image = new byte[48];
        RemovalMark.Write(image, Removed, 1, 2);
        Assert.False(RecordImageReader.TryOpen(image, out _));

        new RecordImageWriter(image, new RecordImageHeader { Digest = Removed }, 0).Finish();
        Assert.False(RemovalMark.TryRead(image, out _));
    }

    [Fact]
    public void Every_changed_bit_and_every_other_length_is_noticed()
    {
        var image = new byte[64];
        RemovalMark.Write(image, Removed, 3, 4);
        for (var bit = 0; bit < 8 * RemovalMark.Length; bit++)
        {
            image[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(RemovalMark.Verify(image.AsSpan(0, RemovalMark.Length)), $"bit {bit}");
            image[bit / 8] ^= (byte)(1 << (bit % 8));
        }

        for (var length = 0; length <= image.Length; length++)
        {
            Assert.Equal(length == RemovalMark.Length, RemovalMark.TryRead(image.AsSpan(0, length), out _));
        }
    }
}

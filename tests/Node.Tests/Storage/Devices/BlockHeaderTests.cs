using Aerie.Storage.Devices;
using Xunit;

namespace Aerie.Node.Tests.Storage.Devices;

public sealed class BlockHeaderTests
{
    private static readonly BlockHeader Example = new(BlockKind.Records, 0x1112131415161718, 0x2122232425262728, 0x0102030405, 0x31323334);

    [Fact]
    public void The_bytes_of_a_block_header_are_frozen()
    {
        var page = Page(Example);
        Assert.Equal(
            "41424C4B" + "883515A2" + "0100" + "01" + "00" + "34333231" + "1817161514131211" + "2827262524232221" + "0504030201000000",
            Convert.ToHexString(page[..40]));
        Assert.False(page.AsSpan(40).ContainsAnyExcept((byte)0));
    }

    [Fact]
    public void The_seeds_are_frozen()
    {
        Assert.Equal(
            [0u, 0x9E3779B9, 0x3C6EF372, 0x61C88646],
            new ulong[] { 0, 1, 2, ulong.MaxValue }.Select(sequence => BlockHeader.SeedOf(sequence, 0)));
        Assert.Equal(0xAF054A8Du, BlockHeader.SeedOf(1, 0x31323334));
        Assert.Equal(BlockHeader.SeedOf(Example.Sequence, Example.Salt), Example.Seed);
    }

    [Theory, InlineData(BlockKind.Records, BlockState.Records), InlineData(BlockKind.Checkpoint, BlockState.Checkpoint)]
    public void A_header_reads_back(BlockKind kind, BlockState state)
    {
        var written = Example with { Kind = kind };
        Assert.Equal(state, BlockHeader.Read(Page(written), Example.Device, out var read));
        Assert.Equal(written, read);
    }

    [Fact]
    public void A_zero_page_is_wiped_and_others_pages_are_foreign()
    {
        var page = new byte[DeviceLayout.PageLength];
        Assert.Equal(BlockState.Wiped, BlockHeader.Read(page, 1, out _));
        page[^1] = 1;
        Assert.Equal(BlockState.Foreign, BlockHeader.Read(page, 1, out _));
        Assert.Equal(BlockState.Foreign, BlockHeader.Read(Page(Example), Example.Device + 1, out _));
        Assert.Equal(BlockState.Foreign, BlockHeader.Read(Page(Example with { Kind = (BlockKind)3 }), Example.Device, out _));
        new Random(1).NextBytes(page);
        Assert.Equal(BlockState.Foreign, BlockHeader.Read(page, 1, out _));
    }

    [Fact]
    public void Every_changed_bit_is_damage()
    {
        var page = Page(Example);
        for (var bit = 0; bit < 8 * 64; bit++)
        {
            page[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Equal(BlockState.Damaged, BlockHeader.Read(page, Example.Device, out _));
            page[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    private static byte[] Page(BlockHeader header)
    {
        var page = new byte[DeviceLayout.PageLength];
        header.Write(page);
        return page;
    }
}

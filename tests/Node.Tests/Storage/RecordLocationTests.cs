using Aerie.Foundation;
using Aerie.Storage;
using Xunit;

namespace Aerie.Node.Tests.Storage;

public sealed class RecordLocationTests
{
    [Theory]
    [InlineData(0, 0, 1, 0x0000_0000_0000_0001UL)]
    [InlineData(0, 0, StorageUnit.PerBlock, 0x0000_0000_0008_0000UL)]
    [InlineData(1, 2, 9, 0x0000_0080_0020_0009UL)]
    [InlineData(RecordLocation.BlockCountMax - 1, StorageUnit.PerBlock - 1, 1, 0xFFFF_FFFF_FFF0_0001UL)]
    public void A_location_is_44_bits_of_address_above_20_bits_of_size(int block, int unit, int units, ulong bits)
    {
        var location = RecordLocation.Of(block, unit, units);

        Assert.Equal(bits, location.Bits);
        Assert.Equal((block, unit, units), (location.Block, location.Unit, location.Units));
        Assert.Equal(((long)block * StorageUnit.PerBlock) + unit, location.Address);
        Assert.Equal((unit * 16, units * 16), (location.Offset, location.Length));
        Assert.False(location.IsNone);
    }

    [Theory, InlineData(-1, 0, 1), InlineData(0, 0, 0), InlineData(0, 1, StorageUnit.PerBlock), InlineData(1 << 25, 0, 1)]
    public void What_lies_in_no_block_is_no_location(int block, int unit, int units) =>
        Assert.Throws<InvariantException>(() => RecordLocation.Of(block, unit, units));

    [Fact]
    public void A_shrunk_location_keeps_its_place()
    {
        var location = RecordLocation.Of(5, 6, 70);

        Assert.Equal(RecordLocation.Of(5, 6, 3), location.Shrunk(3));
        Assert.Throws<InvariantException>(() => location.Shrunk(71));
    }

    [Theory, InlineData(1, 1), InlineData(16, 1), InlineData(17, 2), InlineData(IBlockBacking.BlockLength, StorageUnit.PerBlock)]
    public void Bytes_round_up_to_units(int bytes, int units) => Assert.Equal(units, StorageUnit.CountFor(bytes));
}

using System.Buffers.Binary;
using Aerie.Foundation;
using Aerie.Storage.Devices.Checkpoints;
using Xunit;

namespace Aerie.Node.Tests.Storage.Devices;

public sealed class CheckpointHeadTests
{
    private const uint Seed = 0x5EED5EED;

    [Fact]
    public void The_bytes_of_a_head_are_frozen()
    {
        var bytes = Written(Example());
        Assert.Equal(80 + 24 + (4096 * 16) + 8 + (2 * 24), bytes.Length);
        Assert.Equal(
            "4145524945434B50" + "01000000" + "A0000100" + "C99C5874" + "00000000" + "100F0E0D0C0B0A090807060504030201"
            + "0700000000000000" + "0900000000000000" + "0300000000000000" + "01000000" + "00100000" + "01000000" + "02000000"
            + "201F1E1D1C1B1A191817161514131211" + "0A000000" + "00000000",
            Convert.ToHexString(bytes[..104]));
        Assert.Equal("02000000" + "DDCCBBAA" + "0B00000000000000", Convert.ToHexString(bytes.AsSpan(104, 16)));
        Assert.Equal("01000000" + "44332211" + "0000000000000000", Convert.ToHexString(bytes.AsSpan(104 + (4095 * 16), 16)));
        Assert.Equal(
            "0800000000000000"
            + "00000000" + "64000000" + "0300000000000000" + "02000000" + "01000000"
            + "05000000" + "00000000" + "0400000000000000" + "00000000" + "02000000",
            Convert.ToHexString(bytes.AsSpan(104 + (4096 * 16))));
    }

    [Fact]
    public void A_head_reads_back()
    {
        var read = CheckpointHead.TryRead(Written(Example()), Seed);
        Assert.NotNull(read);
        Assert.Equal(Example().Devices, read.Devices);
        Assert.Equal(Example().Partitions, read.Partitions);
        Assert.Equal(Example().RowBlocks, read.RowBlocks);
        Assert.Equal(Example().Blocks, read.Blocks);
        Assert.Equal((7UL, 9UL, 3L), (read.Sequence, read.NextSequence, read.Rows));
    }

    [Fact]
    public void No_damaged_byte_goes_unnoticed_and_no_other_seed_fits()
    {
        var bytes = Written(Example());
        Assert.Null(CheckpointHead.TryRead(bytes, Seed + 1));
        Assert.Null(CheckpointHead.TryRead(bytes.AsSpan(0, bytes.Length - 1), Seed));
        for (var at = 0; at < bytes.Length; at += at < 200 ? 1 : 97)
        {
            bytes[at] ^= 0x10;
            Assert.True(CheckpointHead.TryRead(bytes, Seed) is null, $"byte {at}");
            bytes[at] ^= 0x10;
        }
    }

    [Theory]
    [InlineData(56)] // rows
    [InlineData(64)] // devices
    [InlineData(68)] // partitions
    [InlineData(72)] // blocks with rows
    [InlineData(76)] // data blocks
    public void Counts_that_do_not_fit_are_refused_although_the_checksum_does(int offset)
    {
        var bytes = Written(Example());
        foreach (var value in new[] { 0u, 3u, 0x7FFF_FFFFu, 0xFFFF_FFFFu })
        {
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(offset), value == 3 && offset == 56 ? 4 : value);
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(16), Crc32C.Of(bytes.AsSpan(20)) ^ Seed);
            Assert.Null(CheckpointHead.TryRead(bytes, Seed));
        }
    }

    private static byte[] Written(CheckpointHead head)
    {
        var bytes = new byte[CheckpointHead.Measure(head.Devices.Length, head.RowBlocks.Length, head.Blocks.Length)];
        head.Write(bytes, Seed);
        return bytes;
    }

    private static CheckpointHead Example()
    {
        var partitions = new CheckpointPartition[Digest.PartitionCount];
        partitions[0] = new CheckpointPartition(2, 0xAABBCCDD, 11);
        partitions[^1] = new CheckpointPartition(1, 0x11223344, 0);
        return new CheckpointHead
        {
            StorageId = UInt128.Parse("0102030405060708090A0B0C0D0E0F10", System.Globalization.NumberStyles.HexNumber, null),
            Sequence = 7,
            NextSequence = 9,
            Devices = [new(UInt128.Parse("1112131415161718191A1B1C1D1E1F20", System.Globalization.NumberStyles.HexNumber, null), 10)],
            Partitions = partitions,
            RowBlocks = [8],
            Blocks = [new(0, 3, CheckpointBlockState.Open, 100, 2), new(5, 4, CheckpointBlockState.Dead, 0, 0)],
        };
    }
}

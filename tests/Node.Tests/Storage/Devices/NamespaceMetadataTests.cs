using System.Buffers.Binary;
using Aerie.Foundation;
using Aerie.Storage.Codecs;
using Aerie.Storage.Devices;
using Xunit;

namespace Aerie.Node.Tests.Storage.Devices;

public sealed class NamespaceMetadataTests
{
    [Fact]
    public void The_bytes_of_metadata_are_frozen()
    {
        var slot = Written(Example());
        Assert.Equal(DeviceLayout.PageLength, slot.Length);
        Assert.Equal(
            "41455249454D4554" + "01000000" + "7E000000" + "A1E1C2D3" + "17000000" + "0100000000000000"
            + "101112131415161718191A1B1C1D1E1F" + "0200000000000000" + "0300000000000000" + "0400000000000000" + "0500000000000000"
            + "0600000000000000" + "02000000" + "01000000" + "07000000" + "08000000"
            + "0900" + "0A00000000000000" + "0B00000000000000" + "03736574",
            Convert.ToHexString(slot[..126]));
        Assert.False(slot.AsSpan(126).ContainsAnyExcept((byte)0));
    }

    [Fact]
    public void Metadata_read_back_also_from_a_whole_slot()
    {
        var slot = new byte[DeviceLayout.MetadataLengthMax];
        Array.Fill(slot, (byte)0xEE);
        Assert.True(Example().TryWrite(slot, out _));
        AssertSame(Example(), NamespaceMetadata.TryRead(slot));
        AssertSame(new NamespaceMetadata(), NamespaceMetadata.TryRead(Written(new NamespaceMetadata())));
    }

    [Fact]
    public void As_many_sets_as_a_namespace_can_have_fit_with_a_large_checkpoint()
    {
        var metadata = new NamespaceMetadata { Checkpoint = new CheckpointPlace(1, [.. Enumerable.Range(0, 100_000)]) };
        for (var id = 1; id <= 4095; id++)
        {
            metadata.Sets.Add(new SetMetadata((ushort)id, [.. Enumerable.Repeat((byte)id, 63)], 1, 2));
        }

        AssertSame(metadata, NamespaceMetadata.TryRead(Written(metadata)));
    }

    [Fact]
    public void What_does_not_fit_is_refused()
    {
        var metadata = new NamespaceMetadata { Checkpoint = new CheckpointPlace(1, new int[DeviceLayout.MetadataLengthMax / 4]) };
        Assert.False(metadata.TryWrite(new byte[2 * DeviceLayout.MetadataLengthMax], out _));
        Assert.False(Example().TryWrite(new byte[DeviceLayout.PageLength - 1], out _));
    }

    [Fact]
    public void Every_changed_bit_and_every_cut_is_noticed()
    {
        var slot = Written(Example());
        for (var bit = 0; bit < 8 * 126; bit++)
        {
            slot[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Null(NamespaceMetadata.TryRead(slot));
            slot[bit / 8] ^= (byte)(1 << (bit % 8));
        }

        for (var length = 0; length < 126; length++)
        {
            Assert.Null(NamespaceMetadata.TryRead(slot.AsSpan(0, length)));
        }
    }

    [Fact]
    public void Signed_garbage_never_throws()
    {
        var random = new Random(13);
        var accepted = 0;
        for (var i = 0; i < 50_000; i++)
        {
            var slot = Written(Example());
            for (var changes = random.Next(1, 4); changes > 0; changes--)
            {
                slot[random.Next(20, 126)] = (byte)random.Next(256);
            }

            BinaryPrimitives.WriteUInt32LittleEndian(slot.AsSpan(16), Crc32C.Of(slot.AsSpan(20, 106)));
            accepted += NamespaceMetadata.TryRead(slot) is null ? 0 : 1;
        }

        Assert.InRange(accepted, 1, 49_999);
    }

    private static NamespaceMetadata Example()
    {
        var metadata = new NamespaceMetadata
        {
            Generation = 1,
            StorageId = new UInt128(0x1F1E1D1C1B1A1918, 0x1716151413121110),
            HighestBlockSequence = 2,
            LastUpdateTimeMark = 3,
            TruncateCut = 4,
            SweptCut = 5,
            IsCleanShutdown = true,
            Compression = CompressionUse.Lz4 | CompressionUse.Zstd,
            Checkpoint = new CheckpointPlace(6, [7, 8]),
        };
        metadata.Sets.Add(new SetMetadata(9, "set"u8.ToArray(), 10, 11));
        return metadata;
    }

    private static byte[] Written(NamespaceMetadata metadata)
    {
        var slot = new byte[metadata.MeasurePages()];
        Assert.True(metadata.TryWrite(slot, out var length));
        Assert.Equal(slot.Length, length);
        return slot;
    }

    private static void AssertSame(NamespaceMetadata expected, NamespaceMetadata? read)
    {
        Assert.NotNull(read);
        Assert.Equal(Numbers(expected), Numbers(read));
        Assert.Equal(expected.Checkpoint?.Blocks, read.Checkpoint?.Blocks);
        Assert.Equal(expected.Sets.Select(set => (set.Id, Convert.ToHexString(set.Name), set.TruncateCut, set.SweptCut)),
            read.Sets.Select(set => (set.Id, Convert.ToHexString(set.Name), set.TruncateCut, set.SweptCut)));
    }

    private static (ulong, UInt128, ulong, ulong, ulong, ulong, bool, CompressionUse, ulong?) Numbers(NamespaceMetadata of) => (
        of.Generation, of.StorageId, of.HighestBlockSequence, of.LastUpdateTimeMark, of.TruncateCut, of.SweptCut,
        of.IsCleanShutdown, of.Compression, of.Checkpoint?.Sequence);
}

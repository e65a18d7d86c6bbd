using System.Text;
using Aerie.DataModel.Bins;
using Aerie.Foundation;
using Aerie.Storage;
using Xunit;

namespace Aerie.Node.Tests.Storage;

public sealed class RecordImageTests
{
    private static readonly byte[] DigestBytes = [.. Enumerable.Range(0xA0, Digest.Length).Select(i => (byte)i)];

    [Fact]
    public void The_bytes_of_a_small_image_are_frozen()
    {
        var header = new RecordImageHeader { Digest = new Digest(DigestBytes), LastUpdateTime = 0x01_0203_0405, Generation = 0x0607 };
        var image = new byte[64];
        var writer = new RecordImageWriter(image, header, 1);
        writer.AddBin("n"u8, 1, [0, 0, 0, 0, 0, 0, 0, 42]);

        Assert.Equal(3, writer.Finish());

        Assert.Equal(
            "C6C0FBEC" + "03000000" + "A0A1A2A3A4A5A6A7A8A9AAABACADAEAFB0B1B2B3" + "0504030201" + "0706"
            + "01" + "016E0108" + "000000000000002A",
            Convert.ToHexString(image[..48]));
    }

    [Fact]
    public void The_bytes_of_an_image_with_all_optional_parts_are_frozen()
    {
        var header = new RecordImageHeader
        {
            Digest = new Digest(DigestBytes),
            LastUpdateTime = (1UL << 40) - 1,
            Generation = ushort.MaxValue,
            VoidTime = 0x11121314,
            SetId = 0x2122,
            KeyType = 3,
            Key = "key"u8,
            IsTombstone = true,
        };
        var image = new byte[64];
        var writer = new RecordImageWriter(image, header, 0);

        Assert.Equal(3, writer.Finish());

        Assert.Equal(
            "11A9780E" + "0300F000" + "A0A1A2A3A4A5A6A7A8A9AAABACADAEAFB0B1B2B3" + "FFFFFFFFFF" + "FFFF"
            + "14131211" + "2221" + "03036B6579" + "00" + "00",
            Convert.ToHexString(image[..48]));
    }

    [Fact]
    public void The_numbers_of_the_format_are_frozen()
    {
        Assert.Equal(1, RecordImage.FormatVersion);
        Assert.Equal([0, 4, 8, 28, 33, 35], [
            RecordImage.ChecksumOffset, RecordImage.SizeAndFlagsOffset, RecordImage.DigestOffset,
            RecordImage.LastUpdateTimeOffset, RecordImage.GenerationOffset, RecordImage.OptionalOffset]);
        Assert.Equal(
            "None=0 HasVoidTime=1 HasSet=2 HasKey=4 Tombstone=8 Compressed=16 Encrypted=32 Removal=64 Hole=2048",
            string.Join(' ', Enum.GetValues<RecordFlags>().Select(flag => $"{flag}={(int)flag}")));
    }

    [Theory, InlineData("b", 144), InlineData("bin", 144), InlineData("fifteen-letters", 160)]
    public void A_hundred_bytes_in_one_bin_of_a_set_take_144_bytes(string name, int length)
    {
        var header = new RecordImageHeader { Digest = new Digest(DigestBytes), LastUpdateTime = 1, Generation = 1, SetId = 7 };
        var measured = RecordImage.MeasureHeader(header, 1) + BinList.Measure(name.Length, 100);
        var writer = new RecordImageWriter(new byte[256], header, 1);
        writer.AddBin(Encoding.ASCII.GetBytes(name), 3, new byte[100]);

        Assert.Equal(length, writer.Finish() * StorageUnit.Length);
        Assert.Equal(length, StorageUnit.Padded(measured));
    }

    [Theory, InlineData(1), InlineData(2), InlineData(3)]
    public void Random_records_survive_the_round_trip(int seed)
    {
        var random = new Random(seed);
        for (var i = 0; i < 300; i++)
        {
            var record = RandomRecord.Next(random);
            var image = record.Write();

            Assert.True(RecordImageReader.TryOpen(image, out var reader), $"seed {seed}, record {i}");
            Assert.True(reader.Verify(), $"seed {seed}, record {i}");
            record.AssertIs(image, reader);
        }
    }

    [Fact]
    public void Every_changed_byte_is_noticed()
    {
        var random = new Random(4);
        int[] flips = [1, 2, 4, 8, 16, 32, 64, 128, 255];
        for (var i = 0; i < 20; i++)
        {
            var record = RandomRecord.Next(random, valueLengthMax: 60);
            var image = (record with { Bins = [.. record.Bins.Take(6)] }).Write();
            for (var at = 0; at < image.Length; at++)
            {
                var good = image[at];
                foreach (var flip in flips)
                {
                    image[at] = (byte)(good ^ flip);
                    Assert.False(IsSound(image), $"record {i}, byte {at} ^ {flip}");
                }

                image[at] = good;
            }

            Assert.True(IsSound(image));
        }
    }

    [Fact]
    public void A_cut_or_lengthened_image_is_noticed()
    {
        var random = new Random(5);
        for (var i = 0; i < 50; i++)
        {
            var image = RandomRecord.Next(random).Write();
            for (var length = 0; length < image.Length; length++)
            {
                Assert.False(IsSound(image.AsSpan(0, length)));
            }

            Assert.False(IsSound([.. image, .. new byte[16]]));
        }
    }

    /// Signed garbage: the checksum is right, so that nothing but the structure is left to notice.
    [Fact]
    public void Garbage_never_throws_and_walks_end()
    {
        var random = new Random(6);
        for (var i = 0; i < 200_000; i++)
        {
            var image = new byte[random.Next(1, 20) * StorageUnit.Length];
            random.NextBytes(image);
            var flags = (uint)random.Next(16);
            BitConverter.TryWriteBytes(image.AsSpan(4), (uint)(image.Length / StorageUnit.Length) | (flags << RecordImage.FlagsShift));
            BitConverter.TryWriteBytes(image, Crc32C.Of(image.AsSpan(4)));
            if (RecordImageReader.TryOpen(image, out var reader))
            {
                Touch(reader);
            }
        }
    }

    [Fact]
    public void Flags_of_a_later_format_are_refused()
    {
        var image = new byte[48];
        var units = new RecordImageWriter(image, new RecordImageHeader { Digest = new Digest(DigestBytes) }, 0).Finish();
        Assert.True(IsSound(image));
        for (var bit = 4; bit < 12; bit++)
        {
            BitConverter.TryWriteBytes(image.AsSpan(4), (uint)units | (1u << (RecordImage.FlagsShift + bit)));
            BitConverter.TryWriteBytes(image, Crc32C.Of(image.AsSpan(4)));
            Assert.False(RecordImageReader.TryOpen(image, out _));
        }
    }

    [Fact]
    public void An_image_verifies_with_the_seed_of_its_block_alone()
    {
        var image = RandomRecord.Next(new Random(7)).Write();
        var plain = image.ToArray();
        RecordImage.Reseed(image, 0x12345678);
        Assert.True(RecordImageReader.TryOpen(image, out var reader));
        Assert.True(reader.Verify(0x12345678));
        Assert.False(reader.Verify());
        Assert.False(reader.Verify(0x12345679));

        RecordImage.Reseed(image, 0x12345678);
        Assert.Equal(plain, image);
    }

    [Fact]
    public void The_bytes_of_a_hole_are_frozen()
    {
        var hole = new byte[16];
        RecordImage.WriteHole(hole, 5);
        Assert.Equal("F4EBF66C" + "05000080" + "0000000000000000", Convert.ToHexString(hole));
        Assert.True(RecordImage.IsSoundHole(hole, 0));
        RecordImage.WriteHole(hole, 5, 0xFF);
        Assert.Equal("0BEBF66C" + "05000080" + "0000000000000000", Convert.ToHexString(hole));
        Assert.True(RecordImage.IsSoundHole(hole, 0xFF));
        Assert.False(RecordImage.IsSoundHole(hole, 0));
    }

    [Fact]
    public void A_changed_hole_is_noticed()
    {
        var hole = new byte[16];
        RecordImage.WriteHole(hole, 300, 77);
        for (var bit = 0; bit < 64; bit++)
        {
            hole[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(RecordImage.IsSoundHole(hole, 77), $"bit {bit}");
            hole[bit / 8] ^= (byte)(1 << (bit % 8));
        }

        RecordImage.WriteHole(hole, 0, 77);
        Assert.False(RecordImage.IsSoundHole(hole, 77));
    }

    [Theory, InlineData(0), InlineData(127), InlineData(128), InlineData(16_383), InlineData(16_384), InlineData(Varint.ValueMax)]
    public void A_varint_reads_back_in_its_measured_length(int value)
    {
        var bytes = new byte[Varint.LengthMax];
        var length = Varint.Write(bytes, value);
        var offset = 0;

        Assert.Equal(Varint.Length(value), length);
        Assert.True(Varint.TryRead(bytes.AsSpan(0, length), ref offset, out var read));
        Assert.Equal((value, length), (read, offset));
        offset = 0;
        Assert.False(Varint.TryRead(bytes.AsSpan(0, length - 1), ref offset, out _));
    }

    private static bool IsSound(ReadOnlySpan<byte> image) => RecordImageReader.TryOpen(image, out var reader) && reader.Verify();

    private static void Touch(RecordImageReader reader)
    {
        var walked = 0;
        foreach (var bin in reader.Bins)
        {
            walked += bin.Name.Length + bin.Value.Length + bin.ParticleType;
        }

        _ = (reader.Verify(), reader.VoidTime, reader.SetId, reader.KeyType, reader.Key.Length, reader.Digest, walked);
    }
}

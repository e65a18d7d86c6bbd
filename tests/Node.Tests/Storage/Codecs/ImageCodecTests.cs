using Aerie.Foundation;
using Aerie.Memory.Compression;
using Aerie.Storage;
using Aerie.Storage.Codecs;
using Xunit;

namespace Aerie.Node.Tests.Storage.Codecs;

public sealed class ImageCodecTests
{
    private static readonly byte[] DigestBytes = [.. Enumerable.Range(0xA0, Digest.Length).Select(i => (byte)i)];

    public static TheoryData<CompressionAlgorithm, StorageCipher> Codings
    {
        get
        {
            var all = new TheoryData<CompressionAlgorithm, StorageCipher>();
            foreach (var (algorithm, cipher) in CodecSamples.Codings)
            {
                all.Add(algorithm, cipher);
            }

            return all;
        }
    }

    /// Nonce, tag and ciphertext were computed with another implementation of AES-GCM.
    [Theory]
    [InlineData(StorageCipher.Aes128, "53F97567", "646306DD7627804BB31FEEA0780E8CF8" + "12198D1643")]
    [InlineData(StorageCipher.Aes256, "DAF0786D", "524DA51A3FA4C6BE84EEAC1BC6FEFEFA" + "6A05286505")]
    public void The_bytes_of_an_encrypted_image_are_frozen(StorageCipher cipher, string checksum, string tagAndBody)
    {
        var coding = CodecSamples.Coding(CompressionAlgorithm.None, cipher);
        using var codec = new ImageCodec(coding);
        var plain = KeyedTombstone();

        var stored = CodecSamples.Encode(codec, coding, plain);

        Assert.Equal(
            checksum + "0500F002" + "A0A1A2A3A4A5A6A7A8A9AAABACADAEAFB0B1B2B3" + "FFFFFFFFFF" + "FFFF" + "14131211" + "2221"
            + "03" + "6874" + "F0F1F2F3F4F5F6F7F8F9FAFB" + tagAndBody + "000000",
            Convert.ToHexString(stored));
        Assert.Equal(plain, CodecSamples.Decode(codec, stored));
    }

    /// Compressors may pack better one day; what they packed once must stay readable.
    [Theory, MemberData(nameof(CompressedOnce))]
    public void An_image_that_was_compressed_once_stays_readable(CompressionAlgorithm algorithm, string bytes)
    {
        using var codec = new ImageCodec(CodecSamples.Coding(CompressionAlgorithm.None, StorageCipher.None));
        var stored = Convert.FromHexString(bytes);

        Assert.Equal(algorithm, ImageCoding.AlgorithmOf(stored));
        Assert.Equal(Compressible(), CodecSamples.Decode(codec, stored));
    }

    public static TheoryData<CompressionAlgorithm, string> CompressedOnce => new()
    {
        { CompressionAlgorithm.Lz4, "DE3CC35D05007001A0A1A2A3A4A5A6A7A8A9AAABACADAEAFB0B1B2B3FFFFFFFFFFFFFF141312112221"
            + "1208FAA101FF0603036B657901016E03960174656E206279746573200A00745079746573200000" },
        { CompressionAlgorithm.Snappy, "6451CD8005007001A0A1A2A3A4A5A6A7A8A9AAABACADAEAFB0B1B2B3FFFFFFFFFFFFFF141312112221"
            + "214D40A101A1015003036B657901016E03960174656E20627974657320FE0A00FE0A002E0A0000" },
        { CompressionAlgorithm.Zstd, "D3FE735E06007001A0A1A2A3A4A5A6A7A8A9AAABACADAEAFB0B1B2B3FFFFFFFFFFFFFF141312112221"
            + "3D92A8A10128B52FFD20A1E50000A803036B657901016E03960174656E20627974657320010013A50A1300000000000000000000000000" },
    };

    [Fact]
    public void The_numbers_in_stored_images_and_headers_are_frozen()
    {
        Assert.Equal("None=0 Lz4=1 Snappy=2 Zstd=3", Numbers<CompressionAlgorithm>());
        Assert.Equal("None=0 Aes128=1 Aes256=2", Numbers<StorageCipher>());
        Assert.Equal((16, 60, 76), (KeyRing.CheckLength, KeyRing.WrappedLength, KeyRing.SlotLength));
    }

    [Theory, MemberData(nameof(Codings))]
    public void Images_survive_the_round_trip(CompressionAlgorithm algorithm, StorageCipher cipher)
    {
        var coding = CodecSamples.Coding(algorithm, cipher);
        using var codec = new ImageCodec(coding);
        const int seed = 1;
        var random = new Random(seed);
        for (var i = 0; i < 150; i++)
        {
            var plain = i % 2 == 0
                ? RandomRecord.Next(random).Write()
                : CodecSamples.Image(random, random.Next(1 << random.Next(16)), 1 << random.Next(7));
            AssertRoundTrip(coding, codec, plain, $"seed {seed}, image {i}");
        }
    }

    [Theory, MemberData(nameof(Codings))]
    public void Images_of_every_small_length_survive_the_round_trip(CompressionAlgorithm algorithm, StorageCipher cipher)
    {
        var coding = CodecSamples.Coding(algorithm, cipher);
        using var codec = new ImageCodec(coding);
        var random = new Random(2);
        for (var length = 1; length < 300; length++)
        {
            AssertRoundTrip(coding, codec, CodecSamples.Image(random, length, 1 + (length % 20)), $"value of {length} bytes");
            var zeros = RandomRecord.Next(random) with { Bins = [([1], 4, new byte[length])] };
            AssertRoundTrip(coding, codec, zeros.Write(), $"{length} zeros");
        }
    }

    [Theory, MemberData(nameof(Codings))]
    public void The_largest_images_survive_the_round_trip(CompressionAlgorithm algorithm, StorageCipher cipher)
    {
        var coding = CodecSamples.Coding(algorithm, cipher);
        using var codec = new ImageCodec(coding);
        var random = new Random(3);
        foreach (var repeated in (int[])[1, 1000])
        {
            var plain = CodecSamples.Image(random, RecordImage.LengthMax - 160, repeated);
            Assert.InRange(plain.Length, RecordImage.LengthMax - 160, RecordImage.LengthMax);
            AssertRoundTrip(coding, codec, plain, $"repeated {repeated}");
        }
    }

    [Theory, InlineData(CompressionAlgorithm.Lz4), InlineData(CompressionAlgorithm.Snappy), InlineData(CompressionAlgorithm.Zstd)]
    public void An_image_shrinks_or_is_stored_plain(CompressionAlgorithm algorithm)
    {
        var coding = CodecSamples.Coding(algorithm, StorageCipher.None);
        using var codec = new ImageCodec(coding);
        var noise = CodecSamples.Image(new Random(4), 10_000, 1);
        var text = CodecSamples.Image(new Random(4), 10_000, 50);

        Assert.Equal(noise, CodecSamples.Encode(codec, coding, noise));
        Assert.InRange(CodecSamples.Encode(codec, coding, text).Length, 48, text.Length / 3);
        Assert.Equal(noise.Length + text.Length, codec.PlainBytes);
        Assert.InRange(codec.EncodedBytes, noise.Length, noise.Length + (text.Length / 3));
    }

    /// A failed attempt must not spoil the compressor for the next image.
    [Theory, InlineData(CompressionAlgorithm.Lz4), InlineData(CompressionAlgorithm.Snappy), InlineData(CompressionAlgorithm.Zstd)]
    public void What_does_not_shrink_leaves_no_trace(CompressionAlgorithm algorithm)
    {
        var coding = CodecSamples.Coding(algorithm, StorageCipher.None);
        using var used = new ImageCodec(coding);
        using var fresh = new ImageCodec(coding);
        var random = new Random(5);
        for (var i = 0; i < 100; i++)
        {
            var noise = CodecSamples.Image(random, 10 + random.Next(5_000), 1);
            var text = CodecSamples.Image(random, 10 + random.Next(5_000), 30);
            Assert.Equal(noise, CodecSamples.Decode(fresh, CodecSamples.Encode(used, coding, noise)));
            Assert.Equal(text, CodecSamples.Decode(fresh, CodecSamples.Encode(used, coding, text)));
        }
    }

    [Theory, MemberData(nameof(Codings))]
    public void What_finds_and_orders_a_record_stays_readable(CompressionAlgorithm algorithm, StorageCipher cipher)
    {
        var coding = CodecSamples.Coding(algorithm, cipher);
        using var codec = new ImageCodec(coding);
        var plain = Compressible();

        var stored = CodecSamples.Encode(codec, coding, plain);

        var clear = RecordImage.OptionalOffset + sizeof(uint) + sizeof(ushort);
        Assert.Equal(plain[RecordImage.DigestOffset..clear], stored[RecordImage.DigestOffset..clear]);
        Assert.Equal(!coding.StoresPlain, coding.NeedsDecoding(stored));
        Assert.Equal(stored.Length / StorageUnit.Length, RecordImage.UnitsAt(stored));
    }

    [Theory, InlineData(StorageCipher.Aes128), InlineData(StorageCipher.Aes256)]
    public void Nothing_of_key_and_bins_can_be_seen_in_an_encrypted_image(StorageCipher cipher)
    {
        var coding = CodecSamples.Coding(CompressionAlgorithm.None, cipher);
        using var codec = new ImageCodec(coding);
        var record = RandomRecord.Next(new Random(6)) with
        {
            KeyType = 3,
            Key = "visible-key"u8.ToArray(),
            Bins = [("visible-bin"u8.ToArray(), 3, "visible-value"u8.ToArray())],
        };
        var plain = record.Write();

        Assert.True(plain.AsSpan().IndexOf("visible"u8) >= 0);
        Assert.True(CodecSamples.Encode(codec, coding, plain).AsSpan().IndexOf("visible"u8) < 0);
    }

    [Fact]
    public void A_nonce_never_comes_twice()
    {
        var coding = CodecSamples.Coding(CompressionAlgorithm.None, StorageCipher.Aes128);
        using var one = new ImageCodec(coding);
        using var other = new ImageCodec(coding);
        var plain = KeyedTombstone();
        var seen = new HashSet<string>();
        for (var i = 0; i < 5_000; i++)
        {
            foreach (var codec in (ImageCodec[])[one, other])
            {
                Assert.True(seen.Add(Convert.ToHexString(CodecSamples.Encode(codec, coding, plain).AsSpan(44, 12))));
            }
        }
    }

    [Fact]
    public void Another_start_with_the_same_key_begins_with_other_nonces()
    {
        var one = DataKey.With(StorageCipher.Aes128, CodecSamples.KeyBytes);
        var other = DataKey.With(StorageCipher.Aes128, CodecSamples.KeyBytes);

        Assert.True(one.IsSameAs(other));
        Assert.NotEqual((one.NoncePrefix, one.TakeNonces(1)), (other.NoncePrefix, other.TakeNonces(1)));
    }

    [Fact]
    public void The_block_seed_of_a_stored_image_is_taken_into_account()
    {
        const uint seed = 0x1234_5678;
        var coding = CodecSamples.Coding(CompressionAlgorithm.Lz4, StorageCipher.Aes128);
        using var codec = new ImageCodec(coding);
        var plain = Compressible();
        var stored = CodecSamples.Encode(codec, coding, plain);
        BitConverter.TryWriteBytes(stored, BitConverter.ToUInt32(stored) ^ seed);

        Assert.Equal(plain, CodecSamples.Decode(codec, stored, seed));
        Assert.Null(CodecSamples.Decode(codec, stored));
    }

    [Fact]
    public void Images_say_themselves_how_they_were_written()
    {
        var coding = CodecSamples.Coding(CompressionAlgorithm.None, StorageCipher.None);
        using var codec = new ImageCodec(coding);
        var plain = Compressible();
        var stored = new List<byte[]>();
        foreach (var algorithm in Enum.GetValues<CompressionAlgorithm>())
        {
            coding.Compression = new CompressionSettings(algorithm, Level: 9, Acceleration: 5);
            stored.Add(CodecSamples.Encode(codec, coding, plain));
            Assert.Equal(algorithm, ImageCoding.AlgorithmOf(stored[^1]));
        }

        Assert.All(stored, image => Assert.Equal(plain, CodecSamples.Decode(codec, image)));
    }

    [Fact]
    public void A_higher_level_packs_tighter_and_a_higher_acceleration_looser()
    {
        var coding = CodecSamples.Coding(CompressionAlgorithm.None, StorageCipher.None);
        using var codec = new ImageCodec(coding);
        var random = new Random(7);
        var words = Enumerable.Range(0, 300).Select(_ => $"{random.Next(5_000):x} ").ToArray();
        var text = string.Concat(Enumerable.Range(0, 20_000).Select(_ => words[random.Next(words.Length)]));
        var plain = (RandomRecord.Next(random) with { Bins = [([1], 3, System.Text.Encoding.ASCII.GetBytes(text))] }).Write();

        Assert.True(LengthWith(new(CompressionAlgorithm.Zstd, Level: 9)) < LengthWith(new(CompressionAlgorithm.Zstd, Level: 1)));
        Assert.True(LengthWith(new(CompressionAlgorithm.Lz4)) < LengthWith(new(CompressionAlgorithm.Lz4, Acceleration: 50)));

        int LengthWith(CompressionSettings settings)
        {
            coding.Compression = settings;
            return CodecSamples.Encode(codec, coding, plain).Length;
        }
    }

    [Theory, MemberData(nameof(Codings))]
    public void Encoding_and_decoding_allocate_nothing_managed(CompressionAlgorithm algorithm, StorageCipher cipher)
    {
        var coding = CodecSamples.Coding(algorithm, cipher);
        using var codec = new ImageCodec(coding);
        var plain = CodecSamples.Image(new Random(8), 1_000, 4);
        var stored = new byte[coding.EncodedLengthMax(plain.Length)];
        var decoded = new byte[plain.Length];
        Repeat(50);

        var before = GC.GetAllocatedBytesForCurrentThread();
        Repeat(3_000); // more than the nonces taken at once
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Repeat(int times)
        {
            for (var i = 0; i < times; i++)
            {
                var length = codec.Encode(plain, stored);
                Invariant.Holds(codec.TryDecode(stored.AsSpan(0, length), decoded, out _));
            }
        }
    }

    private static void AssertRoundTrip(ImageCoding coding, ImageCodec codec, byte[] plain, string which)
    {
        var stored = CodecSamples.Encode(codec, coding, plain);

        Assert.True(stored.Length <= coding.EncodedLengthMax(plain.Length), which);
        Assert.True(plain.Length == ImageCoding.DecodedLength(stored), which);
        Assert.True(plain.AsSpan().SequenceEqual(CodecSamples.Decode(codec, stored)), which);
    }

    private static byte[] KeyedTombstone()
    {
        var image = new byte[48];
        new RecordImageWriter(image, Header(isTombstone: true), 0).Finish();
        return image;
    }

    private static byte[] Compressible()
    {
        var image = new byte[256];
        var writer = new RecordImageWriter(image, Header(isTombstone: false), 1);
        writer.AddBin("n"u8, 3, Enumerable.Repeat("ten bytes "u8.ToArray(), 15).SelectMany(ten => ten).ToArray());
        return image[..(writer.Finish() * StorageUnit.Length)];
    }

    private static RecordImageHeader Header(bool isTombstone) => new()
    {
        Digest = new Digest(DigestBytes),
        LastUpdateTime = (1UL << 40) - 1,
        Generation = ushort.MaxValue,
        VoidTime = 0x11121314,
        SetId = 0x2122,
        KeyType = 3,
        Key = "key"u8,
        IsTombstone = isTombstone,
    };

    private static string Numbers<T>()
        where T : struct, Enum =>
        string.Join(' ', Enum.GetValues<T>().Select(value => $"{value}={Convert.ToInt32(value)}"));
}

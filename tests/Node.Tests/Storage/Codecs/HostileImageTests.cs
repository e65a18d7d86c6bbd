using Aerie.Foundation;
using Aerie.Memory.Compression;
using Aerie.Storage;
using Aerie.Storage.Codecs;
using Xunit;

namespace Aerie.Node.Tests.Storage.Codecs;

/// Stored bytes that were damaged, or made by somebody who can write to the device.
public sealed class HostileImageTests
{
    [Fact]
    public void Every_changed_byte_is_noticed()
    {
        var random = new Random(1);
        foreach (var (algorithm, cipher) in CodecSamples.Codings)
        {
            var coding = CodecSamples.Coding(algorithm, cipher);
            using var codec = new ImageCodec(coding);
            var stored = CodecSamples.Encode(codec, coding, CodecSamples.Image(random, 200, 8));
            for (var at = 0; at < stored.Length; at++)
            {
                stored[at] ^= (byte)(1 << (at % 8));
                Assert.True(CodecSamples.Decode(codec, stored) == null, $"{algorithm}, {cipher}, byte {at}");
                stored[at] ^= (byte)(1 << (at % 8));
            }

            Assert.NotNull(CodecSamples.Decode(codec, stored));
        }
    }

    [Theory, InlineData(CompressionAlgorithm.None), InlineData(CompressionAlgorithm.Lz4), InlineData(CompressionAlgorithm.Zstd)]
    public void Every_byte_of_an_encrypted_image_is_noticed_even_with_a_right_checksum(CompressionAlgorithm algorithm)
    {
        var coding = CodecSamples.Coding(algorithm, StorageCipher.Aes256);
        using var codec = new ImageCodec(coding);
        var stored = CodecSamples.Encode(codec, coding, CodecSamples.Image(new Random(2), 300, 10));
        for (var at = RecordImage.SizeAndFlagsOffset; at < stored.Length; at++)
        {
            foreach (var flip in (byte[])[1, 16, 128])
            {
                var changed = stored.ToArray();
                changed[at] ^= flip;
                CodecSamples.SignAgain(changed);
                Assert.True(CodecSamples.Decode(codec, changed) == null, $"byte {at} ^ {flip}");
            }
        }
    }

    [Fact]
    public void A_part_cannot_be_put_under_another_header()
    {
        var coding = CodecSamples.Coding(CompressionAlgorithm.None, StorageCipher.Aes128);
        using var codec = new ImageCodec(coding);
        var mine = CodecSamples.Encode(codec, coding, CodecSamples.Image(new Random(3), 100, 1));
        var other = CodecSamples.Encode(codec, coding, CodecSamples.Image(new Random(3), 100, 1));
        mine[RecordImage.DigestOffset] ^= 1;
        CodecSamples.SignAgain(mine);

        Assert.Null(CodecSamples.Decode(codec, mine));
        Assert.NotNull(CodecSamples.Decode(codec, other));
    }

    [Fact]
    public void A_plain_image_is_refused_where_images_are_encrypted()
    {
        var plain = CodecSamples.Image(new Random(4), 100, 4);
        foreach (var algorithm in Enum.GetValues<CompressionAlgorithm>())
        {
            var open = CodecSamples.Coding(algorithm, StorageCipher.None);
            using var writer = new ImageCodec(open);
            var locked = CodecSamples.Coding(algorithm, StorageCipher.Aes128);
            using var reader = new ImageCodec(locked);
            var forged = CodecSamples.Encode(writer, open, plain);

            Assert.True(locked.NeedsDecoding(forged));
            Assert.Null(CodecSamples.Decode(reader, forged));
        }
    }

    [Fact]
    public void Another_key_or_none_opens_nothing()
    {
        var coding = CodecSamples.Coding(CompressionAlgorithm.Lz4, StorageCipher.Aes256);
        using var codec = new ImageCodec(coding);
        var stored = CodecSamples.Encode(codec, coding, CodecSamples.Image(new Random(5), 100, 4));
        var otherBytes = CodecSamples.KeyBytes.ToArray();
        otherBytes[31] ^= 1;
        DataKey?[] others =
        [
            null,
            new DataKey(StorageCipher.Aes256, otherBytes, CodecSamples.NonceStart),
            new DataKey(StorageCipher.Aes128, CodecSamples.KeyBytes, CodecSamples.NonceStart),
        ];
        foreach (var key in others)
        {
            using var reader = new ImageCodec(new ImageCoding(CodecSamples.Libraries, key));
            Assert.Null(CodecSamples.Decode(reader, stored));
        }
    }

    /// Without a key nothing but the structure and the decompressors stand between the device and the reader. Wild values of
    /// every field come along: 200 000 inputs, all with a right checksum.
    [Theory, InlineData(StorageCipher.None, 185_000), InlineData(StorageCipher.Aes128, 15_000)]
    public void Mutated_images_never_crash_and_never_grow_beyond_the_limit(StorageCipher cipher, int inputs)
    {
        const int seed = 6;
        var random = new Random(seed);
        var samples = Samples(cipher, random);
        using var codec = new ImageCodec(CodecSamples.Coding(CompressionAlgorithm.None, cipher));
        var plain = new byte[RecordImage.LengthMax];
        var accepted = 0;
        for (var i = 0; i < inputs; i++)
        {
            var sample = samples[i % samples.Count];
            var stored = Mutate(random, sample);
            var announced = ImageCoding.DecodedLength(stored);
            Assert.InRange(announced, 0, RecordImage.LengthMax);
            if (codec.TryDecode(stored, plain.AsSpan(0, announced), out var length))
            {
                accepted++;
                Assert.True(length == announced, $"seed {seed}, input {i}");
                Assert.True(cipher == StorageCipher.None || stored.AsSpan().SequenceEqual(sample), $"seed {seed}, input {i}");
                Touch(plain.AsSpan(0, length));
            }
        }

        Assert.True(accepted > 0); // changes that undo each other, or that only a key could notice
    }

    [Fact]
    public void Garbage_with_coded_flags_never_crashes()
    {
        var random = new Random(7);
        using var codec = new ImageCodec(CodecSamples.Coding(CompressionAlgorithm.None, StorageCipher.None));
        var plain = new byte[RecordImage.LengthMax];
        for (var i = 0; i < 100_000; i++)
        {
            var stored = new byte[random.Next(20) * StorageUnit.Length];
            random.NextBytes(stored);
            if (stored.Length > 0)
            {
                BitConverter.TryWriteBytes(stored.AsSpan(4), (uint)(stored.Length / 16) | (uint)random.Next(64) << 20);
                CodecSamples.SignAgain(stored);
            }

            _ = ImageCoding.AlgorithmOf(stored);
            codec.TryDecode(stored, plain.AsSpan(0, ImageCoding.DecodedLength(stored)), out _);
        }
    }

    private static List<byte[]> Samples(StorageCipher cipher, Random random)
    {
        var samples = new List<byte[]>();
        foreach (var algorithm in Enum.GetValues<CompressionAlgorithm>())
        {
            var coding = CodecSamples.Coding(algorithm, cipher);
            using var codec = new ImageCodec(coding);
            samples.AddRange(Enumerable.Range(1, 4).Select(i =>
                CodecSamples.Encode(codec, coding, CodecSamples.Image(random, 60 * i * i, 3 * i))));
        }

        return samples;
    }

    private static byte[] Mutate(Random random, byte[] sample)
    {
        var stored = sample.ToArray();
        for (var changes = random.Next(1, 4); changes > 0; changes--)
        {
            // Half of the changes go where the form byte and the announced length are.
            var at = random.Next(2) == 0 ? random.Next(35, 46) : random.Next(4, stored.Length);
            stored[at] = random.Next(3) == 0 ? (byte)random.Next(256) : (byte)(stored[at] ^ (1 << random.Next(8)));
        }

        if (random.Next(4) == 0)
        {
            Array.Resize(ref stored, Math.Max(48, StorageUnit.Padded(random.Next(2 * stored.Length))));
        }

        var flags = BitConverter.ToUInt32(stored, 4) >> 20;
        BitConverter.TryWriteBytes(stored.AsSpan(4), (uint)(stored.Length / StorageUnit.Length) | (flags << 20));
        CodecSamples.SignAgain(stored);
        return stored;
    }

    private static void Touch(ReadOnlySpan<byte> plain)
    {
        if (RecordImageReader.TryOpen(plain, out var reader))
        {
            foreach (var bin in reader.Bins)
            {
                _ = bin.Value.Length;
            }

            _ = (reader.Verify(), reader.Key.Length, reader.SetId);
        }
    }
}

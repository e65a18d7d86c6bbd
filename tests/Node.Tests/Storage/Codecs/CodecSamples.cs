using System.Buffers.Binary;
using Aerie.DataModel.Bins;
using Aerie.Foundation;
using Aerie.Memory.Compression;
using Aerie.Storage;
using Aerie.Storage.Codecs;

namespace Aerie.Node.Tests.Storage.Codecs;

/// Keys that tests share, and images of any length.
internal static class CodecSamples
{
    public static CompressionLibraries Libraries { get; } = CompressionLibraries.Load();

    public static byte[] KeyBytes { get; } = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];

    public static byte[] NonceStart { get; } = [.. Enumerable.Range(0xF0, 12).Select(i => (byte)i)];

    /// Every combination of algorithm and cipher.
    public static IEnumerable<(CompressionAlgorithm Algorithm, StorageCipher Cipher)> Codings =>
        from algorithm in Enum.GetValues<CompressionAlgorithm>()
        from cipher in Enum.GetValues<StorageCipher>()
        select (algorithm, cipher);

    public static DataKey? Key(StorageCipher cipher) => cipher == StorageCipher.None ? null : new DataKey(cipher, KeyBytes, NonceStart);

    public static ImageCoding Coding(CompressionAlgorithm algorithm, StorageCipher cipher) =>
        new(Libraries, Key(cipher)) { Compression = new CompressionSettings(algorithm) };

    /// One bin; `repeated` says how often its random bytes are the same again, so how well the image compresses.
    public static byte[] Image(Random random, int valueLength, int repeated)
    {
        var header = new RecordImageHeader
        {
            Digest = new Digest(NextBytes(random, Digest.Length)),
            LastUpdateTime = (ulong)random.NextInt64(1L << 40),
            Generation = (ushort)random.Next(65_536),
            VoidTime = (uint)random.Next(2) * 77,
            SetId = (ushort)random.Next(3),
            KeyType = (byte)(random.Next(2) * 3),
            Key = "user-key"u8,
        };
        var image = new byte[StorageUnit.Padded(RecordImage.MeasureHeader(header, 1) + BinList.Measure(3, valueLength))];
        var writer = new RecordImageWriter(image, header, 1);
        var value = writer.ReserveBin("bin"u8, 4, valueLength);
        var piece = NextBytes(random, Math.Max(1, (valueLength + repeated - 1) / repeated));
        for (var at = 0; at < value.Length; at += piece.Length)
        {
            piece.AsSpan(0, Math.Min(piece.Length, value.Length - at)).CopyTo(value[at..]);
        }

        writer.Finish();
        return image;
    }

    public static byte[] Encode(ImageCodec codec, ImageCoding coding, byte[] plain)
    {
        var stored = new byte[coding.EncodedLengthMax(plain.Length)];
        Array.Fill(stored, (byte)0xEE);
        return stored[..codec.Encode(plain, stored)];
    }

    /// Null when it is refused.
    public static byte[]? Decode(ImageCodec codec, byte[] stored, uint seed = 0)
    {
        var plain = new byte[ImageCoding.DecodedLength(stored)];
        Array.Fill(plain, (byte)0xEE);
        return codec.TryDecode(stored, plain, out var length, seed) ? plain[..length] : null;
    }

    /// What somebody who can write to the device, but has no key, can do.
    public static void SignAgain(Span<byte> image) =>
        BinaryPrimitives.WriteUInt32LittleEndian(image, Crc32C.Of(image[RecordImage.SizeAndFlagsOffset..]));

    private static byte[] NextBytes(Random random, int length)
    {
        var bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }
}

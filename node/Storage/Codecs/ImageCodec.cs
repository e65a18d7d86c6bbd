using System.Buffers.Binary;
using System.Security.Cryptography;
using Aerie.Foundation;
using Aerie.Memory.Compression;

namespace Aerie.Storage.Codecs;

/// Turns finished images into what is stored and back. One codec belongs to one thread; all codecs of an ImageCoding
/// understand each other. No managed allocation per image once the largest was seen.
public sealed class ImageCodec(ImageCoding coding) : IDisposable
{
    /// Nonces taken from the shared counter at once, so that threads seldom meet there. Those left at the end are lost.
    private const int NoncesTaken = 1024;

    private readonly AesGcm? _cipher = coding.Key?.CreateCipher();
    private readonly Compressor?[] _compressors = new Compressor?[(int)CompressionAlgorithm.Zstd + 1];
    private byte[] _decrypted = [];
    private ulong _nextNonce;
    private int _noncesLeft;

    /// Bytes of all images given to Encode, and what became of them: `data_compression_ratio`.
    public long PlainBytes { get; private set; }

    public long EncodedBytes { get; private set; }

    /// The image as RecordImageWriter finished it; room for ImageCoding.EncodedLengthMax elsewhere. Returns the length of
    /// what is stored, in whole units. An image that would not shrink is not compressed. The checksum has no block's seed.
    public int Encode(ReadOnlySpan<byte> plain, Span<byte> into)
    {
        var flags = EncodedImage.FlagsOf(plain);
        Invariant.Holds(EncodedImage.HasSoundSize(plain) && (flags & ~EncodedImage.Codable) == 0);
        Invariant.Holds(into.Length >= coding.EncodedLengthMax(plain.Length));
        var part = PartOf(plain, flags);
        if (_cipher != null)
        {
            flags |= RecordFlags.Encrypted;
        }

        var settings = coding.Compression;
        var length = TryCompress(plain, part, into, flags | RecordFlags.Compressed, settings);
        if (length == 0 && _cipher == null)
        {
            plain.CopyTo(into);
            length = plain.Length;
        }
        else if (length == 0)
        {
            var body = EncodedImage.BodyOffset(flags, CompressionAlgorithm.None, part.Length, encrypted: true);
            part.CopyTo(into[body..]);
            length = Complete(plain, into, body, body + part.Length, flags, CompressionAlgorithm.None, part.Length);
        }

        PlainBytes += plain.Length;
        EncodedBytes += length;
        return length;
    }

    /// The stored image, plain ones included, and room for ImageCoding.DecodedLength elsewhere. The seed is what the stored
    /// checksum was mixed with; the result's has none. False for everything that no Encode with this key has made, and
    /// when the library it needs is missing; the target's content is then undefined.
    public bool TryDecode(ReadOnlySpan<byte> stored, Span<byte> into, out int length, uint seed = 0)
    {
        length = 0;
        if (!EncodedImage.HasSoundSize(stored) || !HasSoundChecksum(stored, seed))
        {
            return false;
        }

        if (EncodedImage.TryParse(stored, out var image))
        {
            var plainLength = image.PlainLength;
            Invariant.Holds(into.Length >= plainLength);
            length = TryDecode(image, into[..plainLength]) ? plainLength : 0;
        }
        else if (_cipher == null && (EncodedImage.FlagsOf(stored) & ~EncodedImage.Codable) == 0)
        {
            stored.CopyTo(into);
            EncodedImage.Sign(into[..stored.Length]);
            length = stored.Length;
        }

        return length > 0;
    }

    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(_decrypted);
        _cipher?.Dispose();
        foreach (var compressor in _compressors)
        {
            compressor?.Dispose();
        }
    }

    /// What is compressed and encrypted: from the user key to the last byte that cannot be padding.
    private static ReadOnlySpan<byte> PartOf(ReadOnlySpan<byte> plain, RecordFlags flags)
    {
        var padding = Math.Max(plain.Length - StorageUnit.Length + 1, EncodedImage.ClearLength(flags));
        var end = padding + plain[padding..].TrimEnd((byte)0).Length;
        return plain[EncodedImage.ClearLength(flags)..end];
    }

    /// 0 when the result would not be a unit shorter than without compression.
    private int TryCompress(
        ReadOnlySpan<byte> plain, ReadOnlySpan<byte> part, Span<byte> into, RecordFlags flags, CompressionSettings settings)
    {
        if (settings.Algorithm == CompressionAlgorithm.None)
        {
            return 0;
        }

        var uncompressed = _cipher == null
            ? plain.Length
            : StorageUnit.Padded(EncodedImage.BodyOffset(flags, CompressionAlgorithm.None, part.Length, encrypted: true) + part.Length);
        var body = EncodedImage.BodyOffset(flags, settings.Algorithm, part.Length, _cipher != null);
        var room = uncompressed - StorageUnit.Length - body;
        if (room <= 0)
        {
            return 0;
        }

        var length = CompressorOf(settings.Algorithm).Compress(part, into.Slice(body, room), settings.Effort);
        return length == 0 ? 0 : Complete(plain, into, body, body + length, flags, settings.Algorithm, part.Length);
    }

    /// The body is in place, not yet encrypted: everything else.
    private int Complete(
        ReadOnlySpan<byte> plain, Span<byte> into, int body, int end, RecordFlags flags, CompressionAlgorithm algorithm, int partLength)
    {
        plain[RecordImage.DigestOffset..EncodedImage.ClearLength(flags)].CopyTo(into[RecordImage.DigestOffset..]);
        var length = EncodedImage.WriteAround(into, end, flags, algorithm, partLength);
        if (_cipher != null)
        {
            var nonce = into.Slice(body - EncodedImage.SealLength, EncodedImage.NonceLength);
            var tag = into.Slice(body - EncodedImage.TagLength, EncodedImage.TagLength);
            var header = into[RecordImage.SizeAndFlagsOffset..(body - EncodedImage.SealLength)];
            WriteNonce(nonce);
            _cipher.Encrypt(nonce, into[body..end], into[body..end], tag, header);
        }

        EncodedImage.Sign(into[..length]);
        return length;
    }

    private void WriteNonce(Span<byte> nonce)
    {
        if (_noncesLeft == 0)
        {
            _nextNonce = coding.Key!.TakeNonces(NoncesTaken);
            _noncesLeft = NoncesTaken;
        }

        _noncesLeft--;
        BinaryPrimitives.WriteUInt32LittleEndian(nonce, coding.Key!.NoncePrefix);
        BinaryPrimitives.WriteUInt64LittleEndian(nonce[sizeof(uint)..], _nextNonce++);
    }

    private bool TryDecode(in EncodedImage image, Span<byte> plain)
    {
        var flags = image.Flags;
        var clear = EncodedImage.ClearLength(flags);
        var part = plain.Slice(clear, image.PartLength);
        var isEncrypted = (flags & RecordFlags.Encrypted) != 0;
        var body = image.Body;
        if (isEncrypted != (_cipher != null) || !coding.Libraries.Has(image.Algorithm))
        {
            return false;
        }

        if (isEncrypted)
        {
            var decrypted = image.Algorithm == CompressionAlgorithm.None ? part : RoomToDecrypt(body.Length);
            if (!TryDecrypt(image, decrypted))
            {
                return false;
            }

            body = decrypted;
        }

        if (image.Algorithm != CompressionAlgorithm.None && !CompressorOf(image.Algorithm).TryDecompress(body, part))
        {
            return false;
        }

        image.Header[RecordImage.DigestOffset..clear].CopyTo(plain[RecordImage.DigestOffset..]);
        plain[(clear + part.Length)..].Clear();
        EncodedImage.WriteSizeAndFlags(plain, plain.Length, flags & ~EncodedImage.Codings);
        EncodedImage.Sign(plain);
        return true;
    }

    private bool TryDecrypt(in EncodedImage image, Span<byte> into)
    {
        var nonce = image.Seal[..EncodedImage.NonceLength];
        var tag = image.Seal[EncodedImage.NonceLength..];
        try
        {
            _cipher!.Decrypt(nonce, image.Body, tag, into, image.Header[RecordImage.SizeAndFlagsOffset..]);
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
    }

    private Span<byte> RoomToDecrypt(int length)
    {
        if (_decrypted.Length < length)
        {
            _decrypted = GC.AllocateUninitializedArray<byte>((int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)length));
        }

        return _decrypted.AsSpan(0, length);
    }

    private Compressor CompressorOf(CompressionAlgorithm algorithm) =>
        _compressors[(int)algorithm] ??= coding.Libraries.Create(algorithm);

    private static bool HasSoundChecksum(ReadOnlySpan<byte> stored, uint seed) =>
        BinaryPrimitives.ReadUInt32LittleEndian(stored[RecordImage.ChecksumOffset..])
        == (Crc32C.Of(stored[RecordImage.SizeAndFlagsOffset..]) ^ seed);
}

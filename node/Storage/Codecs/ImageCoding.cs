using Aerie.Foundation;
using Aerie.Memory.Compression;

namespace Aerie.Storage.Codecs;

/// Config `compression`, `compression-level` (zstd) and `compression-acceleration` (lz4), all dynamic: they say how images
/// are written from now on. Images say themselves how they were written.
public sealed record CompressionSettings(CompressionAlgorithm Algorithm, int Level = 0, int Acceleration = 0)
{
    public static CompressionSettings None { get; } = new(CompressionAlgorithm.None);

    /// What Compressor.Compress takes.
    internal int Effort => Algorithm == CompressionAlgorithm.Lz4 ? Acceleration : Level;
}

/// How the images of one namespace are stored: shared by all threads, which take a codec each.
public sealed class ImageCoding(CompressionLibraries libraries, DataKey? key)
{
    private CompressionSettings _compression = CompressionSettings.None;
    private uint _used;

    /// May change at any time. Throws MissingLibraryException, and keeps what was, when the library is not there.
    public CompressionSettings Compression
    {
        get => Volatile.Read(ref _compression);
        set
        {
            NoteUse(value.Algorithm); // before the first image: who saves what images rely on must know it by then
            Volatile.Write(ref _compression, value);
        }
    }

    /// Algorithms that stored images may need, now and before: a storage must not be opened without their libraries.
    public CompressionUse Used => (CompressionUse)Volatile.Read(ref _used);

    /// Images of this algorithm are stored. Throws MissingLibraryException when the library is not there.
    public void NoteUse(CompressionAlgorithm algorithm)
    {
        libraries.Require(algorithm);
        if (algorithm != CompressionAlgorithm.None && ((uint)Used & 1u << (int)algorithm) == 0)
        {
            Interlocked.Or(ref _used, 1u << (int)algorithm);
        }
    }

    /// All of an earlier run.
    public void NoteUse(CompressionUse used)
    {
        for (var algorithm = CompressionAlgorithm.Lz4; algorithm <= CompressionAlgorithm.Zstd; algorithm++)
        {
            if (((uint)used & 1u << (int)algorithm) != 0)
            {
                NoteUse(algorithm);
            }
        }
    }

    /// Why images cannot be written with this; null: they can.
    public string? Lack(CompressionAlgorithm algorithm) => libraries.Lack(algorithm);

    /// Images are stored as their writer finished them: no codec is needed to write.
    public bool StoresPlain => key == null && Compression.Algorithm == CompressionAlgorithm.None;

    internal CompressionLibraries Libraries => libraries;

    internal DataKey? Key => key;

    /// Bytes to reserve for what Encode makes of an image of this length. It may exceed RecordImage.LengthMax by two units:
    /// then the record is too big for an encrypted namespace.
    public int EncodedLengthMax(int plainLength) =>
        StorageUnit.Padded(StorageUnit.Padded(plainLength) + (key == null ? 0 : EncodedImage.FormLength + EncodedImage.SealLength));

    /// Whether a stored image must pass TryDecode before it can be read. In an encrypted namespace all must, so that
    /// nobody who can write to the device slips in a plain one.
    public bool NeedsDecoding(ReadOnlySpan<byte> stored) =>
        key != null || (EncodedImage.FlagsOf(stored) & EncodedImage.Codings) != 0;

    /// The algorithm that a stored image needs: at start, to refuse instead of taking records for damaged.
    public static CompressionAlgorithm AlgorithmOf(ReadOnlySpan<byte> stored) =>
        EncodedImage.TryParse(stored, out var image) ? image.Algorithm : CompressionAlgorithm.None;

    /// Bytes that TryDecode needs for its result, at most RecordImage.LengthMax. 0 when these bytes are no image.
    public static int DecodedLength(ReadOnlySpan<byte> stored)
    {
        if (EncodedImage.TryParse(stored, out var image))
        {
            return image.PlainLength;
        }

        var isPlain = EncodedImage.HasSoundSize(stored) && (EncodedImage.FlagsOf(stored) & ~EncodedImage.Codable) == 0;
        return isPlain ? stored.Length : 0;
    }
}

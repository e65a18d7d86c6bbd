using System.Buffers.Binary;
using Aerie.DataModel.Bins;
using Aerie.Foundation;
using Aerie.Storage.Codecs;

namespace Aerie.Storage;

/// Reads an image where it lies. TryOpen checks what the properties rely on, so that no property can fail; bins are
/// checked while they are walked, and Verify checks everything at once.
public readonly ref struct RecordImageReader
{
    private const RecordFlags Known = RecordFlags.HasVoidTime | RecordFlags.HasSet | RecordFlags.HasKey | RecordFlags.Tombstone;

    private readonly ReadOnlySpan<byte> _image;
    private readonly int _keyOffset;
    private readonly int _keyLength;
    private readonly int _binsOffset;

    private RecordImageReader(ReadOnlySpan<byte> image, RecordFlags flags, int keyOffset, int keyLength, int binsOffset, int binCount)
    {
        _image = image;
        Flags = flags;
        _keyOffset = keyOffset;
        _keyLength = keyLength;
        _binsOffset = binsOffset;
        BinCount = binCount;
    }

    public ReadOnlySpan<byte> Image => _image;

    public RecordFlags Flags { get; }

    public int BinCount { get; }

    public int Units => _image.Length / StorageUnit.Length;

    public Digest Digest => new(_image.Slice(RecordImage.DigestOffset, Digest.Length));

    public ulong LastUpdateTime =>
        BinaryPrimitives.ReadUInt32LittleEndian(_image[RecordImage.LastUpdateTimeOffset..])
        | ((ulong)_image[RecordImage.LastUpdateTimeOffset + sizeof(uint)] << 32);

    public ushort Generation => BinaryPrimitives.ReadUInt16LittleEndian(_image[RecordImage.GenerationOffset..]);

    public uint VoidTime => (Flags & RecordFlags.HasVoidTime) == 0
        ? CitrusTime.NeverExpires
        : BinaryPrimitives.ReadUInt32LittleEndian(_image[RecordImage.OptionalOffset..]);

    /// 0 is the null set.
    public ushort SetId => (Flags & RecordFlags.HasSet) == 0
        ? (ushort)0
        : BinaryPrimitives.ReadUInt16LittleEndian(_image[SetOffset(Flags)..]);

    public bool IsTombstone => (Flags & RecordFlags.Tombstone) != 0;

    /// The user key can be read here. In an encoded image it cannot, even if it has one.
    public bool HasKey => (Flags & (RecordFlags.HasKey | EncodedImage.Codings)) == RecordFlags.HasKey;

    /// Key and bins are compressed or encrypted: only what stands in front of them can be read, there seem to be no others.
    public bool IsEncoded => (Flags & EncodedImage.Codings) != 0;

    /// Particle type of the user key, 0 without one.
    public byte KeyType => HasKey ? _image[KeyStart(Flags)] : (byte)0;

    public ReadOnlySpan<byte> Key => _image.Slice(_keyOffset, _keyLength);

    public BinEnumerator Bins => new(_image, _binsOffset, BinCount);

    /// The span must be exactly the image, as the location of the record says. False for anything whose header does not fit.
    public static bool TryOpen(ReadOnlySpan<byte> image, out RecordImageReader reader)
    {
        reader = default;
        if (image.Length < RecordImage.OptionalOffset || RecordImage.UnitsAt(image) != image.Length / StorageUnit.Length
            || image.Length % StorageUnit.Length != 0)
        {
            return false;
        }

        var flags = (RecordFlags)(RecordImage.SizeAndFlags(image) >> RecordImage.FlagsShift);
        if ((flags & ~Known) != 0)
        {
            return false;
        }

        // The shortest image is three units: set id and void-time lie inside it.
        var at = KeyStart(flags);
        var keyLength = 0;
        if ((flags & RecordFlags.HasKey) != 0)
        {
            at++;
            if (!Varint.TryRead(image, ref at, out keyLength) || keyLength > image.Length - at)
            {
                return false;
            }
        }

        var keyOffset = at;
        at += keyLength;
        if (!Varint.TryRead(image, ref at, out var binCount))
        {
            return false;
        }

        reader = new RecordImageReader(image, flags, keyOffset, keyLength, at, binCount);
        return true;
    }

    /// The same for bytes as they are stored, which may be encoded. For those who look at headers alone: no key is needed.
    public static bool TryOpenStored(ReadOnlySpan<byte> image, out RecordImageReader reader)
    {
        if (TryOpen(image, out reader))
        {
            return true;
        }

        if (!EncodedImage.TryParse(image, out var encoded))
        {
            return false;
        }

        reader = new RecordImageReader(image, encoded.Flags, 0, 0, image.Length, 0);
        return true;
    }

    /// Whether these are the bytes that a writer finished, in the life of the block that the seed stands for: checksum,
    /// every bin inside the image, zeros behind the last.
    public bool Verify(uint seed = 0) => RecordImage.IsSigned(_image, seed) && IsWellFormed(out _);

    /// The part of Verify that does not read values: the bins end where the image does. `steps` is what it cost.
    public bool IsWellFormed(out int steps)
    {
        steps = 0;
        if (IsEncoded)
        {
            return true; // its structure was looked at when it was opened
        }

        var bins = Bins;
        while (bins.MoveNext())
        {
        }

        steps = BinCount - bins.Remaining;
        return bins.IsComplete
            && StorageUnit.Padded(bins.Offset) == _image.Length
            && !_image[bins.Offset..].ContainsAnyExcept((byte)0);
    }

    private static int SetOffset(RecordFlags flags) =>
        RecordImage.OptionalOffset + ((flags & RecordFlags.HasVoidTime) != 0 ? sizeof(uint) : 0);

    private static int KeyStart(RecordFlags flags) => SetOffset(flags) + ((flags & RecordFlags.HasSet) != 0 ? sizeof(ushort) : 0);
}

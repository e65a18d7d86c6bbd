using System.Buffers.Binary;
using Aerie.DataModel.Bins;
using Aerie.Foundation;
using Aerie.Memory.Compression;

namespace Aerie.Storage.Codecs;

/// An image whose part behind the set id is compressed, encrypted or both. What finds a record and orders its versions
/// stays readable without the key. Little-endian, padded with zeros to whole units.
///
///      0  u32      checksum, as in every image
///      4  u32      size in units as stored; the record's flags, with Compressed and Encrypted beside them
///      8  …        digest, last-update time, generation, void-time, set id: as RecordImage says
///      …  u8       low four bits: zeros at the end; high four bits: the algorithm, CompressionAlgorithm.None without Compressed
///      …  u16      low half of the CRC-32C of everything from byte 4 to here: a search through damage refuses by it at once what
///                  only looks like an image, before it reads up to 8 MiB for the checksum
///      …  varint   length of the part, only with Compressed
///      …  12 bytes nonce, 16 bytes tag, only with Encrypted
///      …  the part: user key and bins. First compressed, then encrypted
///
/// The part ends before the last zeros that padding could have been: they come back by rounding up to units. The tag
/// covers everything between the checksum and the nonce too, so no encrypted part can be put under another header.
internal readonly ref struct EncodedImage
{
    public const RecordFlags Codings = RecordFlags.Compressed | RecordFlags.Encrypted;
    public const int NonceLength = 12;
    public const int TagLength = 16;
    public const int SealLength = NonceLength + TagLength;

    /// Flags of images that pass through a codec. Holes and what has no bins to hide do not.
    public const RecordFlags Codable = RecordFlags.HasVoidTime | RecordFlags.HasSet | RecordFlags.HasKey | RecordFlags.Tombstone;

    private const int AlgorithmShift = 4;
    private const int PadMask = (1 << AlgorithmShift) - 1;

    private EncodedImage(ReadOnlySpan<byte> header, ReadOnlySpan<byte> seal, ReadOnlySpan<byte> body, int partLength)
    {
        Header = header;
        Seal = seal;
        Body = body;
        PartLength = partLength;
    }

    /// Everything in front of the seal and the body.
    public ReadOnlySpan<byte> Header { get; }

    /// Nonce and tag, empty without Encrypted.
    public ReadOnlySpan<byte> Seal { get; }

    public ReadOnlySpan<byte> Body { get; }

    /// Bytes of the part when it is neither compressed nor encrypted.
    public int PartLength { get; }

    public RecordFlags Flags => FlagsOf(Header);

    public CompressionAlgorithm Algorithm => (CompressionAlgorithm)(Header[ClearLength(Flags)] >> AlgorithmShift);

    public int PlainLength => StorageUnit.Padded(ClearLength(Flags) + PartLength);

    public static RecordFlags FlagsOf(ReadOnlySpan<byte> image) =>
        (RecordFlags)(RecordImage.SizeAndFlags(image) >> RecordImage.FlagsShift);

    /// Bytes up to the user key: what no codec changes, but for checksum, size and flags.
    public static int ClearLength(RecordFlags flags) =>
        RecordImage.OptionalOffset
        + ((flags & RecordFlags.HasVoidTime) != 0 ? sizeof(uint) : 0)
        + ((flags & RecordFlags.HasSet) != 0 ? sizeof(ushort) : 0);

    /// Form and check, behind what no codec changes.
    public const int FormLength = 1 + sizeof(ushort);

    /// Where the body begins, when the image is written with these.
    public static int BodyOffset(RecordFlags flags, CompressionAlgorithm algorithm, int partLength, bool encrypted) =>
        ClearLength(flags) + FormLength
        + (algorithm != CompressionAlgorithm.None ? Varint.Length(partLength) : 0)
        + (encrypted ? SealLength : 0);

    /// Writes everything around a body that ends at `end`, but for checksum and seal; what no codec changes is there
    /// already. Returns the stored length.
    public static int WriteAround(Span<byte> into, int end, RecordFlags flags, CompressionAlgorithm algorithm, int partLength)
    {
        var length = StorageUnit.Padded(end);
        into[end..length].Clear();
        var at = ClearLength(flags);
        into[at++] = (byte)((int)algorithm << AlgorithmShift | (length - end));
        WriteSizeAndFlags(into, length, flags);
        BinaryPrimitives.WriteUInt16LittleEndian(into[at..], CheckOf(into[..at]));
        if (algorithm != CompressionAlgorithm.None)
        {
            Varint.Write(into[(at + sizeof(ushort))..], partLength);
        }

        return length;
    }

    public static void WriteSizeAndFlags(Span<byte> image, int length, RecordFlags flags) =>
        BinaryPrimitives.WriteUInt32LittleEndian(
            image[RecordImage.SizeAndFlagsOffset..], (uint)StorageUnit.CountFor(length) | (uint)flags << RecordImage.FlagsShift);

    /// The checksum comes last: it makes the bytes an image.
    public static void Sign(Span<byte> image) =>
        BinaryPrimitives.WriteUInt32LittleEndian(
            image[RecordImage.ChecksumOffset..], Crc32C.Of(image[RecordImage.SizeAndFlagsOffset..]));

    /// Whether the bytes have this structure; what is in the body is not looked at. The checksum is the caller's.
    public static bool TryParse(ReadOnlySpan<byte> stored, out EncodedImage image)
    {
        image = default;
        if (!HasSoundSize(stored))
        {
            return false;
        }

        var flags = FlagsOf(stored);
        var clear = ClearLength(flags);
        if ((flags & Codings) == 0 || (flags & ~(Codable | Codings)) != 0)
        {
            return false;
        }

        var form = stored[clear];
        var at = clear + FormLength;
        if (BinaryPrimitives.ReadUInt16LittleEndian(stored[(clear + 1)..]) != CheckOf(stored[..(clear + 1)]))
        {
            return false;
        }

        var end = stored.Length - (form & PadMask);
        var algorithm = (CompressionAlgorithm)(form >> AlgorithmShift);
        var isCompressed = (flags & RecordFlags.Compressed) != 0;
        var partLength = 0;
        if (algorithm > CompressionAlgorithm.Zstd || algorithm != CompressionAlgorithm.None != isCompressed
            || (isCompressed && !Varint.TryRead(stored, ref at, out partLength)))
        {
            return false;
        }

        var body = at + ((flags & RecordFlags.Encrypted) != 0 ? SealLength : 0);
        if (body > end || stored[end..].ContainsAnyExcept((byte)0))
        {
            return false;
        }

        partLength = isCompressed ? partLength : end - body;
        image = new EncodedImage(stored[..at], stored[at..body], stored[body..end], partLength);
        return clear + partLength <= RecordImage.LengthMax;
    }

    public static bool HasSoundSize(ReadOnlySpan<byte> stored) =>
        stored.Length >= StorageUnit.Padded(RecordImage.OptionalOffset + 1)
        && stored.Length % StorageUnit.Length == 0
        && RecordImage.UnitsAt(stored) == stored.Length / StorageUnit.Length;

    private static ushort CheckOf(ReadOnlySpan<byte> header) => (ushort)Crc32C.Of(header[RecordImage.SizeAndFlagsOffset..]);
}

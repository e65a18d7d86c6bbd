using System.Buffers.Binary;
using Aerie.DataModel.Bins;
using Aerie.Foundation;

namespace Aerie.Storage;

/// The bytes of one record as they lie in a block. Little-endian, padded with zeros to whole units.
///
///      0  u32      CRC-32C of everything behind it, padding included; on a device XOR the seed of the block's life
///      4  u32      size in units (low 20 bits), flags (high 12 bits)
///      8  20 bytes digest
///     28  5 bytes  last-update time, milliseconds of CitrusTime
///     33  u16      generation
///     35  u32      void-time, seconds of CitrusTime        only with HasVoidTime
///      …  u16      set id                                  only with HasSet
///      …  u8, varint length, bytes   user key: particle type and value, only with HasKey
///      …  varint   number of bins, then the bins as BinList describes them
///
/// A unit chain that holds no record (what a writer reserved and did not need) starts with the same two u32: the checksum
/// of its size and flag, XOR the seed, then its size and the flag Hole alone; what follows is not looked at. Thus a block can
/// be walked from its first unit without an index. A RemovalMark is an image with the flag Removal and no bins.
///
/// Any change of this layout, a new flag included, raises FormatVersion: a backing stores it and refuses other versions.
public static class RecordImage
{
    public const int FormatVersion = 1;

    public const int ChecksumOffset = 0;
    public const int SizeAndFlagsOffset = 4;
    public const int DigestOffset = 8;
    public const int LastUpdateTimeOffset = 28;
    public const int LastUpdateTimeLength = 5;
    public const int GenerationOffset = 33;
    public const int OptionalOffset = 35;

    public const int FlagsShift = 20;
    public const uint SizeMask = (1u << FlagsShift) - 1;

    /// What is written of a hole.
    public const int HoleLength = 2 * sizeof(uint);

    /// The largest image: one block.
    public const int LengthMax = IBlockBacking.BlockLength;

    /// Bytes in front of the first bin.
    public static int MeasureHeader(in RecordImageHeader header, int binCount)
    {
        var length = OptionalOffset + Varint.Length(binCount);
        length += header.VoidTime != CitrusTime.NeverExpires ? sizeof(uint) : 0;
        length += header.SetId != 0 ? sizeof(ushort) : 0;
        length += header.KeyType != 0 ? 1 + Varint.Length(header.Key.Length) + header.Key.Length : 0;
        return length;
    }

    /// Size in units as the first bytes of an image or a hole tell it; 0 is neither.
    internal static int UnitsAt(ReadOnlySpan<byte> start) => (int)(SizeAndFlags(start) & SizeMask);

    internal static bool IsHole(ReadOnlySpan<byte> start) => SizeAndFlags(start) >> FlagsShift == (uint)RecordFlags.Hole;

    /// Needs the first eight bytes of the hole only.
    internal static void WriteHole(Span<byte> start, int units, uint seed = 0)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(start[SizeAndFlagsOffset..], (uint)units | ((uint)RecordFlags.Hole << FlagsShift));
        Sign(start[..DigestOffset], seed);
    }

    /// Whether these first eight bytes are those of a hole that was written in the life of the block that the seed stands for.
    internal static bool IsSoundHole(ReadOnlySpan<byte> start, uint seed) =>
        IsHole(start) && UnitsAt(start) > 0 && IsSigned(start[..DigestOffset], seed);

    /// Turns an image that was written without a seed into one of this life of a block, and back. A hole as well.
    public static void Reseed(Span<byte> image, uint seed) =>
        BinaryPrimitives.WriteUInt32LittleEndian(image, BinaryPrimitives.ReadUInt32LittleEndian(image) ^ seed);

    internal static void Sign(Span<byte> image, uint seed = 0) =>
        BinaryPrimitives.WriteUInt32LittleEndian(image[ChecksumOffset..], Crc32C.Of(image[SizeAndFlagsOffset..]) ^ seed);

    /// Whether the bytes are those that were written, in this life of their block.
    public static bool IsSigned(ReadOnlySpan<byte> image, uint seed) =>
        BinaryPrimitives.ReadUInt32LittleEndian(image[ChecksumOffset..]) == (Crc32C.Of(image[SizeAndFlagsOffset..]) ^ seed);

    internal static uint SizeAndFlags(ReadOnlySpan<byte> start) => BinaryPrimitives.ReadUInt32LittleEndian(start[SizeAndFlagsOffset..]);
}

/// The twelve flag bits of an image. A reader refuses what it does not know.
[Flags]
public enum RecordFlags
{
    None = 0,
    HasVoidTime = 1,
    HasSet = 2,
    HasKey = 4,

    /// A durable delete: no bins, kept until no older copy of the record can come back.
    Tombstone = 8,

    /// The part behind the digest is compressed. Its bit is taken, nothing writes it yet.
    Compressed = 16,

    /// The part behind the digest is encrypted. Its bit is taken, nothing writes it yet.
    Encrypted = 32,

    /// A removal mark; see RemovalMark. Not a record.
    Removal = 64,

    Hole = 2048,
}

/// What stands in front of the bins. Zero means absent: void-time 0 never expires, set id 0 is the null set, particle
/// type 0 is no user key.
public readonly ref struct RecordImageHeader
{
    public Digest Digest { get; init; }

    /// 40 bits.
    public ulong LastUpdateTime { get; init; }

    public ushort Generation { get; init; }

    public uint VoidTime { get; init; }

    public ushort SetId { get; init; }

    public bool IsTombstone { get; init; }

    public byte KeyType { get; init; }

    public ReadOnlySpan<byte> Key { get; init; }
}

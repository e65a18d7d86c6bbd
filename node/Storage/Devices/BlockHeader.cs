using System.Buffers.Binary;
using Aerie.Foundation;

namespace Aerie.Storage.Devices;

/// What one data block of a device holds, as far as its first page says.
public enum BlockState
{
    /// All zero: never used, or not needed any more.
    Wiped,
    Records,
    Checkpoint,

    /// Not ours, of another device, or of another format version.
    Foreign,

    /// Was ours: magic or checksum fits, but not both.
    Damaged,
}

public enum BlockKind : byte
{
    Records = 1,
    Checkpoint = 2,
}

/// The first page of a data block, little-endian, zeros behind. Written when the block is opened and never again in that
/// life of the block.
///
///      0  u32   magic "ABLK"
///      4  u32   CRC-32C of bytes 8 to 63
///      8  u16   format version of the images
///     10  u8    kind
///     11  u8    zero
///     12  u32   salt, random: makes the seed one that nobody can guess who plants an image inside a value
///     16  u64   sequence: rises with every block opened in the storage, never used twice
///     24  u64   first eight bytes of the device id
///     32  i64   opened, unix milliseconds
///     40  zeros
public readonly record struct BlockHeader(BlockKind Kind, ulong Sequence, ulong Device, long OpenedUnixMilliseconds, uint Salt = 0)
{
    private const uint Magic = 0x4B4C4241;

    private const int ChecksumOffset = 4;
    private const int VersionOffset = 8;
    private const int KindOffset = 10;
    private const int SaltOffset = 12;
    private const int SequenceOffset = 16;
    private const int DeviceOffset = 24;
    private const int OpenedOffset = 32;
    private const int CheckedEnd = 64;

    /// What is XORed into the checksum of everything in the block: what an earlier life left behind never verifies, nor do
    /// bytes that a client chose.
    public static uint SeedOf(ulong sequence, uint salt) => (uint)((sequence * 0x9E37_79B9_7F4A_7C15) >> 32) ^ salt;

    public uint Seed => SeedOf(Sequence, Salt);

    /// Fills the whole page.
    public void Write(Span<byte> page)
    {
        Invariant.Holds(page.Length == DeviceLayout.PageLength);
        page.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(page, Magic);
        BinaryPrimitives.WriteUInt16LittleEndian(page[VersionOffset..], RecordImage.FormatVersion);
        page[KindOffset] = (byte)Kind;
        BinaryPrimitives.WriteUInt32LittleEndian(page[SaltOffset..], Salt);
        BinaryPrimitives.WriteUInt64LittleEndian(page[SequenceOffset..], Sequence);
        BinaryPrimitives.WriteUInt64LittleEndian(page[DeviceOffset..], Device);
        BinaryPrimitives.WriteInt64LittleEndian(page[OpenedOffset..], OpenedUnixMilliseconds);
        BinaryPrimitives.WriteUInt32LittleEndian(page[ChecksumOffset..], Crc32C.Of(page[VersionOffset..CheckedEnd]));
    }

    /// The header is meaningful for Records and Checkpoint only. `device` is what the label of the device says, null: any.
    public static BlockState Read(ReadOnlySpan<byte> page, ulong? device, out BlockHeader header)
    {
        Invariant.Holds(page.Length >= DeviceLayout.PageLength);
        header = default;
        if (!page[..DeviceLayout.PageLength].ContainsAnyExcept((byte)0))
        {
            return BlockState.Wiped;
        }

        var hasMagic = BinaryPrimitives.ReadUInt32LittleEndian(page) == Magic;
        var isSigned = BinaryPrimitives.ReadUInt32LittleEndian(page[ChecksumOffset..]) == Crc32C.Of(page[VersionOffset..CheckedEnd]);
        if (!hasMagic || !isSigned)
        {
            return hasMagic || isSigned ? BlockState.Damaged : BlockState.Foreign;
        }

        var read = new BlockHeader(
            (BlockKind)page[KindOffset],
            BinaryPrimitives.ReadUInt64LittleEndian(page[SequenceOffset..]),
            BinaryPrimitives.ReadUInt64LittleEndian(page[DeviceOffset..]),
            BinaryPrimitives.ReadInt64LittleEndian(page[OpenedOffset..]),
            BinaryPrimitives.ReadUInt32LittleEndian(page[SaltOffset..]));
        if (BinaryPrimitives.ReadUInt16LittleEndian(page[VersionOffset..]) != RecordImage.FormatVersion
            || (device is not null && read.Device != device)
            || read.Kind is not (BlockKind.Records or BlockKind.Checkpoint))
        {
            return BlockState.Foreign;
        }

        header = read;
        return read.Kind == BlockKind.Records ? BlockState.Records : BlockState.Checkpoint;
    }
}

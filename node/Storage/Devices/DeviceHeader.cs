using System.Buffers.Binary;
using System.Text;
using Aerie.Foundation;
using Aerie.Storage.Codecs;

namespace Aerie.Storage.Devices;

/// Why a device is not taken as it is.
public enum DeviceRefusal
{
    None,

    /// Both pages are zero: it may be formatted.
    Empty,
    NotOurs,
    OtherVersion,
    Damaged,
    OtherBlockLength,
}

/// Whose device this is: page 0 and a copy in page 1, little-endian, zeros behind. Numbers of 16 bytes are ids.
///
///      0  8 bytes  magic "AERIEDEV"
///      8  u32      format version
///     12  u32      CRC-32C of the page with this field zero
///     16  u8, 31 bytes  namespace name
///     48  16 bytes storage id, random, the same on all devices of the namespace
///     64  16 bytes device id, random
///     80  u16      device number
///     82  u16      device count
///     84  u32      block length
///     88  u64      block count, the label area included
///     96  i64      created, unix milliseconds
///    104  u8       encryption
///    105  76 bytes key slot: key check and wrapped data key as KeyRing says, zero without encryption
///
/// Magic, version and the places of both stay what they are in all versions.
public sealed record DeviceHeader
{
    public const uint FormatVersion = 1;

    public const int NamespaceLengthMax = 31;

    private const int VersionOffset = 8;
    private const int ChecksumOffset = 12;
    private const int NamespaceOffset = 16;
    private const int StorageIdOffset = 48;
    private const int DeviceIdOffset = 64;
    private const int NumberOffset = 80;
    private const int CountOffset = 82;
    private const int BlockLengthOffset = 84;
    private const int BlockCountOffset = 88;
    private const int CreatedOffset = 96;
    private const int EncryptionOffset = 104;
    private const int KeySlotOffset = 105;

    private static ReadOnlySpan<byte> Magic => "AERIEDEV"u8;

    public required string Namespace { get; init; }

    public required UInt128 StorageId { get; init; }

    public required UInt128 DeviceId { get; init; }

    public required int DeviceNumber { get; init; }

    public required int DeviceCount { get; init; }

    public required long BlockCount { get; init; }

    public required long CreatedUnixMilliseconds { get; init; }

    public StorageCipher Encryption { get; init; }

    public KeySlot KeySlot { get; init; }

    /// What the header of each data block repeats.
    public ulong BlockDevice => (ulong)DeviceId;

    /// Fills both pages. They are to be written one after the other with a Sync between, so that one is always whole.
    public void Write(Span<byte> pages)
    {
        Invariant.Holds(pages.Length == DeviceLayout.DeviceHeadersLength && IsConsistent);
        var page = pages[..DeviceLayout.PageLength];
        page.Clear();
        Magic.CopyTo(page);
        BinaryPrimitives.WriteUInt32LittleEndian(page[VersionOffset..], FormatVersion);
        page[NamespaceOffset] = (byte)Encoding.UTF8.GetBytes(Namespace, page.Slice(NamespaceOffset + 1, NamespaceLengthMax));
        BinaryPrimitives.WriteUInt128LittleEndian(page[StorageIdOffset..], StorageId);
        BinaryPrimitives.WriteUInt128LittleEndian(page[DeviceIdOffset..], DeviceId);
        BinaryPrimitives.WriteUInt16LittleEndian(page[NumberOffset..], (ushort)DeviceNumber);
        BinaryPrimitives.WriteUInt16LittleEndian(page[CountOffset..], (ushort)DeviceCount);
        BinaryPrimitives.WriteUInt32LittleEndian(page[BlockLengthOffset..], DeviceLayout.BlockLength);
        BinaryPrimitives.WriteInt64LittleEndian(page[BlockCountOffset..], BlockCount);
        BinaryPrimitives.WriteInt64LittleEndian(page[CreatedOffset..], CreatedUnixMilliseconds);
        page[EncryptionOffset] = (byte)Encryption;
        KeySlot.Bytes.CopyTo(page[KeySlotOffset..]);
        BinaryPrimitives.WriteUInt32LittleEndian(page[ChecksumOffset..], Crc32C.Of(page));
        page.CopyTo(pages[DeviceLayout.PageLength..]);
    }

    /// Reads the first good one of the two pages. The header is null unless nothing is refused.
    public static DeviceRefusal Read(ReadOnlySpan<byte> pages, out DeviceHeader? header)
    {
        Invariant.Holds(pages.Length >= DeviceLayout.DeviceHeadersLength);
        var first = ReadPage(pages[..DeviceLayout.PageLength], out header);
        if (first == DeviceRefusal.None)
        {
            return first;
        }

        var second = ReadPage(pages.Slice(DeviceLayout.PageLength, DeviceLayout.PageLength), out header);
        return second == DeviceRefusal.None || WeightOf(second) > WeightOf(first) ? second : first;
    }

    /// One line for an operator: what is wrong and what to do.
    public static string Explain(DeviceRefusal refusal, string path) => refusal switch
    {
        DeviceRefusal.None => $"{path}: a device of Aerie",
        DeviceRefusal.Empty => $"{path}: empty: a node that is configured with it will format it",
        DeviceRefusal.NotOurs => $"{path}: holds data that is not Aerie's: check the path; to give it to Aerie anyway run "
            + "aerie-node init-volume --force",
        DeviceRefusal.OtherVersion => $"{path}: written in another format version than {FormatVersion}: run the version of Aerie that "
            + "wrote it, or give its data up with aerie-node init-volume --force",
        DeviceRefusal.OtherBlockLength => $"{path}: written with another block length than {DeviceLayout.BlockLength} bytes: give its "
            + "data up with aerie-node init-volume --force",
        _ => $"{path}: both copies of the device header are damaged: aerie storage inspect shows what is left; give its data up with "
            + "aerie-node init-volume --force",
    };

    private bool IsConsistent =>
        Encoding.UTF8.GetByteCount(Namespace) is > 0 and <= NamespaceLengthMax
        && DeviceCount is > 0 and <= ushort.MaxValue && DeviceNumber >= 0 && DeviceNumber < DeviceCount
        && BlockCount is >= DeviceLayout.BlocksMin and <= RecordLocation.BlockCountMax
        && Encryption <= StorageCipher.Aes256;

    private static int WeightOf(DeviceRefusal refusal) => refusal switch
    {
        DeviceRefusal.OtherVersion => 4,
        DeviceRefusal.OtherBlockLength => 3,
        DeviceRefusal.Damaged => 2,
        DeviceRefusal.NotOurs => 1,
        _ => 0,
    };

    private static DeviceRefusal ReadPage(ReadOnlySpan<byte> page, out DeviceHeader? header)
    {
        header = null;
        if (!page.StartsWith(Magic))
        {
            return page.ContainsAnyExcept((byte)0) ? DeviceRefusal.NotOurs : DeviceRefusal.Empty;
        }

        if (BinaryPrimitives.ReadUInt32LittleEndian(page[VersionOffset..]) != FormatVersion)
        {
            return DeviceRefusal.OtherVersion; // nothing behind the version can be relied on, not even the checksum's place
        }

        Span<byte> unsigned = stackalloc byte[DeviceLayout.PageLength];
        page.CopyTo(unsigned);
        unsigned.Slice(ChecksumOffset, sizeof(uint)).Clear();
        if (Crc32C.Of(unsigned) != BinaryPrimitives.ReadUInt32LittleEndian(page[ChecksumOffset..]))
        {
            return DeviceRefusal.Damaged;
        }

        if (BinaryPrimitives.ReadUInt32LittleEndian(page[BlockLengthOffset..]) != DeviceLayout.BlockLength)
        {
            return DeviceRefusal.OtherBlockLength;
        }

        var read = ReadFields(page);
        header = page[NamespaceOffset] <= NamespaceLengthMax && read.IsConsistent ? read : null;
        return header is null ? DeviceRefusal.Damaged : DeviceRefusal.None;
    }

    private static DeviceHeader ReadFields(ReadOnlySpan<byte> page) => new()
    {
        Namespace = Encoding.UTF8.GetString(
            page.Slice(NamespaceOffset + 1, Math.Min(page[NamespaceOffset], (byte)NamespaceLengthMax))),
        StorageId = BinaryPrimitives.ReadUInt128LittleEndian(page[StorageIdOffset..]),
        DeviceId = BinaryPrimitives.ReadUInt128LittleEndian(page[DeviceIdOffset..]),
        DeviceNumber = BinaryPrimitives.ReadUInt16LittleEndian(page[NumberOffset..]),
        DeviceCount = BinaryPrimitives.ReadUInt16LittleEndian(page[CountOffset..]),
        BlockCount = BinaryPrimitives.ReadInt64LittleEndian(page[BlockCountOffset..]),
        CreatedUnixMilliseconds = BinaryPrimitives.ReadInt64LittleEndian(page[CreatedOffset..]),
        Encryption = (StorageCipher)page[EncryptionOffset],
        KeySlot = new KeySlot(page.Slice(KeySlotOffset, KeyRing.SlotLength)),
    };
}

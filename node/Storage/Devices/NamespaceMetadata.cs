using System.Buffers.Binary;
using Aerie.Foundation;
using Aerie.Storage.Codecs;

namespace Aerie.Storage.Devices;

/// What a namespace must know after a restart that no record says. Every device has two slots for it; the newest valid
/// generation over all slots of all devices of the storage wins. Little-endian, zeros up to the end of the last page.
///
///      0  8 bytes  magic "AERIEMET"
///      8  u32      format version
///     12  u32      length in bytes
///     16  u32      CRC-32C of bytes 20 to length
///     20  u32      flags: 1 clean shutdown, 2 there is a checkpoint; images were compressed with: 4 lz4, 8 snappy, 16 zstd
///     24  u64      generation
///     32  16 bytes storage id: what an earlier life of the device left behind is not ours
///     48  u64      highest block sequence known
///     56  u64      last-update-time high mark
///     64  u64      truncate cut of the namespace
///     72  u64      its swept cut
///     80  u64      checkpoint: sequence
///     88  u32      checkpoint: number of blocks
///     92  u32      number of sets
///     96  u32 …    blocks of the checkpoint, in its order
///      …  per set: u16 id, u64 truncate cut, u64 swept cut, u8 length, name
public sealed class NamespaceMetadata
{
    public const uint FormatVersion = 1;

    public const int SetNameLengthMax = 63;

    private const int VersionOffset = 8;
    private const int LengthOffset = 12;
    private const int ChecksumOffset = 16;
    private const int FlagsOffset = 20;
    private const int GenerationOffset = 24;
    private const int StorageIdOffset = 32;
    private const int SequenceOffset = 48;
    private const int HighMarkOffset = 56;
    private const int CutOffset = 64;
    private const int SweptOffset = 72;
    private const int CheckpointOffset = 80;
    private const int BlocksOffset = 88;
    private const int SetsOffset = 92;
    private const int FixedLength = 96;
    private const int SetLengthMin = sizeof(ushort) + (2 * sizeof(ulong)) + 1;

    private const uint CleanShutdown = 1;
    private const uint WithCheckpoint = 2;
    private const int CompressionShift = 1;
    private const uint KnownFlags = CleanShutdown | WithCheckpoint | ((uint)CompressionUse.All << CompressionShift);

    private static ReadOnlySpan<byte> Magic => "AERIEMET"u8;

    public ulong Generation { get; set; }

    public UInt128 StorageId { get; set; }

    /// No block in use has a higher one, and none up to it is given out again.
    public ulong HighestBlockSequence { get; set; }

    /// No record has a later last-update time.
    public ulong LastUpdateTimeMark { get; set; }

    /// Records last updated before this are gone, whatever their set. 0: no truncation.
    public ulong TruncateCut { get; set; }

    /// Cuts up to this have been swept: no block holds a record that they cut off and that a scan must skip.
    public ulong SweptCut { get; set; }

    public bool IsCleanShutdown { get; set; }

    /// Algorithms that images on the devices may be compressed with.
    public CompressionUse Compression { get; set; }

    public CheckpointPlace? Checkpoint { get; set; }

    public List<SetMetadata> Sets { get; } = [];

    /// Bytes that Write takes: whole pages.
    public int MeasurePages() => (Measure() + DeviceLayout.PageLength - 1) / DeviceLayout.PageLength * DeviceLayout.PageLength;

    /// Returns the bytes written, whole pages. False when sets and checkpoint do not fit into a slot.
    public bool TryWrite(Span<byte> slot, out int length)
    {
        length = MeasurePages();
        if (length > Math.Min(slot.Length, DeviceLayout.MetadataLengthMax))
        {
            return false;
        }

        slot = slot[..length];
        slot.Clear();
        Magic.CopyTo(slot);
        var used = Measure();
        BinaryPrimitives.WriteUInt32LittleEndian(slot[VersionOffset..], FormatVersion);
        BinaryPrimitives.WriteInt32LittleEndian(slot[LengthOffset..], used);
        var flags = (IsCleanShutdown ? CleanShutdown : 0) | (Checkpoint is null ? 0 : WithCheckpoint)
            | ((uint)Compression << CompressionShift);
        BinaryPrimitives.WriteUInt32LittleEndian(slot[FlagsOffset..], flags);
        BinaryPrimitives.WriteUInt64LittleEndian(slot[GenerationOffset..], Generation);
        BinaryPrimitives.WriteUInt128LittleEndian(slot[StorageIdOffset..], StorageId);
        BinaryPrimitives.WriteUInt64LittleEndian(slot[SequenceOffset..], HighestBlockSequence);
        BinaryPrimitives.WriteUInt64LittleEndian(slot[HighMarkOffset..], LastUpdateTimeMark);
        BinaryPrimitives.WriteUInt64LittleEndian(slot[CutOffset..], TruncateCut);
        BinaryPrimitives.WriteUInt64LittleEndian(slot[SweptOffset..], SweptCut);
        BinaryPrimitives.WriteUInt64LittleEndian(slot[CheckpointOffset..], Checkpoint?.Sequence ?? 0);
        BinaryPrimitives.WriteInt32LittleEndian(slot[BlocksOffset..], Checkpoint?.Blocks.Length ?? 0);
        BinaryPrimitives.WriteInt32LittleEndian(slot[SetsOffset..], Sets.Count);
        WriteLists(slot[FixedLength..]);
        BinaryPrimitives.WriteUInt32LittleEndian(slot[ChecksumOffset..], Crc32C.Of(slot[FlagsOffset..used]));
        return true;
    }

    /// Null unless the slot holds metadata of this version that is whole. The slot may be longer than what was written.
    public static NamespaceMetadata? TryRead(ReadOnlySpan<byte> slot)
    {
        if (slot.Length < FixedLength || !slot.StartsWith(Magic)
            || BinaryPrimitives.ReadUInt32LittleEndian(slot[VersionOffset..]) != FormatVersion)
        {
            return null;
        }

        var length = BinaryPrimitives.ReadUInt32LittleEndian(slot[LengthOffset..]);
        if (length < FixedLength || length > Math.Min(slot.Length, DeviceLayout.MetadataLengthMax))
        {
            return null;
        }

        slot = slot[..(int)length];
        if (BinaryPrimitives.ReadUInt32LittleEndian(slot[ChecksumOffset..]) != Crc32C.Of(slot[FlagsOffset..]))
        {
            return null;
        }

        var flags = BinaryPrimitives.ReadUInt32LittleEndian(slot[FlagsOffset..]);
        var read = new NamespaceMetadata
        {
            Generation = BinaryPrimitives.ReadUInt64LittleEndian(slot[GenerationOffset..]),
            StorageId = BinaryPrimitives.ReadUInt128LittleEndian(slot[StorageIdOffset..]),
            HighestBlockSequence = BinaryPrimitives.ReadUInt64LittleEndian(slot[SequenceOffset..]),
            LastUpdateTimeMark = BinaryPrimitives.ReadUInt64LittleEndian(slot[HighMarkOffset..]),
            TruncateCut = BinaryPrimitives.ReadUInt64LittleEndian(slot[CutOffset..]),
            SweptCut = BinaryPrimitives.ReadUInt64LittleEndian(slot[SweptOffset..]),
            IsCleanShutdown = (flags & CleanShutdown) != 0,
            Compression = (CompressionUse)(flags >> CompressionShift) & CompressionUse.All,
        };
        return (flags & ~KnownFlags) == 0 && read.TryReadLists(slot, (flags & WithCheckpoint) != 0) ? read : null;
    }

    private int Measure() =>
        FixedLength + (sizeof(uint) * (Checkpoint?.Blocks.Length ?? 0)) + Sets.Sum(set => SetLengthMin + set.Name.Length);

    private void WriteLists(Span<byte> target)
    {
        foreach (var block in Checkpoint?.Blocks ?? [])
        {
            BinaryPrimitives.WriteInt32LittleEndian(target, block);
            target = target[sizeof(int)..];
        }

        foreach (var set in Sets)
        {
            Invariant.Holds(set.Name.Length is > 0 and <= SetNameLengthMax);
            BinaryPrimitives.WriteUInt16LittleEndian(target, set.Id);
            BinaryPrimitives.WriteUInt64LittleEndian(target[2..], set.TruncateCut);
            BinaryPrimitives.WriteUInt64LittleEndian(target[10..], set.SweptCut);
            target[18] = (byte)set.Name.Length;
            set.Name.CopyTo(target[SetLengthMin..]);
            target = target[(SetLengthMin + set.Name.Length)..];
        }
    }

    private bool TryReadLists(ReadOnlySpan<byte> slot, bool withCheckpoint)
    {
        var blocks = BinaryPrimitives.ReadUInt32LittleEndian(slot[BlocksOffset..]);
        var sets = BinaryPrimitives.ReadUInt32LittleEndian(slot[SetsOffset..]);
        var rest = slot[FixedLength..];
        if (blocks > rest.Length / sizeof(int) || (!withCheckpoint && blocks > 0))
        {
            return false;
        }

        if (withCheckpoint)
        {
            var list = new int[blocks];
            for (var i = 0; i < list.Length; i++)
            {
                list[i] = BinaryPrimitives.ReadInt32LittleEndian(rest[(i * sizeof(int))..]);
            }

            Checkpoint = new CheckpointPlace(BinaryPrimitives.ReadUInt64LittleEndian(slot[CheckpointOffset..]), list);
            rest = rest[(list.Length * sizeof(int))..];
        }

        for (var left = sets; left > 0; left--)
        {
            if (rest.Length < SetLengthMin || rest[18] is 0 or > SetNameLengthMax || rest[18] > rest.Length - SetLengthMin)
            {
                return false;
            }

            Sets.Add(new SetMetadata(
                BinaryPrimitives.ReadUInt16LittleEndian(rest),
                rest.Slice(SetLengthMin, rest[18]).ToArray(),
                BinaryPrimitives.ReadUInt64LittleEndian(rest[2..]),
                BinaryPrimitives.ReadUInt64LittleEndian(rest[10..])));
            rest = rest[(SetLengthMin + rest[18])..];
        }

        return rest.IsEmpty;
    }
}

/// One set: ids never change and are never given to another name. Cuts as those of the namespace.
public readonly record struct SetMetadata(ushort Id, byte[] Name, ulong TruncateCut, ulong SweptCut);

/// Where the index checkpoint lies: blocks of the log, in its order.
public sealed record CheckpointPlace(ulong Sequence, int[] Blocks);

using System.Buffers.Binary;
using Aerie.Foundation;

namespace Aerie.Storage.Devices.Checkpoints;

/// What a data block held when the checkpoint was taken.
public enum CheckpointBlockState
{
    /// Complete: its live records are rows, its marks are counted, and it need not be read.
    Sealed = 0,

    /// The same up to Units; what lies behind is read.
    Open = 1,

    /// Nothing in this life of the block is needed.
    Dead = 2,
}

/// Units: where the chain of images ended. Marks: of removed records, each of RemovalMark.Units.
public readonly record struct CheckpointBlock(int Block, ulong Sequence, CheckpointBlockState State, int Units, int Marks);

/// Checksum: of the rows, salted. LastRemoval: who comes back to the partition is newer.
public readonly record struct CheckpointPartition(uint Rows, uint Checksum, ulong LastRemoval);

public readonly record struct CheckpointDevice(UInt128 Id, int DataBlocks);

/// The beginning of a checkpoint, which says what the rest is and what else must be as it was. Little-endian.
///
///      0  8 bytes  magic "AERIECKP"
///      8  u32      format version
///     12  u32      length in bytes
///     16  u32      CRC-32C of bytes 20 to length, XOR the seed of the first block
///     20  u32      zero
///     24  16 bytes storage id
///     40  u64      sequence: that of the first block
///     48  u64      next block sequence when the checkpoint was taken: blocks from it on came later
///     56  u64      number of rows
///     64  u32      number of devices
///     68  u32      number of partitions
///     72  u32      number of blocks with rows
///     76  u32      number of data blocks listed
///     80  per device: 16 bytes device id, u32 data blocks, u32 zero
///      …  per partition: u32 rows, u32 CRC-32C of them XOR the seed, u64 latest removal
///      …  per block with rows: u64 its sequence
///      …  per data block that held records: u32 block, u32 units, u64 sequence, u32 marks, u32 state; by block
public sealed class CheckpointHead
{
    public const uint FormatVersion = 1;

    private const int VersionOffset = 8;
    private const int LengthOffset = 12;
    private const int ChecksumOffset = 16;
    private const int CheckedOffset = 20;
    private const int StorageIdOffset = 24;
    private const int SequenceOffset = 40;
    private const int NextSequenceOffset = 48;
    private const int RowsOffset = 56;
    private const int DevicesOffset = 64;
    private const int PartitionsOffset = 68;
    private const int RowBlocksOffset = 72;
    private const int BlocksOffset = 76;
    private const int FixedLength = 80;

    private const int DeviceLength = 24;
    private const int PartitionLength = 16;
    private const int RowBlockLength = sizeof(ulong);
    private const int BlockLength = 24;

    private static ReadOnlySpan<byte> Magic => "AERIECKP"u8;

    public UInt128 StorageId { get; init; }

    public ulong Sequence { get; init; }

    public ulong NextSequence { get; init; }

    public required CheckpointDevice[] Devices { get; init; }

    public required CheckpointPartition[] Partitions { get; init; }

    /// Sequences of the blocks with rows.
    public required ulong[] RowBlocks { get; init; }

    public required CheckpointBlock[] Blocks { get; init; }

    public long Rows => Partitions.Sum(static partition => (long)partition.Rows);

    public static long Measure(int devices, long rowBlocks, long blocks) =>
        FixedLength + ((long)devices * DeviceLength) + (Digest.PartitionCount * PartitionLength)
        + (rowBlocks * RowBlockLength) + (blocks * BlockLength);

    /// What the head of this length says of itself, for whoever has its first page only. 0: nothing sensible.
    public static long LengthAt(ReadOnlySpan<byte> start) =>
        start.Length >= FixedLength && start.StartsWith(Magic) ? BinaryPrimitives.ReadUInt32LittleEndian(start[LengthOffset..]) : 0;

    /// The target has exactly the length that Measure says.
    public void Write(Span<byte> target, uint seed)
    {
        Invariant.Holds(target.Length == Measure(Devices.Length, RowBlocks.Length, Blocks.Length));
        target.Clear();
        Magic.CopyTo(target);
        BinaryPrimitives.WriteUInt32LittleEndian(target[VersionOffset..], FormatVersion);
        BinaryPrimitives.WriteInt32LittleEndian(target[LengthOffset..], target.Length);
        BinaryPrimitives.WriteUInt128LittleEndian(target[StorageIdOffset..], StorageId);
        BinaryPrimitives.WriteUInt64LittleEndian(target[SequenceOffset..], Sequence);
        BinaryPrimitives.WriteUInt64LittleEndian(target[NextSequenceOffset..], NextSequence);
        BinaryPrimitives.WriteInt64LittleEndian(target[RowsOffset..], Rows);
        BinaryPrimitives.WriteInt32LittleEndian(target[DevicesOffset..], Devices.Length);
        BinaryPrimitives.WriteInt32LittleEndian(target[PartitionsOffset..], Partitions.Length);
        BinaryPrimitives.WriteInt32LittleEndian(target[RowBlocksOffset..], RowBlocks.Length);
        BinaryPrimitives.WriteInt32LittleEndian(target[BlocksOffset..], Blocks.Length);
        WriteTables(target[FixedLength..]);
        BinaryPrimitives.WriteUInt32LittleEndian(target[ChecksumOffset..], Crc32C.Of(target[CheckedOffset..]) ^ seed);
    }

    /// Null unless the bytes are exactly one sound head. Their content may be anything.
    public static CheckpointHead? TryRead(ReadOnlySpan<byte> bytes, uint seed)
    {
        if (bytes.Length < FixedLength || !bytes.StartsWith(Magic) || LengthAt(bytes) != bytes.Length
            || BinaryPrimitives.ReadUInt32LittleEndian(bytes[VersionOffset..]) != FormatVersion
            || BinaryPrimitives.ReadUInt32LittleEndian(bytes[ChecksumOffset..]) != (Crc32C.Of(bytes[CheckedOffset..]) ^ seed))
        {
            return null;
        }

        var devices = BinaryPrimitives.ReadUInt32LittleEndian(bytes[DevicesOffset..]);
        var partitions = BinaryPrimitives.ReadUInt32LittleEndian(bytes[PartitionsOffset..]);
        var rowBlocks = BinaryPrimitives.ReadUInt32LittleEndian(bytes[RowBlocksOffset..]);
        var blocks = BinaryPrimitives.ReadUInt32LittleEndian(bytes[BlocksOffset..]);
        if (partitions != Digest.PartitionCount || devices > bytes.Length || Measure((int)devices, rowBlocks, blocks) != bytes.Length)
        {
            return null;
        }

        var head = new CheckpointHead
        {
            StorageId = BinaryPrimitives.ReadUInt128LittleEndian(bytes[StorageIdOffset..]),
            Sequence = BinaryPrimitives.ReadUInt64LittleEndian(bytes[SequenceOffset..]),
            NextSequence = BinaryPrimitives.ReadUInt64LittleEndian(bytes[NextSequenceOffset..]),
            Devices = new CheckpointDevice[devices],
            Partitions = new CheckpointPartition[partitions],
            RowBlocks = new ulong[rowBlocks],
            Blocks = new CheckpointBlock[blocks],
        };
        head.ReadTables(bytes[FixedLength..]);
        return head.IsSensible(BinaryPrimitives.ReadInt64LittleEndian(bytes[RowsOffset..])) ? head : null;
    }

    private void WriteTables(Span<byte> target)
    {
        foreach (var device in Devices)
        {
            BinaryPrimitives.WriteUInt128LittleEndian(target, device.Id);
            BinaryPrimitives.WriteInt32LittleEndian(target[16..], device.DataBlocks);
            target = target[DeviceLength..];
        }

        foreach (var partition in Partitions)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(target, partition.Rows);
            BinaryPrimitives.WriteUInt32LittleEndian(target[4..], partition.Checksum);
            BinaryPrimitives.WriteUInt64LittleEndian(target[8..], partition.LastRemoval);
            target = target[PartitionLength..];
        }

        foreach (var sequence in RowBlocks)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(target, sequence);
            target = target[RowBlockLength..];
        }

        foreach (var block in Blocks)
        {
            BinaryPrimitives.WriteInt32LittleEndian(target, block.Block);
            BinaryPrimitives.WriteInt32LittleEndian(target[4..], block.Units);
            BinaryPrimitives.WriteUInt64LittleEndian(target[8..], block.Sequence);
            BinaryPrimitives.WriteInt32LittleEndian(target[16..], block.Marks);
            BinaryPrimitives.WriteInt32LittleEndian(target[20..], (int)block.State);
            target = target[BlockLength..];
        }
    }

    private void ReadTables(ReadOnlySpan<byte> from)
    {
        foreach (ref var device in Devices.AsSpan())
        {
            device = new CheckpointDevice(
                BinaryPrimitives.ReadUInt128LittleEndian(from), BinaryPrimitives.ReadInt32LittleEndian(from[16..]));
            from = from[DeviceLength..];
        }

        foreach (ref var partition in Partitions.AsSpan())
        {
            partition = new CheckpointPartition(
                BinaryPrimitives.ReadUInt32LittleEndian(from),
                BinaryPrimitives.ReadUInt32LittleEndian(from[4..]),
                BinaryPrimitives.ReadUInt64LittleEndian(from[8..]));
            from = from[PartitionLength..];
        }

        foreach (ref var sequence in RowBlocks.AsSpan())
        {
            sequence = BinaryPrimitives.ReadUInt64LittleEndian(from);
            from = from[RowBlockLength..];
        }

        foreach (ref var block in Blocks.AsSpan())
        {
            block = new CheckpointBlock(
                BinaryPrimitives.ReadInt32LittleEndian(from),
                BinaryPrimitives.ReadUInt64LittleEndian(from[8..]),
                (CheckpointBlockState)BinaryPrimitives.ReadInt32LittleEndian(from[20..]),
                BinaryPrimitives.ReadInt32LittleEndian(from[4..]),
                BinaryPrimitives.ReadInt32LittleEndian(from[16..]));
            from = from[BlockLength..];
        }
    }

    private bool IsSensible(long rows)
    {
        if (rows != Rows || CheckpointLayout.RowBlocks(rows) != RowBlocks.Length)
        {
            return false;
        }

        var last = -1;
        foreach (var block in Blocks)
        {
            var fits = block.Block > last && block.Block < RecordLocation.BlockCountMax && block.Sequence < NextSequence
                && block.Units is >= 0 and <= StorageUnit.PerBlock && block.Marks >= 0
                && (long)block.Marks * RemovalMark.Units <= block.Units
                && block.State is >= CheckpointBlockState.Sealed and <= CheckpointBlockState.Dead;
            if (!fits)
            {
                return false;
            }

            last = block.Block;
        }

        return true;
    }
}

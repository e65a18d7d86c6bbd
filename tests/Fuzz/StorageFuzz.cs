using System.Buffers.Binary;
using Aerie.Foundation;
using Aerie.Storage;
using Aerie.Storage.Devices;
using Aerie.Storage.Devices.Checkpoints;

namespace Aerie.Fuzz;

/// Any bytes as a device label, as namespace metadata, as the head of a checkpoint and as a data block, each once as they are and
/// once with checksums made right. As they are, a block may yield only images that were written in that life of it; with made
/// checksums anything goes that keeps inside the block.
public static class StorageFuzz
{
    private const int InputMax = 128 * 1024; // the head of a checkpoint has 64 KiB of partitions
    private const int MetadataFixed = 96;
    private const int HeadFixed = 80;

    [ThreadStatic]
    private static byte[]? _kept;

    public static void Run(ReadOnlySpan<byte> input)
    {
        var buffer = _kept ??= new byte[InputMax];
        var length = Math.Min(input.Length, InputMax);
        input[..length].CopyTo(buffer);
        buffer.AsSpan(length).Clear();

        ReadLabel(buffer);
        NamespaceMetadata.TryRead(buffer.AsSpan(0, length));
        ReadHead(buffer.AsSpan(0, length));
        var block = buffer.AsSpan(0, Math.Max(length, DeviceLayout.PageLength));
        Scan(block, onlyWritten: true);
        if (length > DeviceLayout.PageLength)
        {
            SignBlock(block);
            Scan(block, onlyWritten: false);
        }
        else if (length > MetadataFixed)
        {
            input[..length].CopyTo(buffer);
            SignMetadata(buffer.AsSpan(0, length));
            NamespaceMetadata.TryRead(buffer.AsSpan(0, length));
        }

        input[..length].CopyTo(buffer);
        SignLabel(buffer.AsSpan(0, DeviceLayout.PageLength));
        ReadLabel(buffer);
    }

    // As it is, and signed: then its counts may be anything.
    private static void ReadHead(Span<byte> head)
    {
        CheckpointHead.TryRead(head, StorageSeeds.HeadSeed);
        if (CheckpointHead.LengthAt(head) != head.Length || head.Length < HeadFixed)
        {
            return;
        }

        var checksum = BinaryPrimitives.ReadUInt32LittleEndian(head[16..]);
        BinaryPrimitives.WriteUInt32LittleEndian(head[16..], Crc32C.Of(head[20..]));
        if (CheckpointHead.TryRead(head, 0) is { } read)
        {
            CheckHead(read);
        }

        BinaryPrimitives.WriteUInt32LittleEndian(head[16..], checksum);
    }

    private static void CheckHead(CheckpointHead head)
    {
        var last = -1;
        foreach (var block in head.Blocks)
        {
            if (block.Block <= last || block.Sequence >= head.NextSequence || block.Units is < 0 or > StorageUnit.PerBlock)
            {
                throw new InvalidOperationException("a head was accepted that no checkpoint has");
            }

            last = block.Block;
        }

        if (head.RowBlocks.Length != CheckpointLayout.RowBlocks(head.Rows))
        {
            throw new InvalidOperationException("a head was accepted whose rows do not fit");
        }
    }

    private static void ReadLabel(ReadOnlySpan<byte> bytes)
    {
        var refusal = DeviceHeader.Read(bytes[..DeviceLayout.DeviceHeadersLength], out var header);
        if ((refusal == DeviceRefusal.None) != (header is not null))
        {
            throw new InvalidOperationException("header and refusal disagree");
        }
    }

    private static void Scan(ReadOnlySpan<byte> block, bool onlyWritten)
    {
        var scan = new BlockScan(block, StorageSeeds.Device);
        var next = DeviceLayout.FirstUnit;
        while (scan.MoveNext())
        {
            if (scan.Unit != next || scan.Units <= 0 || scan.Unit + scan.Units > block.Length / StorageUnit.Length)
            {
                throw new InvalidOperationException("the items are no chain");
            }

            next = scan.Unit + scan.Units;
            if (onlyWritten && scan.Item != BlockItem.Damage)
            {
                CheckWritten(block.Slice(scan.Unit * StorageUnit.Length, scan.Units * StorageUnit.Length), scan.Header.Sequence);
            }

            if (scan.Item == BlockItem.Record)
            {
                Touch(scan.Record);
            }
        }

        if (scan.TailUnit != next && scan.State == BlockState.Records)
        {
            throw new InvalidOperationException("the tail does not begin behind the last item");
        }
    }

    private static void CheckWritten(ReadOnlySpan<byte> image, ulong sequence)
    {
        var checksum = BinaryPrimitives.ReadUInt32LittleEndian(image);
        if (!StorageSeeds.Images.TryGetValue((sequence, checksum), out var written)
            || !image[..Math.Min(written.Length, image.Length)].SequenceEqual(written)
            || (written.Length != image.Length && written.Length != sizeof(ulong)))
        {
            throw new InvalidOperationException("an image was accepted that nobody wrote");
        }
    }

    private static void Touch(RecordImageReader record)
    {
        var seen = record.Key.Length + record.VoidTime + record.SetId + record.KeyType + record.Digest.GetHashCode();
        foreach (var bin in record.Bins)
        {
            seen += bin.Name.Length + bin.Value.Length + bin.ParticleType;
        }

        GC.KeepAlive(seen);
    }

    /// Follows the sizes, as far as they lead somewhere, and signs what lies there.
    private static void SignBlock(Span<byte> block)
    {
        var sequence = BinaryPrimitives.ReadUInt64LittleEndian(block[16..]);
        new BlockHeader(BlockKind.Records, sequence, StorageSeeds.Device, 0).Write(block[..DeviceLayout.PageLength]);
        var seed = BlockHeader.SeedOf(sequence, 0);
        for (var at = DeviceLayout.PageLength; at + StorageUnit.Length <= block.Length;)
        {
            var units = RecordImage.UnitsAt(block[at..]);
            var length = units * StorageUnit.Length;
            if (units > 0 && length <= block.Length - at)
            {
                var image = block.Slice(at, RecordImage.IsHole(block[at..]) ? RecordImage.DigestOffset : length);
                RecordImage.Sign(image, seed);
                at += length;
            }
            else
            {
                at += StorageUnit.Length;
            }
        }
    }

    private static void SignMetadata(Span<byte> slot)
    {
        "AERIEMET\x01\0\0\0"u8.CopyTo(slot);
        var length = BinaryPrimitives.ReadUInt32LittleEndian(slot[12..]);
        if (length < MetadataFixed || length > slot.Length)
        {
            length = (uint)slot.Length;
            BinaryPrimitives.WriteUInt32LittleEndian(slot[12..], length);
        }

        BinaryPrimitives.WriteUInt32LittleEndian(slot[16..], Crc32C.Of(slot[20..(int)length]));
    }

    private static void SignLabel(Span<byte> page)
    {
        "AERIEDEV\x01\0\0\0\0\0\0\0"u8.CopyTo(page);
        BinaryPrimitives.WriteUInt32LittleEndian(page[12..], Crc32C.Of(page));
    }
}

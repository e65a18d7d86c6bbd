using System.Buffers.Binary;
using Aerie.Foundation;
using Aerie.Storage;
using Aerie.Storage.Devices;
using Aerie.Storage.Devices.Checkpoints;

namespace Aerie.Fuzz;

/// What a node might have written: the seeds of the target storage, and every image in them, which are the only ones that a
/// scan of mutated seeds may yield. A block ends early, so that an input is short.
internal static class StorageSeeds
{
    public const ulong Device = 0x0807_0605_0403_0201;
    public const uint HeadSeed = 0x1234_5678;

    private const int BlockLength = 12 * 1024;
    private const int Blocks = 4;

    public static IReadOnlyDictionary<string, byte[]> Files { get; } = MakeFiles();

    /// By block sequence and stored checksum.
    public static IReadOnlyDictionary<(ulong Sequence, uint Checksum), byte[]> Images { get; } = CollectImages();

    private static Dictionary<string, byte[]> MakeFiles()
    {
        var files = new Dictionary<string, byte[]>();
        for (var sequence = 1; sequence <= Blocks; sequence++)
        {
            files[$"block{sequence}"] = MakeBlock(sequence);
        }

        files["label"] = MakeLabel();
        files["metadata"] = MakeMetadata();
        files["checkpoint"] = MakeHead();
        return files;
    }

    private static byte[] MakeHead()
    {
        var partitions = new CheckpointPartition[Digest.PartitionCount];
        partitions[7] = new CheckpointPartition(300_000, 1, 2);
        var head = new CheckpointHead
        {
            StorageId = 1,
            Sequence = 10,
            NextSequence = 9,
            Devices = [new(Device, 100)],
            Partitions = partitions,
            RowBlocks = [11, 12],
            Blocks = [new(0, 3, CheckpointBlockState.Sealed, 5000, 3), new(1, 8, CheckpointBlockState.Open, 256, 0)],
        };
        var bytes = new byte[CheckpointHead.Measure(1, 2, 2)];
        head.Write(bytes, HeadSeed);
        return bytes;
    }

    /// Blocks of even sequence are unfinished and lie over an earlier life.
    private static byte[] MakeBlock(int sequence)
    {
        var random = new Random(sequence);
        var isOver = sequence % 2 == 0;
        var block = isOver ? MakeBlock(sequence - 1) : new byte[BlockLength];
        new BlockHeader(BlockKind.Records, (ulong)sequence, Device, 1_800_000_000_000).Write(block.AsSpan(0, DeviceLayout.PageLength));
        var end = isOver ? BlockLength / 2 : BlockLength - 2048;
        var seed = BlockHeader.SeedOf((ulong)sequence, 0);
        var at = DeviceLayout.PageLength;
        while (at < end)
        {
            var target = block.AsSpan(at);
            var units = random.Next(8) switch
            {
                0 => RemovalMark.Write(target, RandomDigest(random), (ulong)random.Next(), (ulong)sequence),
                1 => MakeHole(target, 1 + random.Next(20)),
                _ => MakeRecord(target, random),
            };
            RecordImage.Reseed(target, seed);
            at += units * StorageUnit.Length;
        }

        if (!isOver)
        {
            RecordImage.WriteHole(block.AsSpan(at), (BlockLength - at) / StorageUnit.Length, seed);
        }

        return block;
    }

    private static int MakeHole(Span<byte> target, int units)
    {
        RecordImage.WriteHole(target, units);
        return units;
    }

    private static int MakeRecord(Span<byte> target, Random random)
    {
        var hasKey = random.Next(2) == 0;
        var bins = random.Next(4);
        var header = new RecordImageHeader
        {
            Digest = RandomDigest(random),
            LastUpdateTime = (ulong)random.NextInt64(1L << 40),
            Generation = (ushort)random.Next(65_536),
            VoidTime = random.Next(2) == 0 ? 0 : (uint)random.Next(),
            SetId = (ushort)(random.Next(2) == 0 ? 0 : random.Next(4096)),
            IsTombstone = random.Next(8) == 0,
            KeyType = hasKey ? (byte)3 : (byte)0,
            Key = hasKey ? "a user's key"u8 : [],
        };
        var writer = new RecordImageWriter(target, header, bins);
        for (; bins > 0; bins--)
        {
            random.NextBytes(writer.ReserveBin("bin"u8, (byte)random.Next(1, 5), random.Next(150)));
        }

        return writer.Finish();
    }

    private static Digest RandomDigest(Random random)
    {
        Span<byte> bytes = stackalloc byte[Digest.Length];
        random.NextBytes(bytes);
        return new Digest(bytes);
    }

    private static byte[] MakeLabel()
    {
        var pages = new byte[DeviceLayout.DeviceHeadersLength];
        new DeviceHeader
        {
            Namespace = "test",
            StorageId = 1,
            DeviceId = Device,
            DeviceNumber = 0,
            DeviceCount = 2,
            BlockCount = 100,
            CreatedUnixMilliseconds = 1_800_000_000_000,
        }.Write(pages);
        return pages;
    }

    private static byte[] MakeMetadata()
    {
        var metadata = new NamespaceMetadata
        {
            Generation = 7,
            StorageId = 1,
            HighestBlockSequence = 9,
            LastUpdateTimeMark = 10,
            Checkpoint = new CheckpointPlace(8, [3, 1, 2]),
        };
        metadata.Sets.Add(new SetMetadata(1, "users"u8.ToArray(), 5, 5));
        metadata.Sets.Add(new SetMetadata(2, "events"u8.ToArray(), 0, 0));
        var slot = new byte[metadata.MeasurePages()];
        metadata.TryWrite(slot, out _);
        return slot;
    }

    private static Dictionary<(ulong Sequence, uint Checksum), byte[]> CollectImages()
    {
        var images = new Dictionary<(ulong Sequence, uint Checksum), byte[]>();
        foreach (var block in Files.Where(file => file.Key.StartsWith("block", StringComparison.Ordinal)).Select(file => file.Value))
        {
            var scan = new BlockScan(block, Device);
            while (scan.MoveNext())
            {
                var image = block.AsSpan(scan.Unit * StorageUnit.Length, scan.Units * StorageUnit.Length);
                var checksum = BinaryPrimitives.ReadUInt32LittleEndian(image);
                images[(scan.Header.Sequence, checksum)] = scan.Item == BlockItem.Hole ? image[..8].ToArray() : image.ToArray();
            }
        }

        return images;
    }
}

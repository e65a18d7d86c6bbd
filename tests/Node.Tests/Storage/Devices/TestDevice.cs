using Aerie.Io;
using Aerie.Storage.Devices;
using Aerie.TestKit;

namespace Aerie.Node.Tests.Storage.Devices;

/// A simulated device with a label, metadata and a few blocks, as a node leaves it.
internal static class TestDevice
{
    public const string Path = "/dev/test";

    public const int Blocks = 6;

    public static DeviceHeader Header { get; } = new()
    {
        Namespace = "test",
        StorageId = 0x5151,
        DeviceId = TestBlock.Device,
        DeviceNumber = 0,
        DeviceCount = 1,
        BlockCount = Blocks,
        CreatedUnixMilliseconds = 1_800_000_000_000,
    };

    public static SimulatedDisk EmptyDisk()
    {
        var disk = new SimulatedDisk { Alignment = 1 };
        disk.Add(Path, Blocks * (long)DeviceLayout.BlockLength);
        return disk;
    }

    /// Block 1 is sealed, block 2 unfinished, block 3 a checkpoint, the rest wiped.
    public static SimulatedDisk Disk()
    {
        var disk = EmptyDisk();
        var label = new byte[DeviceLayout.DeviceHeadersLength];
        Header.Write(label);
        Write(disk, 0, label);

        var metadata = new NamespaceMetadata { Generation = 4, StorageId = Header.StorageId, HighestBlockSequence = 12, TruncateCut = 99 };
        metadata.Sets.Add(new SetMetadata(1, "users"u8.ToArray(), 5, 5));
        var slot = new byte[metadata.MeasurePages()];
        metadata.TryWrite(slot, out _);
        Write(disk, DeviceLayout.MetadataOffset(0), slot);

        Write(disk, DeviceLayout.BlockOffset(1), SealedBlock(10).Bytes);
        var unfinished = new TestBlock(11);
        unfinished.AddRecord(5, 100);
        unfinished.AddRemoval(6, 1, 11);
        Write(disk, DeviceLayout.BlockOffset(2), unfinished.Bytes);
        var page = new byte[DeviceLayout.PageLength];
        new BlockHeader(BlockKind.Checkpoint, 12, TestBlock.Device, 0).Write(page);
        Write(disk, DeviceLayout.BlockOffset(3), page);
        return disk;
    }

    public static TestBlock SealedBlock(ulong sequence)
    {
        var block = new TestBlock(sequence);
        block.AddRecord(1, 100);
        block.AddRecord(2, 5000);
        block.AddRecord(3, 100);
        block.Seal();
        return block;
    }

    public static void Write(SimulatedDisk disk, long offset, ReadOnlySpan<byte> bytes)
    {
        using var device = disk.Open(new DeviceOrder(Path, 0, Direct: false, DataSync: false, ReadOnly: false));
        device.Write(offset, bytes);
    }

    public static byte[] Read(SimulatedDisk disk, long offset, int length)
    {
        using var device = disk.Open(new DeviceOrder(Path, 0, Direct: false, DataSync: false, ReadOnly: true));
        var bytes = new byte[length];
        device.Read(offset, bytes);
        return bytes;
    }
}

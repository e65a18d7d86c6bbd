using System.Diagnostics;
using Aerie.Io;
using Aerie.Memory;
using Aerie.Storage.Devices;

namespace Aerie.Soak.Devices;

/// The blocks of a file that no node has open: which are in use, how fast they can be read, and how a checkpoint is spoiled.
internal static class DeviceBlocks
{
    /// Behind the page of the header.
    private const int FlippedOffset = DeviceLayout.PageLength + 100;

    /// Offsets of the blocks of a kind.
    public static IReadOnlyList<long> Of(string file, BlockState kind)
    {
        using var device = Open(file);
        using var memory = NativeRegion.Reserve(DeviceLayout.PageLength);
        var page = memory.Span(0, DeviceLayout.PageLength);
        var found = new List<long>();
        for (var block = 1; block < DeviceLayout.BlockCount(device.Length); block++)
        {
            var offset = DeviceLayout.BlockOffset(block);
            device.Read(offset, page);
            if (BlockHeader.Read(page, null, out _) == kind)
            {
                found.Add(offset);
            }
        }

        return found;
    }

    /// One byte of each index checkpoint's block becomes another, so that none can be used. Returns how many.
    public static int SpoilCheckpoints(string file)
    {
        var blocks = Of(file, BlockState.Checkpoint);
        using var bytes = File.OpenHandle(file, FileMode.Open, FileAccess.ReadWrite);
        Span<byte> one = stackalloc byte[1];
        foreach (var offset in blocks)
        {
            RandomAccess.Read(bytes, one, offset + FlippedOffset);
            one[0] ^= 0x55;
            RandomAccess.Write(bytes, one, offset + FlippedOffset);
        }

        RandomAccess.FlushToDisk(bytes);
        return blocks.Count;
    }

    /// Seconds to read the blocks past the page cache, whole and in order, by as many threads as the machine has cores: what
    /// the device can give to a restart that reads everything.
    public static double SecondsToRead(string file, IReadOnlyList<long> blocks)
    {
        var next = -1;
        var watch = Stopwatch.StartNew();
        var threads = Enumerable.Range(0, Environment.ProcessorCount).Select(_ => new Thread(ReadBlocks)).ToList();
        threads.ForEach(static thread => thread.Start());
        threads.ForEach(static thread => thread.Join());
        return watch.Elapsed.TotalSeconds;

        void ReadBlocks()
        {
            using var device = Open(file);
            using var memory = NativeRegion.Reserve(DeviceLayout.BlockLength);
            while (Interlocked.Increment(ref next) is var taken && taken < blocks.Count)
            {
                device.Read(blocks[taken], memory.Span(0, DeviceLayout.BlockLength));
            }
        }
    }

    private static IBlockDevice Open(string file) =>
        new DeviceFiles().Open(new DeviceOrder(file, 0, Direct: true, DataSync: false, ReadOnly: true));
}

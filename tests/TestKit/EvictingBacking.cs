using Aerie.Foundation;
using Aerie.Io;
using Aerie.Storage;

namespace Aerie.TestKit;

/// Blocks whose bytes leave the memory when the test says so, for a simulated device that ends reads when the test says so.
public sealed class EvictingBacking : IBlockBacking
{
    private const int OnePage = 4096;

    private readonly MemoryBacking _memory;
    private readonly SimulatedDevice _device;
    private readonly byte[]?[] _evicted;
    private readonly uint[] _seeds;
    private uint _lives;

    public EvictingBacking(long dataSize)
    {
        _memory = new MemoryBacking(dataSize);
        _evicted = new byte[]?[BlockCount];
        _seeds = new uint[BlockCount];
        var disk = new SimulatedDisk();
        Medium = disk.Add("disk", (long)BlockCount * IBlockBacking.BlockLength);
        _device = disk.Open(new DeviceOrder("disk", 0, Direct: true, DataSync: true, ReadOnly: false));
    }

    public SimulatedMedium Medium { get; }

    public int BlockCount => _memory.BlockCount;

    public bool IsPersistent => true;

    public int FirstUnit => OnePage / StorageUnit.Length;

    public long ResidentBytes => _memory.ResidentBytes;

    public int WriteCachePercent => 0;

    public ulong LastSequence => _lives;

    public ulong OldestSequence => 1;

    public ulong SequenceOf(int block) => 1;

    public int DeviceCount => 0;

    /// What was written so far can be had from the device only; what follows stays in memory.
    public void Evict()
    {
        for (var block = 0; block < BlockCount; block++)
        {
            if (_seeds[block] != 0)
            {
                var bytes = _memory.Writable(block);
                _evicted[block] = bytes.ToArray();
                Medium.Poke((long)block * IBlockBacking.BlockLength, bytes);
            }
        }
    }

    public uint SeedOf(int block) => _seeds[block];

    public int DeviceOf(int block) => 0;

    public DeviceFigures FiguresOf(int device) => default;

    public bool TryOpen(int block)
    {
        _evicted[block] = null;
        _seeds[block] = ++_lives * 0x9E37_79B9;
        return _memory.TryOpen(block);
    }

    public Span<byte> Writable(int block) => _memory.Writable(block);

    public bool TryResident(int reader, int block, int offset, int length, out ReadOnlySpan<byte> bytes)
    {
        _memory.TryResident(reader, block, offset, length, out bytes);
        if (_evicted[block] is { } evicted && evicted.AsSpan(offset, length).SequenceEqual(bytes))
        {
            bytes = default;
            return false;
        }

        return true;
    }

    public (IBlockDevice Device, long Offset) PlaceOf(int block) => (_device, (long)block * IBlockBacking.BlockLength);

    public bool TryLoad(int block, out ReadOnlySpan<byte> bytes) => _memory.TryLoad(block, out bytes);

    public void Unload(int block) => _memory.Unload(block);

    public void Prefetch(int block, int offset, int length)
    {
    }

    public void Settle(int block, int length)
    {
    }

    public void BeginFlush()
    {
    }

    public void Flush()
    {
    }

    public void Seal(int block, int length) => _memory.Seal(block, length);

    public bool Discard(int block)
    {
        _evicted[block] = null;
        return _memory.Discard(block);
    }

    public void Dispose()
    {
        _device.Dispose();
        _memory.Dispose();
    }
}

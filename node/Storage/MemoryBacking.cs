using Aerie.Foundation;
using Aerie.Io;
using Aerie.Memory;

namespace Aerie.Storage;

/// Blocks in memory. Address space for all of them is reserved at once; pages come when a block is first filled and go
/// back when it is discarded, except for a few warm blocks: steady overwriting frees as many blocks as it opens, and would
/// otherwise have the kernel clear the same pages again and again.
public sealed class MemoryBacking : IBlockBacking
{
    /// 32 MiB.
    public const int WarmBlocksMax = 4;

    private readonly NativeRegion _region;
    private readonly BlockState[] _states;
    private int _warm;
    private int _holding;

    /// Rounds the size down to whole blocks, because `data-size` is a limit.
    public MemoryBacking(long dataSize)
    {
        BlockCount = checked((int)(dataSize / IBlockBacking.BlockLength));
        Invariant.Holds(BlockCount > 0);
        _region = NativeRegion.Reserve((long)BlockCount * IBlockBacking.BlockLength);
        _states = new BlockState[BlockCount];
    }

    private enum BlockState : byte
    {
        Cold,
        InUse,
        Warm,
    }

    public int BlockCount { get; }

    public bool IsPersistent => false;

    public int FirstUnit => 0;

    public ulong LastSequence => 0;

    public ulong OldestSequence => 0;

    public ulong SequenceOf(int block) => 0;

    public int DeviceCount => 0;

    public uint SeedOf(int block) => 0;

    public long ResidentBytes => (long)Volatile.Read(ref _holding) * IBlockBacking.BlockLength;

    /// The system gives memory on first touch and cannot refuse here: the limits of the namespace must fit the machine.
    public bool TryOpen(int block)
    {
        Invariant.Holds(_states[block] != BlockState.InUse);
        if (_states[block] == BlockState.Warm)
        {
            Interlocked.Decrement(ref _warm);
        }
        else
        {
            Interlocked.Increment(ref _holding);
        }

        _states[block] = BlockState.InUse;
        return true;
    }

    public Span<byte> Writable(int block) => _region.Span(Start(block), IBlockBacking.BlockLength);

    public bool TryResident(int reader, int block, int offset, int length, out ReadOnlySpan<byte> bytes)
    {
        Invariant.Holds((uint)offset <= IBlockBacking.BlockLength && (uint)length <= (uint)(IBlockBacking.BlockLength - offset));
        bytes = _region.Span(Start(block) + offset, length);
        return true;
    }

    public void Prefetch(int block, int offset, int length)
    {
        const int LineLength = 64;
        const int LinesMax = 4; // the processor notices longer runs by itself
        var start = Start(block) + offset;
        for (var at = 0; at < Math.Min(length, LinesMax * LineLength); at += LineLength)
        {
            _region.Prefetch(start + at);
        }
    }

    public int DeviceOf(int block) => throw new InvalidOperationException("memory lies on no device");

    public DeviceFigures FiguresOf(int device) => throw new InvalidOperationException("memory lies on no device");

    public (IBlockDevice Device, long Offset) PlaceOf(int block) => throw new InvalidOperationException("memory lies on no device");

    public int WriteCachePercent => 0;

    public bool TryLoad(int block, out ReadOnlySpan<byte> bytes) => TryResident(0, block, 0, IBlockBacking.BlockLength, out bytes);

    public void Unload(int block)
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

    public void Seal(int block, int length)
    {
        Invariant.Holds(_states[block] == BlockState.InUse && (uint)length <= IBlockBacking.BlockLength);
    }

    public bool Discard(int block)
    {
        Invariant.Holds(_states[block] == BlockState.InUse);
        if (Interlocked.Increment(ref _warm) <= WarmBlocksMax)
        {
            _states[block] = BlockState.Warm;
            return true;
        }

        Interlocked.Decrement(ref _warm);
        _region.Discard(Start(block), IBlockBacking.BlockLength);
        _states[block] = BlockState.Cold;
        Interlocked.Decrement(ref _holding);
        return false;
    }

    public void Dispose() => _region.Dispose();

    private static long Start(int block) => (long)block * IBlockBacking.BlockLength;
}

using System.Runtime.InteropServices;
using Aerie.Foundation;
using Aerie.Memory;

namespace Aerie.Storage.Devices;

/// The memory in which blocks of devices lie while they are filled, until they are written, and some time after. A slot
/// per block; slots go from block to block.
///
/// A reader announces the block that it reads (its hazard) and looks again whether it is still there. Who takes a slot away
/// first says that the block is gone and then looks at the hazards: one of the two sees the other. A slot that somebody
/// still reads is set aside until the next look.
internal sealed class BlockCache : IDisposable
{
    private const int NoSlot = -1;
    /// Free slots whose memory is kept: 64 MiB. The rest goes back to the system.
    private const int WarmMax = 8;

    private const int HazardStride = 16; // longs: two cache lines, so that no two readers share one

    private readonly Lock _gate = new();
    private readonly NativeRegion _region;
    private readonly int[] _slotOf;
    private readonly long[] _hazards;
    private readonly int _readers;
    private readonly Stack<int> _free = new();
    private readonly List<(int Block, int Slot)> _aside = [];
    private int _used;

    public BlockCache(int blocks, int slotsMax, int readers)
    {
        SlotsMax = slotsMax;
        _region = NativeRegion.Reserve((long)slotsMax * IBlockBacking.BlockLength);
        _slotOf = new int[blocks];
        Array.Fill(_slotOf, NoSlot);
        _readers = readers;
        _hazards = new long[readers * HazardStride];
    }

    public int SlotsMax { get; }

    /// Slots that hold a block, or did and are still read.
    public int Used
    {
        get
        {
            lock (_gate)
            {
                return _used - _free.Count;
            }
        }
    }

    /// Gives the block a slot; false when there is none. What is in it belongs to another block's past.
    public bool TryTake(int block)
    {
        lock (_gate)
        {
            Invariant.Holds(_slotOf[block] == NoSlot);
            FreeAsideLocked();
            if (!_free.TryPop(out var slot))
            {
                if (_used == SlotsMax)
                {
                    return false;
                }

                slot = _used++;
            }

            Volatile.Write(ref _slotOf[block], slot);
            return true;
        }
    }

    public void GiveBack(int block)
    {
        lock (_gate)
        {
            var slot = _slotOf[block];
            if (slot == NoSlot)
            {
                return;
            }

            Volatile.Write(ref _slotOf[block], NoSlot);
            Interlocked.MemoryBarrier();
            if (IsReadLocked(block))
            {
                _aside.Add((block, slot));
            }
            else
            {
                FreeLocked(slot);
            }
        }
    }

    /// For the owner of the block: who opened it, or who writes it out.
    public Span<byte> Bytes(int block)
    {
        var slot = Volatile.Read(ref _slotOf[block]);
        Invariant.Holds(slot != NoSlot);
        return _region.Span(StartOf(slot), IBlockBacking.BlockLength);
    }

    /// Bytes that stay until the reader comes again.
    public bool TryRead(int reader, int block, int offset, int length, out ReadOnlySpan<byte> bytes)
    {
        bytes = default;
        if (Volatile.Read(ref _slotOf[block]) == NoSlot)
        {
            return false;
        }

        Volatile.Write(ref _hazards[reader * HazardStride], block + 1L);
        Interlocked.MemoryBarrier();
        var slot = Volatile.Read(ref _slotOf[block]);
        if (slot == NoSlot)
        {
            return false;
        }

        Invariant.Holds((uint)offset <= IBlockBacking.BlockLength && (uint)length <= (uint)(IBlockBacking.BlockLength - offset));
        bytes = _region.Span(StartOf(slot) + offset, length);
        return true;
    }

    public void Prefetch(int block, int offset, int length)
    {
        const int LineLength = 64;
        const int LinesMax = 4;
        var slot = Volatile.Read(ref _slotOf[block]);
        if (slot == NoSlot)
        {
            return;
        }

        for (var at = 0; at < Math.Min(length, LinesMax * LineLength); at += LineLength)
        {
            _region.Prefetch(StartOf(slot) + offset + at);
        }
    }

    public void Dispose() => _region.Dispose();

    private static long StartOf(int slot) => (long)slot * IBlockBacking.BlockLength;

    private void FreeLocked(int slot)
    {
        if (_free.Count >= WarmMax)
        {
            _region.Discard(StartOf(slot), IBlockBacking.BlockLength);
        }

        _free.Push(slot);
    }

    private void FreeAsideLocked()
    {
        for (var i = _aside.Count - 1; i >= 0; i--)
        {
            if (!IsReadLocked(_aside[i].Block))
            {
                FreeLocked(_aside[i].Slot);
                _aside.RemoveAt(i);
            }
        }
    }

    private bool IsReadLocked(int block)
    {
        for (var reader = 0; reader < _readers; reader++)
        {
            if (Volatile.Read(ref _hazards[reader * HazardStride]) == block + 1L)
            {
                return true;
            }
        }

        return false;
    }
}

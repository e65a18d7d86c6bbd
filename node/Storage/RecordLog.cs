using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Aerie.Foundation;

namespace Aerie.Storage;

/// The records of one namespace as a log of blocks. It knows neither keys nor sets: the index maps a digest to a
/// RecordLocation, the log maps the location to bytes.
///
/// Every member may be called from any thread. What the caller owes: a location is read and released under the lock of
/// its record, and released once; nothing keeps a span of TryRead beyond that lock. Each TryAppend that succeeded is
/// followed by one Commit or one Abandon. The log neither checks sums nor waits.
public sealed class RecordLog : IDisposable
{
    /// Blocks that only the defragmenter may open. Moving what lives in one victim opens at most one block and then frees
    /// the victim, so one would do; the second covers a move that was given up half-way.
    public const int BlocksReservedForDefrag = 2;

    private const int NoBlock = -1;

    private readonly IBlockBacking _backing;
    private readonly BlockSpace _space;
    private readonly AppendCursor[] _cursors;
    private int _defragLwmPct;
    private long _defragReads;

    /// Owns the backing from here on.
    public RecordLog(RecordLogOptions options, IBlockBacking backing)
    {
        Invariant.Holds(options.Stripes is > 0 and <= RecordLogOptions.StripesMax);
        Invariant.Holds(backing.BlockCount <= RecordLocation.BlockCountMax);
        Stripes = options.Stripes;
        DefragLwmPct = options.DefragLwmPct;
        _backing = backing;
        _space = new BlockSpace(backing, Stripes + 1);
        _cursors = new AppendCursor[Stripes + 1];
        foreach (ref var cursor in _cursors.AsSpan())
        {
            cursor.Block = NoBlock;
        }
    }

    public int Stripes { get; }

    /// The writer that the defragmenter appends with. Its own cursor keeps what has lived long apart from what is new.
    public int DefragWriter => Stripes;

    /// Config `defrag-lwm-pct`, dynamic.
    public int DefragLwmPct
    {
        get => Volatile.Read(ref _defragLwmPct);
        set
        {
            Invariant.Holds(value is >= 1 and <= 99);
            Volatile.Write(ref _defragLwmPct, value);
        }
    }

    public int BlockCount => _backing.BlockCount;

    public int FreeBlocks => _space.FreeBlocks;

    public long TotalBytes => (long)BlockCount * IBlockBacking.BlockLength;

    /// Bytes of live images, and of reserved room while it is filled.
    public long UsedBytes => _space.UsedUnits() * StorageUnit.Length;

    /// Memory held for blocks: used, open, and the few free ones that are kept warm.
    public long ResidentBytes => _backing.ResidentBytes;

    /// `data_used_pct`: live images against the whole.
    public int UsedPercent => (int)(UsedBytes * 100 / TotalBytes);

    /// `data_avail_pct`: free blocks against the whole.
    public int AvailablePercent => (int)((long)FreeBlocks * 100 / BlockCount);

    /// Images appended, moves of the defragmenter not counted.
    public long Appends => Sum(0, Stripes, static (in AppendCursor cursor) => cursor.Appends);

    public long BlocksOpened => Sum(0, Stripes + 1, static (in AppendCursor cursor) => cursor.BlocksOpened);

    /// Blocks handed to the defragmenter.
    public long DefragReads => Volatile.Read(ref _defragReads);

    /// Blocks that the defragmenter filled.
    public long DefragWrites => Volatile.Read(ref _cursors[DefragWriter].BlocksWritten);

    /// Blocks that wait for the defragmenter.
    public int DefragQueue => _space.BlocksBelow(DefragLwmPct);

    /// Blocks that a walk could not read to their end. They are left alone until nothing in them is needed.
    public long BrokenBlocks => _space.BrokenBlocks;

    /// Reserves room for an image in the block of the writer: 0 ≤ writer < Stripes, or DefragWriter. The caller fills
    /// `target` in place, from its first byte, and may do so while other threads fill other images of the block.
    /// False: no block is free (out of space), or the image is longer than RecordImage.LengthMax, which the caller
    /// tells apart beforehand because it answers differently.
    public bool TryAppend(int writer, int sizeInBytes, out RecordLocation location, out Span<byte> target)
    {
        location = RecordLocation.None;
        target = default;
        Invariant.Holds(sizeInBytes > 0);
        if (sizeInBytes > RecordImage.LengthMax)
        {
            return false;
        }

        ref var cursor = ref _cursors[writer];
        cursor.Gate.Enter();
        var reserved = TryReserve(ref cursor, writer, StorageUnit.CountFor(sizeInBytes), out location, out var left);
        cursor.Gate.Exit();
        if (left != NoBlock)
        {
            _space.DropHold(left); // outside the gate: it may write the block out, or give its memory back
        }

        if (reserved)
        {
            target = _backing.Writable(location.Block).Slice(location.Offset, location.Length);
        }

        return reserved;
    }

    /// The image is complete and takes so many units, as RecordImageWriter.Finish says. Gives back what it did not need.
    /// Returns where the record lies; the index may point there from now on.
    public RecordLocation Commit(RecordLocation reserved, int units)
    {
        Invariant.Holds(units > 0 && units <= reserved.Units);
        Invariant.Holds(RecordImage.UnitsAt(_backing.Writable(reserved.Block)[reserved.Offset..]) == units);
        if (units < reserved.Units)
        {
            GiveBackTail(reserved, units);
        }

        _space.DropHold(reserved.Block, reserved.Units - units);
        return reserved.Shrunk(units);
    }

    /// Gives back what TryAppend reserved; whatever was written there is forgotten.
    public void Abandon(RecordLocation reserved)
    {
        GiveBackTail(reserved, 0);
        _space.DropHold(reserved.Block, reserved.Units);
    }

    /// The image, when it can be had without waiting. In memory always.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryRead(RecordLocation location, out ReadOnlySpan<byte> image) =>
        _backing.TryResident(location.Block, location.Offset, location.Length, out image);

    /// A hint: starts loading an image. The location may be out of date or a guess, and no lock is needed.
    public void Prefetch(RecordLocation location)
    {
        if (!location.IsNone && location.Block < _backing.BlockCount)
        {
            _backing.Prefetch(location.Block, location.Offset, location.Length);
        }
    }

    /// The record lies elsewhere now, or is gone. The location must not be used afterwards.
    public void Release(RecordLocation location) => _space.Release(location.Block, location.Units);

    /// Settled blocks that are used less than this.
    public int BlocksBelow(int percent) => _space.BlocksBelow(percent);

    /// The emptiest block below DefragLwmPct, for the caller alone until it disposes the victim.
    public bool TryPickVictim([NotNullWhen(true)] out DefragVictim? victim) => TryPickVictim(DefragLwmPct, out victim);

    /// The same below another mark: when free blocks are short, a fuller block is better than none.
    public bool TryPickVictim(int belowPercent, [NotNullWhen(true)] out DefragVictim? victim)
    {
        Invariant.Holds(belowPercent is >= 1 and <= 99);
        if (!_space.TryPin(belowPercent, out var block))
        {
            victim = null;
            return false;
        }

        Interlocked.Increment(ref _defragReads);
        victim = new DefragVictim(_space, _backing, block);
        return true;
    }

    public StripeStatistics Statistics(int stripe)
    {
        Invariant.Holds((uint)stripe < Stripes);
        return new StripeStatistics(
            (_space.UsedUnitsOf(stripe) + Share(_space.UsedUnitsOf(DefragWriter), stripe)) * StorageUnit.Length,
            (int)Share(FreeBlocks, stripe),
            Volatile.Read(ref _cursors[stripe].BlocksWritten),
            (int)Share(DefragQueue, stripe),
            Share(DefragReads, stripe),
            Share(DefragWrites, stripe));
    }

    /// Nothing may be read or written any more.
    public void Dispose() => _backing.Dispose();

    /// Moves the cursor, into a new block when this one has no room. `left` is the block that it went away from; the
    /// caller drops the cursor's hold on it. A block that is too full for this image stays open when no other is free:
    /// smaller ones may still fit.
    private bool TryReserve(ref AppendCursor cursor, int writer, int units, out RecordLocation location, out int left)
    {
        left = NoBlock;
        location = RecordLocation.None;
        if (cursor.Block == NoBlock || cursor.Head + units > StorageUnit.PerBlock)
        {
            if (!_space.TryOpen(writer, writer == DefragWriter ? 0 : BlocksReservedForDefrag, out var opened))
            {
                return false;
            }

            left = cursor.Block;
            if (left != NoBlock)
            {
                _space.SetLength(left, cursor.Head);
                cursor.BlocksWritten++;
            }

            cursor.Block = opened;
            cursor.Head = 0;
            cursor.BlocksOpened++;
        }

        location = RecordLocation.Of(cursor.Block, cursor.Head, units);
        cursor.Head += units;
        cursor.Appends++;
        _space.Hold(cursor.Block, units);
        return true;
    }

    /// Nearly always nothing was appended behind, and the cursor steps back. Otherwise the rest becomes a hole, so that a
    /// walk finds the next image. The caller's hold keeps the block from being walked meanwhile.
    private void GiveBackTail(RecordLocation reserved, int units)
    {
        var tail = reserved.Unit + units;
        var end = reserved.Unit + reserved.Units;
        ref var cursor = ref _cursors[_space.OwnerOf(reserved.Block)];
        cursor.Gate.Enter();
        var isLast = cursor.Block == reserved.Block && cursor.Head == end;
        if (isLast)
        {
            cursor.Head = tail;
        }

        cursor.Gate.Exit();
        if (!isLast)
        {
            RecordImage.WriteHole(_backing.Writable(reserved.Block)[(tail * StorageUnit.Length)..], end - tail);
        }
    }

    private long Share(long total, int stripe) => (total / Stripes) + (stripe < total % Stripes ? 1 : 0);

    private long Sum(int first, int end, CursorFigure figure)
    {
        var sum = 0L;
        for (var i = first; i < end; i++)
        {
            sum += figure(in _cursors[i]);
        }

        return sum;
    }

    private delegate long CursorFigure(in AppendCursor cursor);

    /// Two cache lines each: cursors belong to different cores.
    [StructLayout(LayoutKind.Sequential, Size = 128)]
    private struct AppendCursor
    {
        public SpinGate Gate;
        public int Block;

        /// First unit not yet given away.
        public int Head;

        public long Appends;
        public long BlocksOpened;
        public long BlocksWritten;
    }
}

using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Aerie.Foundation;
using Aerie.Io;

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
    /// the victim, so one would do; the second covers a move that was given up half-way, and the marks of removed records,
    /// without which nobody could make room in a full log.
    public const int BlocksReservedForDefrag = 2;

    private const int NoBlock = -1;

    private readonly IBlockBacking _backing;
    private readonly BlockSpace _space;
    private readonly AppendCursor[] _cursors;
    private int _defragLwmPct;
    private long _defragReads;

    /// Blocks that a cursor has left while an image in them was still being filled: a flush waits for them.
    private int _unsealed;

    /// Owns the backing from here on.
    public RecordLog(RecordLogOptions options, IBlockBacking backing)
    {
        Invariant.Holds(options.Stripes is > 0 and <= RecordLogOptions.StripesMax);
        Invariant.Holds(backing.BlockCount <= RecordLocation.BlockCountMax);
        Stripes = options.Stripes;
        DefragLwmPct = options.DefragLwmPct;
        _backing = backing;
        IsPersistent = backing.IsPersistent;
        _space = new BlockSpace(backing, Stripes + 1);
        _cursors = new AppendCursor[Stripes + 1];
        foreach (ref var cursor in _cursors.AsSpan())
        {
            cursor.Block = NoBlock;
        }

        if (!IsPersistent)
        {
            _space.FreeTheRest();
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

    /// Blocks outlive the process: before first use Recovery must have ended.
    public bool IsPersistent { get; }

    /// The largest image.
    public int ImageLengthMax => IBlockBacking.BlockLength - (_backing.FirstUnit * StorageUnit.Length);

    public int BlockCount => _backing.BlockCount;

    public int FreeBlocks => _space.FreeBlocks;

    public long TotalBytes => (long)BlockCount * IBlockBacking.BlockLength;

    /// Bytes of live images, and of reserved room while it is filled.
    public long UsedBytes => _space.UsedUnits() * StorageUnit.Length;

    /// Memory held for blocks: used, open, and the few free ones that are kept warm.
    public long ResidentBytes => _backing.ResidentBytes;

    /// `data_used_pct`: live images against the whole.
    public int UsedPercent => (int)(UsedBytes * 100 / TotalBytes);

    /// `data_avail_pct`: blocks that are free, or will be after the next flush, against the whole.
    public int AvailablePercent => (int)(((long)FreeBlocks + QuarantinedBlocks) * 100 / BlockCount);

    /// Images appended, moves of the defragmenter not counted.
    public long Appends => Sum(0, Stripes, static (in AppendCursor cursor) => cursor.Appends);

    public long BlocksOpened => Sum(0, Stripes + 1, static (in AppendCursor cursor) => cursor.BlocksOpened);

    /// Blocks handed to the defragmenter.
    public long DefragReads => Volatile.Read(ref _defragReads);

    /// Blocks that the defragmenter filled.
    public long DefragWrites => Volatile.Read(ref _cursors[DefragWriter].BlocksWritten);

    /// Of the block that was opened last; 0 in memory.
    public ulong LastSequence => _backing.LastSequence;

    /// The oldest life of a block that can still be found on a device. Looks at every block.
    public ulong OldestSequence => _backing.OldestSequence;

    /// Blocks that are free once the next flush has succeeded.
    public int QuarantinedBlocks => _space.QuarantinedBlocks;

    /// Bytes appended that are not safe yet.
    public long UnflushedBytes => Sum(0, Stripes + 1, static (in AppendCursor cursor) =>
        Volatile.Read(in cursor.Position) - Volatile.Read(in cursor.Durable)) * StorageUnit.Length;

    /// Those of one writer.
    public long UnflushedBytesOf(int writer)
    {
        ref var cursor = ref _cursors[writer];
        return (Volatile.Read(ref cursor.Position) - Volatile.Read(ref cursor.Durable)) * StorageUnit.Length;
    }

    public int DeviceCount => _backing.DeviceCount;

    /// Blocks that wait for the defragmenter.
    public int DefragQueue => _space.BlocksBelow(DefragLwmPct);

    /// Blocks that a walk could not read to their end. They are left alone until nothing in them is needed.
    public long BrokenBlocks => _space.BrokenBlocks;

    /// Reserves room for an image in the block of the writer: 0 ≤ writer < Stripes, or DefragWriter. The caller fills
    /// `target` in place, from its first byte, and may do so while other threads fill other images of the block.
    /// False: no block is free (out of space), or the image is longer than ImageLengthMax, which the caller
    /// tells apart beforehand because it answers differently.
    public bool TryAppend(int writer, int sizeInBytes, out RecordLocation location, out Span<byte> target) =>
        TryAppend(writer, sizeInBytes, 0, writer == DefragWriter ? 0 : BlocksReservedForDefrag, out location, out target);

    /// The same for the mark of a removed record: it may use one of the blocks that others must leave alone, because
    /// removing is how room is made.
    public bool TryAppendMark(int writer, out RecordLocation location, out Span<byte> target) =>
        TryAppend(writer, RemovalMark.Length, 1, writer == DefragWriter ? 0 : BlocksReservedForDefrag - 1, out location, out target);

    private bool TryCutLocked(List<OpenBlock> open, out LogCut cut)
    {
        open.Clear();
        foreach (ref var cursor in _cursors.AsSpan())
        {
            if (cursor.Block == NoBlock)
            {
                continue;
            }

            if (_space.IsBeingFilled(cursor.Block))
            {
                cut = default;
                return false;
            }

            open.Add(new OpenBlock(
                cursor.Block, _backing.SequenceOf(cursor.Block), cursor.Head, _space.BooksOf(cursor.Block).Marks));
        }

        cut = new LogCut(_backing.LastSequence + 1, open);
        return true;
    }

    private bool TryAppend(int writer, int sizeInBytes, int marks, int spared, out RecordLocation location, out Span<byte> target)
    {
        location = RecordLocation.None;
        target = default;
        Invariant.Holds(sizeInBytes > 0);
        if (sizeInBytes > ImageLengthMax)
        {
            return false;
        }

        ref var cursor = ref _cursors[writer];
        cursor.Gate.Enter();
        var reserved = TryReserve(ref cursor, writer, spared, StorageUnit.CountFor(sizeInBytes), out location, out var left);
        if (reserved && marks != 0)
        {
            _space.AddMarks(location.Block, marks); // here, where a cut sees both the mark and its count, or neither
        }

        cursor.Gate.Exit();
        if (left != NoBlock)
        {
            DropHold(left); // outside the gate: it may write the block out, or give its memory back
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
        var image = _backing.Writable(reserved.Block)[reserved.Offset..];
        Invariant.Holds(RecordImage.UnitsAt(image) == units);
        RecordImage.Reseed(image, _backing.SeedOf(reserved.Block));
        if (units < reserved.Units)
        {
            GiveBackTail(reserved, units);
        }

        DropHold(reserved.Block, reserved.Units - units);
        return reserved.Shrunk(units);
    }

    /// Gives back what TryAppend reserved; whatever was written there is forgotten.
    public void Abandon(RecordLocation reserved)
    {
        GiveBackTail(reserved, 0);
        DropHold(reserved.Block, reserved.Units);
    }

    /// The image, when it can be had without waiting. In memory always. Stays until the same reader reads again: 0 ≤ reader
    /// < IBlockBacking.ReadersMax, a number for each thread.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryRead(int reader, RecordLocation location, out ReadOnlySpan<byte> image) =>
        _backing.TryResident(reader, location.Block, location.Offset, location.Length, out image);

    /// Where on a device an image lies that is not resident. Its first and last bytes need not stand at page borders.
    public (IBlockDevice Device, long Offset) PlaceOf(RecordLocation location)
    {
        var (device, offset) = _backing.PlaceOf(location.Block);
        return (device, offset + location.Offset);
    }

    /// Share of the memory for what waits to be written, in per cent. From 100 on appends are refused; who sees it rise waits.
    public int WriteCachePercent => _backing.WriteCachePercent;

    /// What the checksum of an image there is combined with.
    public uint SeedOf(RecordLocation location) => _backing.SeedOf(location.Block);

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
        if (!_backing.TryLoad(block, out _))
        {
            _space.MarkBroken(block);
            _space.DropHold(block);
            victim = null;
            return false;
        }

        victim = new DefragVictim(_space, _backing, block);
        return true;
    }

    /// Units that the writer has been given so far. What it appended is safe once DurablePosition has come so far.
    public long Position(int writer) => Volatile.Read(ref _cursors[writer].Position);

    public long DurablePosition(int writer) => Volatile.Read(ref _cursors[writer].Durable);

    /// Writes out all that was committed before the call, and returns when it is safe. `beforeWriting` runs when it is fixed
    /// what will be written: whatever those images rely on must be safe before them. One thread at a time. Throws what a
    /// device says; nothing is lost then, and the next call tries again.
    public void Flush(Action beforeWriting)
    {
        var freed = _space.TakeQuarantine();
        try
        {
            foreach (ref var cursor in _cursors.AsSpan())
            {
                Settle(ref cursor);
            }

            var spin = default(SpinWait);
            while (Volatile.Read(ref _unsealed) != 0)
            {
                spin.SpinOnce(); // a fill takes less than a microsecond
            }

            _backing.BeginFlush();
            beforeWriting();
            _backing.Flush();
        }
        catch
        {
            _space.ReturnQuarantine(freed);
            throw;
        }

        foreach (ref var cursor in _cursors.AsSpan())
        {
            Volatile.Write(ref cursor.Durable, cursor.Settled);
        }

        _space.FreeQuarantined(freed);
    }

    /// A moment between two appends: what was appended before it lies in front of it in every block, and what comes later
    /// behind. Records whose lock is taken afterwards show what was appended before. Any thread.
    public LogCut Cut()
    {
        var open = new List<OpenBlock>(_cursors.Length);
        var spin = default(SpinWait);
        while (true)
        {
            // The only place that takes more than one of these gates, for a glance at each. An image that is being filled may
            // still give back its end, so the moment is taken when there is none.
            foreach (ref var cursor in _cursors.AsSpan())
            {
                cursor.Gate.Enter();
            }

            var isBetween = TryCutLocked(open, out var cut);
            foreach (ref var cursor in _cursors.AsSpan())
            {
                cursor.Gate.Exit();
            }

            if (isBetween)
            {
                return cut;
            }

            spin.SpinOnce(sleep1Threshold: -1);
        }
    }

    /// Units appended by all writers so far.
    public long Appended => Sum(0, Stripes + 1, static (in AppendCursor cursor) => Volatile.Read(in cursor.Position));

    /// What is known of one block now. Changes at any moment, except for a block that was sealed and is pinned by what the
    /// caller knows of it.
    public BlockBooks BooksOf(int block) => _space.BooksOf(block);

    /// Units in one block that are needed, as far as is known.
    public int UsedUnitsOf(int block) => _space.UsedUnitsIn(block, out _);

    /// A free block for a checkpoint, unless only `spared` are left. It belongs to the caller until GiveBack.
    public bool TryTakeForCheckpoint(int spared, out int block) => _space.TryTake(spared, out block);

    /// The checkpoint block is not needed any more, nor named by metadata that a restart could find.
    public void GiveBack(int checkpointBlock) => _space.GiveBack(checkpointBlock);

    /// Tells a persistent log what its blocks hold, before anything else is done with it.
    public LogRecovery Recover()
    {
        Invariant.Holds(IsPersistent);
        return new LogRecovery(_space, BlockCount, Stripes);
    }

    public StripeStatistics Statistics(int stripe)
    {
        Invariant.Holds((uint)stripe < Stripes);
        return new StripeStatistics(
            (_space.UsedUnitsOf(stripe) + Share(_space.UsedUnitsOf(DefragWriter), stripe, Stripes)) * StorageUnit.Length,
            (int)Share(FreeBlocks, stripe, Stripes),
            Volatile.Read(ref _cursors[stripe].BlocksWritten),
            (int)Share(DefragQueue, stripe, Stripes),
            Share(DefragReads, stripe, Stripes),
            Share(DefragWrites, stripe, Stripes));
    }

    /// One for each device. Looks at every block once.
    public DeviceStatistics[] StatisticsOfDevices()
    {
        var devices = DeviceCount;
        if (devices == 0)
        {
            return [];
        }

        var used = new long[devices];
        var free = new int[devices];
        for (var block = 0; block < BlockCount; block++)
        {
            var units = _space.UsedUnitsIn(block, out var isFree);
            used[_backing.DeviceOf(block)] += units * (long)StorageUnit.Length;
            free[_backing.DeviceOf(block)] += isFree ? 1 : 0;
        }

        return [.. Enumerable.Range(0, devices).Select(device => new DeviceStatistics(
            used[device],
            free[device],
            (int)Share(DefragQueue, device, devices),
            Share(DefragReads, device, devices),
            Share(DefragWrites, device, devices),
            _backing.FiguresOf(device)))];
    }

    /// Nothing may be read or written any more.
    public void Dispose() => _backing.Dispose();

    /// Moves the cursor, into a new block when this one has no room. `left` is the block that it went away from; the
    /// caller drops the cursor's hold on it. A block that is too full for this image stays open when no other is free:
    /// smaller ones may still fit.
    private bool TryReserve(
        ref AppendCursor cursor, int writer, int spared, int units, out RecordLocation location, out int left)
    {
        left = NoBlock;
        location = RecordLocation.None;
        if (cursor.Block == NoBlock || cursor.Head + units > StorageUnit.PerBlock)
        {
            if (!_space.TryOpen(writer, spared, out var opened))
            {
                return false;
            }

            left = cursor.Block;
            if (left != NoBlock)
            {
                _space.SetLength(left, cursor.Head);
                cursor.BlocksWritten++;
                Interlocked.Increment(ref _unsealed);
            }

            cursor.Block = opened;
            cursor.Head = _backing.FirstUnit;
            cursor.BlocksOpened++;
        }

        location = RecordLocation.Of(cursor.Block, cursor.Head, units);
        cursor.Head += units;
        cursor.Position += units;
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
            RecordImage.WriteHole(
                _backing.Writable(reserved.Block)[(tail * StorageUnit.Length)..], end - tail, _backing.SeedOf(reserved.Block));
        }
    }

    // The last hold to go seals the block, if the cursor has left it.
    private void DropHold(int block, int unitsBack = 0)
    {
        if (_space.DropHold(block, unitsBack))
        {
            Interlocked.Decrement(ref _unsealed);
        }
    }

    /// Fixes what the cursor's block holds now. Up to the next page the rest becomes a hole, because a page that was written
    /// is never written again.
    private void Settle(ref AppendCursor cursor)
    {
        var spin = default(SpinWait);
        while (true)
        {
            cursor.Gate.Enter();
            var isFixed = cursor.Block == NoBlock || !_space.IsBeingFilled(cursor.Block);
            if (isFixed)
            {
                SettleLocked(ref cursor);
            }

            cursor.Gate.Exit();
            if (isFixed)
            {
                return;
            }

            spin.SpinOnce();
        }
    }

    private void SettleLocked(ref AppendCursor cursor)
    {
        cursor.Settled = cursor.Position;
        if (cursor.Block == NoBlock || cursor.Head == _backing.FirstUnit)
        {
            return;
        }

        var pad = -cursor.Head & (StorageUnit.PerPage - 1);
        if (pad > 0)
        {
            var rest = _backing.Writable(cursor.Block)[(cursor.Head * StorageUnit.Length)..];
            RecordImage.WriteHole(rest, pad, _backing.SeedOf(cursor.Block));
            cursor.Head += pad;
        }

        _backing.Settle(cursor.Block, cursor.Head * StorageUnit.Length);
    }

    private static long Share(long total, int part, int parts) => (total / parts) + (part < total % parts ? 1 : 0);

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

        /// Units given away so far, how many of them the last flush fixed, and how many are safe.
        public long Position;
        public long Settled;
        public long Durable;

        public long Appends;
        public long BlocksOpened;
        public long BlocksWritten;
    }
}

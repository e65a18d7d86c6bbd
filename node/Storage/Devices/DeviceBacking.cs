using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Aerie.Foundation;
using Aerie.Io;
using Aerie.Memory;

namespace Aerie.Storage.Devices;

/// Blocks on files and raw devices. A block is filled in memory, written out page by page as it is settled, and stays in
/// memory for a while after. The blocks of all devices have one numbering; each begins with a header page that says which
/// life of the block this is.
///
/// Threads: any may open, read, settle, seal; one at a time calls Flush, Discard and the members for the start; the
/// defragmenter alone loads. What is dirty is noted under the gate, what is written belongs to Flush.
public sealed class DeviceBacking : IBlockBacking
{
    /// Slots beyond those of blocks: for blocks that were freed while somebody still reads them.
    private const int SlotsAside = 8;

    private readonly Lock _gate = new();
    private readonly long[] _partialWrites;
    private readonly long[] _readErrorsOf;
    private readonly DeviceSet _devices;
    private readonly DeviceBackingOptions _options;
    private readonly BlockCache _cache;
    private readonly Block[] _blocks;
    private readonly Queue<(int Block, ulong Sequence)> _written; // in the order in which they may leave the memory
    private readonly List<(int Block, ulong Sequence)> _toWipe;
    private readonly Lock _loading = new();

    /// Held while the header of a free block is wiped, or becomes that of a checkpoint.
    private readonly Lock _headers = new();
    private readonly Dictionary<int, NativeRegion> _loaded = [];
    private readonly Stack<NativeRegion> _spareForLoads = new();
    private readonly NativeRegion _zeroPage = NativeRegion.Reserve(DeviceLayout.PageLength, hugePages: false);
    private readonly List<int> _dirty;
    private readonly List<Piece> _beingWritten;
    private int _sealedDirty;
    private int _clean;
    private ulong _sequence;
    private long _unwrittenBytes;
    private long _readErrors;
    private long _writeErrors;

    /// Owns the devices from here on. `highestSequence`: of any block ever opened on them, as far as the metadata knows.
    public DeviceBacking(DeviceSet devices, DeviceBackingOptions options, ulong highestSequence)
    {
        _devices = devices;
        _options = options;
        _sequence = highestSequence;
        BlockCount = devices.Devices.Sum(device => device.DataBlocks);
        Invariant.Holds(BlockCount <= RecordLocation.BlockCountMax);
        _blocks = new Block[BlockCount];
        _written = new Queue<(int Block, ulong Sequence)>(BlockCount); // room for all: a loop that seals a block allocates nothing
        _toWipe = new List<(int Block, ulong Sequence)>(BlockCount);
        _dirty = new List<int>(BlockCount);
        _beingWritten = new List<Piece>(BlockCount);
        _partialWrites = new long[devices.Devices.Count];
        _readErrorsOf = new long[devices.Devices.Count];
        Lay();
        _cache = new BlockCache(BlockCount, BlockCount + options.Readers + SlotsAside, options.Readers + 1); // the last one defragments
    }

    public int BlockCount { get; }

    public bool IsPersistent => true;

    public int FirstUnit => DeviceLayout.FirstUnit;

    public long ResidentBytes => (long)_cache.Used * IBlockBacking.BlockLength;

    public DeviceSet Devices => _devices;

    /// Bytes that were settled or sealed and are not written yet.
    public long UnwrittenBytes => Interlocked.Read(ref _unwrittenBytes);

    /// Full blocks that wait, beyond one for each cursor, against `max-write-cache`.
    public int WriteCachePercent =>
        (int)Math.Min(100, WaitingBytes * 100 / Math.Max(_options.MaxWriteCache(), IBlockBacking.BlockLength));

    public long ReadErrors => Interlocked.Read(ref _readErrors);

    public long WriteErrors => Interlocked.Read(ref _writeErrors);

    /// Of the block that was opened last.
    public ulong LastSequence => Volatile.Read(ref _sequence);

    /// The oldest life of a block that can be found on a device, or will be: no image there was appended before it began.
    /// Blocks that were opened and not written yet count with what they held before, and with what they hold now.
    public ulong OldestSequence
    {
        get
        {
            var oldest = ulong.MaxValue;
            foreach (ref var block in _blocks.AsSpan())
            {
                var (onDevice, unwritten) = (Volatile.Read(ref block.OnDevice), Volatile.Read(ref block.Unwritten));
                oldest = onDevice != 0 && onDevice < oldest ? onDevice : oldest;
                oldest = unwritten != 0 && unwritten < oldest ? unwritten : oldest;
            }

            return oldest;
        }
    }

    public uint SeedOf(int block) => Volatile.Read(ref _blocks[block].Seed);

    public ulong SequenceOf(int block) => Volatile.Read(ref _blocks[block].Sequence);

    /// The life of the block that can be found on its device, if it holds records; 0: none.
    public ulong OnDevice(int block) => Volatile.Read(ref _blocks[block].OnDevice);

    public (IBlockDevice Device, long Offset) PlaceOf(int block)
    {
        ref var entry = ref _blocks[block];
        return (_devices.Devices[entry.Device].Device, DeviceLayout.BlockOffset(entry.DeviceBlock));
    }

    public int DeviceCount => _devices.Devices.Count;

    public int DeviceOf(int block) => _blocks[block].Device;

    public DeviceFigures FiguresOf(int device)
    {
        var waiting = 0;
        foreach (ref var block in _blocks.AsSpan())
        {
            waiting += block.Device == device && block.IsDirty ? 1 : 0;
        }

        var of = _devices.Devices[device];
        var hasShadow = of.ShadowPath is not null;
        return new DeviceFigures(
            waiting,
            hasShadow ? waiting : 0,
            of.Writes,
            Volatile.Read(ref _partialWrites[device]),
            Volatile.Read(ref _readErrorsOf[device]),
            hasShadow);
    }

    public bool TryOpen(int block)
    {
        if (WriteCachePercent >= 100 || !TryTakeSlot(block))
        {
            return false;
        }

        ref var entry = ref _blocks[block];
        var sequence = Interlocked.Increment(ref _sequence);
        Volatile.Write(ref entry.Unwritten, sequence);
        Volatile.Write(ref entry.Sequence, sequence);
        entry.Settled = 0;
        entry.Written = 0;
        entry.IsSealed = false;
        var header = new BlockHeader(
            BlockKind.Records,
            sequence,
            _devices.Devices[entry.Device].Header.BlockDevice,
            _options.Clock.UnixMilliseconds,
            NewSalt(sequence, entry.Seed));
        Volatile.Write(ref entry.Seed, header.Seed);
        header.Write(_cache.Bytes(block)[..DeviceLayout.PageLength]);
        return true;
    }

    public Span<byte> Writable(int block) => _cache.Bytes(block);

    public bool TryResident(int reader, int block, int offset, int length, out ReadOnlySpan<byte> bytes) =>
        _cache.TryRead(reader, block, offset, length, out bytes);

    public void Prefetch(int block, int offset, int length) => _cache.Prefetch(block, offset, length);

    public bool TryLoad(int block, out ReadOnlySpan<byte> bytes)
    {
        bytes = default;
        lock (_loading)
        {
            if (!_loaded.TryGetValue(block, out var region))
            {
                region = _spareForLoads.Count > 0 ? _spareForLoads.Pop() : NativeRegion.Reserve(IBlockBacking.BlockLength);
                if (!TryFill(block, region.Span(0, IBlockBacking.BlockLength)))
                {
                    _spareForLoads.Push(region);
                    return false;
                }

                _loaded.Add(block, region);
            }

            bytes = region.Span(0, IBlockBacking.BlockLength);
            return true;
        }
    }

    public void Unload(int block)
    {
        lock (_loading)
        {
            if (_loaded.Remove(block, out var region))
            {
                _spareForLoads.Push(region);
            }
        }
    }

    public void Settle(int block, int length)
    {
        ref var entry = ref _blocks[block];
        lock (_gate)
        {
            Invariant.Holds(length % DeviceLayout.PageLength == 0 && length >= entry.Settled);
            Interlocked.Add(ref _unwrittenBytes, length - entry.Settled);
            entry.Settled = length;
            MarkDirtyLocked(block, ref entry);
        }
    }

    public void Seal(int block, int length)
    {
        ref var entry = ref _blocks[block];
        var bytes = _cache.Bytes(block);
        var rest = IBlockBacking.BlockLength - length;
        var end = length;
        if (rest > 0)
        {
            RecordImage.WriteHole(bytes[length..], rest / StorageUnit.Length, SeedOf(block));
            end = (length + RecordImage.HoleLength + DeviceLayout.PageLength - 1) / DeviceLayout.PageLength * DeviceLayout.PageLength;
        }

        lock (_gate)
        {
            Interlocked.Add(ref _unwrittenBytes, end - entry.Settled);
            entry.Settled = end;
            entry.IsSealed = true;
            _sealedDirty++;
            MarkDirtyLocked(block, ref entry);
        }
    }

    /// The block is free. What its header on the device says is wiped by the next Flush unless it is opened before: the
    /// fewer old lives can be found, the fewer marks of removed records are needed.
    public bool Discard(int block)
    {
        ref var entry = ref _blocks[block];
        lock (_gate)
        {
            if (entry.IsDirty)
            {
                Interlocked.Add(ref _unwrittenBytes, entry.Written - entry.Settled);
                _sealedDirty -= entry.IsSealed ? 1 : 0;
                entry.IsDirty = false;
                _dirty.Remove(block);
            }

            if (entry.OnDevice != 0)
            {
                _toWipe.Add((block, entry.OnDevice));
            }

            _clean -= entry.IsClean ? 1 : 0;
            entry.IsClean = false;
            Volatile.Write(ref entry.Unwritten, 0);
            entry.Settled = 0;
            entry.Written = 0;
        }

        _cache.GiveBack(block);
        return false;
    }

    public void BeginFlush()
    {
        lock (_gate)
        {
            PutBackLocked(); // the last flush did not get that far
            foreach (var block in _dirty)
            {
                ref var entry = ref _blocks[block];
                entry.IsDirty = false;
                _beingWritten.Add(new Piece(block, entry.Settled, entry.IsSealed));
            }

            _dirty.Clear();
        }
    }

    public void Flush()
    {
        try
        {
            for (; _beingWritten.Count > 0; _beingWritten.RemoveAt(_beingWritten.Count - 1))
            {
                WriteOut(_beingWritten[^1]);
            }

            Wipe();
            _devices.Sync();
        }
        catch (DeviceException)
        {
            Interlocked.Increment(ref _writeErrors);
            throw;
        }

        lock (_gate)
        {
            while (!_options.KeepAll && _clean * (long)IBlockBacking.BlockLength > _options.PostWriteCache() && TryEvictLocked())
            {
            }
        }
    }

    /// At the start: the block has been found with this life of it. `bytes` stay in memory if all do.
    public void Adopt(int block, in BlockHeader header, ReadOnlySpan<byte> bytes)
    {
        ref var entry = ref _blocks[block];
        lock (_gate)
        {
            entry.Sequence = header.Sequence;
            entry.Seed = header.Seed;
            entry.OnDevice = header.Sequence;
            entry.IsSealed = true;
            _sequence = Math.Max(_sequence, header.Sequence);
        }

        if (_options.KeepAll)
        {
            var taken = _cache.TryTake(block);
            Invariant.Holds(taken);
            bytes.CopyTo(_cache.Bytes(block));
        }
    }

    /// At the start: the block holds an earlier life in which nothing is needed.
    public void AdoptDead(int block, ulong sequence)
    {
        ref var entry = ref _blocks[block];
        lock (_gate)
        {
            entry.OnDevice = sequence;
            _toWipe.Add((block, sequence));
            _sequence = Math.Max(_sequence, sequence);
        }
    }

    /// A block taken for a checkpoint begins its life: fills in the header page, which is written last.
    public BlockHeader OpenCheckpoint(int block, Span<byte> page)
    {
        ref var entry = ref _blocks[block];
        var sequence = Interlocked.Increment(ref _sequence);
        var header = new BlockHeader(
            BlockKind.Checkpoint,
            sequence,
            _devices.Devices[entry.Device].Header.BlockDevice,
            _options.Clock.UnixMilliseconds,
            NewSalt(sequence, entry.Seed));
        Volatile.Write(ref entry.Sequence, sequence);
        Volatile.Write(ref entry.Seed, header.Seed);
        header.Write(page);
        return header;
    }

    /// Whole pages of a checkpoint block. Safe after the next flush that begins after it. Throws what the device says.
    public void WriteCheckpoint(int block, int offset, ReadOnlySpan<byte> pages)
    {
        ref var entry = ref _blocks[block];
        Invariant.Holds(offset >= DeviceLayout.PageLength);
        _devices.Devices[entry.Device].Write(DeviceLayout.BlockOffset(entry.DeviceBlock) + offset, pages);
    }

    /// The block is a checkpoint's from now on, and nothing of its last life can be found any more.
    public void WriteCheckpointHeader(int block, ReadOnlySpan<byte> page)
    {
        ref var entry = ref _blocks[block];
        lock (_headers)
        {
            _devices.Devices[entry.Device].Write(DeviceLayout.BlockOffset(entry.DeviceBlock), page);
            Volatile.Write(ref entry.OnDevice, 0);
        }
    }

    public void Dispose()
    {
        _cache.Dispose();
        foreach (var region in _loaded.Values.Concat(_spareForLoads))
        {
            region.Dispose();
        }

        _zeroPage.Dispose();
        _devices.Dispose();
    }

    private long WaitingBytes =>
        Math.Max(0, Volatile.Read(ref _sealedDirty) - _options.Cursors) * (long)IBlockBacking.BlockLength;

    // Neighbours in the numbering lie on different devices, so that all devices are written to evenly.
    private void Lay()
    {
        var block = 0;
        for (var deviceBlock = 1; block < BlockCount; deviceBlock++)
        {
            for (var device = 0; device < _devices.Devices.Count; device++)
            {
                if (deviceBlock <= _devices.Devices[device].DataBlocks)
                {
                    _blocks[block].Device = device;
                    _blocks[block].DeviceBlock = deviceBlock;
                    block++;
                }
            }
        }
    }

    // The last life of the block may still be on the device: its seed must not come again.
    private static uint NewSalt(ulong sequence, uint lastSeed)
    {
        Span<byte> random = stackalloc byte[sizeof(uint)];
        RandomNumberGenerator.Fill(random);
        var salt = MemoryMarshal.Read<uint>(random);
        return BlockHeader.SeedOf(sequence, salt) == lastSeed ? ~salt : salt;
    }

    private bool TryTakeSlot(int block)
    {
        if (_cache.TryTake(block))
        {
            return true;
        }

        lock (_gate)
        {
            return TryEvictLocked() && _cache.TryTake(block);
        }
    }

    private void MarkDirtyLocked(int block, ref Block entry)
    {
        if (!entry.IsDirty)
        {
            entry.IsDirty = true;
            _dirty.Add(block);
        }
    }

    private void PutBackLocked()
    {
        foreach (var piece in _beingWritten)
        {
            MarkDirtyLocked(piece.Block, ref _blocks[piece.Block]);
        }

        _beingWritten.Clear();
    }

    // Nothing in these pages changes any more; what was settled or sealed since belongs to the next flush.
    private void WriteOut(Piece piece)
    {
        ref var entry = ref _blocks[piece.Block];
        var from = entry.Written;
        var place = DeviceLayout.BlockOffset(entry.DeviceBlock);
        if (piece.End > from)
        {
            _devices.Devices[entry.Device].Write(place + from, _cache.Bytes(piece.Block)[from..piece.End]);
        }

        lock (_gate)
        {
            Volatile.Write(ref entry.OnDevice, entry.Sequence);
            Volatile.Write(ref entry.Unwritten, 0);
            Interlocked.Add(ref _unwrittenBytes, from - piece.End);
            entry.Written = piece.End;
            _partialWrites[entry.Device] += piece.IsSealed ? 0 : 1;
            if (piece.IsSealed)
            {
                _sealedDirty--;
                _clean++;
                entry.IsClean = true;
                _written.Enqueue((piece.Block, entry.Sequence));
            }
        }
    }

    private void Wipe()
    {
        while (true)
        {
            (int Block, ulong Sequence) next;
            lock (_gate)
            {
                if (_toWipe.Count == 0)
                {
                    return;
                }

                next = _toWipe[^1];
            }

            ref var entry = ref _blocks[next.Block];
            lock (_headers)
            {
                if (entry.OnDevice == next.Sequence) // else it has been opened and written since
                {
                    _devices.Devices[entry.Device].Write(
                        DeviceLayout.BlockOffset(entry.DeviceBlock), _zeroPage.Span(0, DeviceLayout.PageLength));
                    Volatile.Write(ref entry.OnDevice, 0);
                }
            }

            lock (_gate)
            {
                _toWipe.Remove(next);
            }
        }
    }

    // The block that was written first leaves the memory first.
    private bool TryEvictLocked()
    {
        while (!_options.KeepAll && _written.TryDequeue(out var oldest))
        {
            ref var entry = ref _blocks[oldest.Block];
            if (entry.IsClean && entry.Sequence == oldest.Sequence)
            {
                entry.IsClean = false;
                _clean--;
                _cache.GiveBack(oldest.Block);
                return true;
            }
        }

        return false;
    }

    private bool TryFill(int block, Span<byte> into)
    {
        if (_cache.TryRead(_options.Readers, block, 0, IBlockBacking.BlockLength, out var resident))
        {
            resident.CopyTo(into);
            return true;
        }

        try
        {
            var (device, offset) = PlaceOf(block);
            device.Read(offset, into);
            return true;
        }
        catch (DeviceException)
        {
            Interlocked.Increment(ref _readErrors);
            Interlocked.Increment(ref _readErrorsOf[DeviceOf(block)]);
            return false;
        }
    }

    /// What a flush writes of one block: up to where, and whether that is the end.
    private readonly record struct Piece(int Block, int End, bool IsSealed);

    /// A cache line each, as in BlockSpace.
    [StructLayout(LayoutKind.Sequential, Size = 64)]
    private struct Block
    {
        /// Of its present life; of its last one while it is free.
        public ulong Sequence;

        /// Of the life that can be found on the device; 0: none.
        public ulong OnDevice;

        /// Of its present life, as long as nothing of it is on the device; 0 afterwards, and while it is free.
        public ulong Unwritten;

        /// Of its present life; of its last one while it is free.
        public uint Seed;

        public int Device;
        public int DeviceBlock;

        /// Bytes that are final, and bytes that were written.
        public int Settled;
        public int Written;

        public bool IsDirty;
        public bool IsSealed;

        /// Written to its end and still in memory.
        public bool IsClean;
    }
}

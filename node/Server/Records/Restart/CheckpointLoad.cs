using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Aerie.Foundation;
using Aerie.Index;
using Aerie.Io;
using Aerie.Memory;
using Aerie.Storage;
using Aerie.Storage.Devices;
using Aerie.Storage.Devices.Checkpoints;

namespace Aerie.Server.Records.Restart;

/// Blocks of which something must be read, from this unit on.
internal readonly record struct TailPiece(int Block, int FromUnit);

/// Brings the index to where it was when a checkpoint was taken. Whatever is not as it must be is a reason not to use it:
/// then nothing has happened, and all blocks are read.
///
/// A row counts as long as the block that it points into is still in the life that the checkpoint knew. Otherwise the record
/// was moved, rewritten or removed since, and that lies in the tail: a block is used again, or wiped, only when what
/// replaced its records is safe. Marks in blocks of the checkpoint are not read. What they keep away is not read either, or its
/// row says that it came later; they are counted, so that they stay for the next start that reads everything. A mark that was
/// dropped since has left no block of its time on any device, and so no row of that time counts.
internal sealed class CheckpointLoad
{
    private const int PartitionsPerPiece = 16;

    private readonly Namespace _records;
    private readonly DeviceBacking _backing;
    private readonly CheckpointPlace _place;
    private readonly BlockState[] _states;
    private readonly BlockHeader[] _headers;
    private readonly RestartProgress _progress;
    private readonly int[] _units;
    private readonly bool[] _isThere;
    private readonly long[] _firstRows = new long[Digest.PartitionCount + 1];
    private readonly List<Tally> _tallies = [];
    private CheckpointHead _head = null!;
    private uint _seed;
    private int _rowsFrom;
    private int _nextPiece = -1;
    private volatile string? _reason;

    private CheckpointLoad(
        Namespace records, DeviceBacking backing, CheckpointPlace place, BlockState[] states, BlockHeader[] headers,
        RestartProgress progress)
    {
        _records = records;
        _backing = backing;
        _place = place;
        _states = states;
        _headers = headers;
        _progress = progress;
        _units = new int[backing.BlockCount];
        _isThere = new bool[backing.BlockCount];
    }

    public ulong LatestUpdateTime { get; private set; }

    public long Rows => _head.Rows;

    public CheckpointPlace Place => _place;

    /// Null with a reason, which names the place on the device if there is one.
    public static CheckpointLoad? TryOpen(
        Namespace records, DeviceBacking backing, CheckpointPlace place, BlockState[] states, BlockHeader[] headers,
        RestartProgress progress, out string reason)
    {
        var load = new CheckpointLoad(records, backing, place, states, headers, progress);
        try
        {
            reason = load.WhyNotHead() ?? load.WhyNotBlocks() ?? "";
        }
        catch (DeviceException failure)
        {
            reason = failure.Message;
        }

        return reason.Length == 0 ? load : null;
    }

    /// All rows into the index, which is empty. Null, or the reason why the index is empty again.
    public string? WhyNotRows(RestartThreads threads, long now)
    {
        _progress.Begin(RestartPhase.Checkpoint, Digest.PartitionCount, now);
        for (var partition = 0; partition < Digest.PartitionCount; partition++)
        {
            _firstRows[partition + 1] = _firstRows[partition] + _head.Partitions[partition].Rows;
        }

        threads.Run(LoadRows);
        if (_reason is not null)
        {
            Forget();
        }

        return _reason;
    }

    /// The place is one that the checkpoint knew.
    public bool Covers(RecordLocation place) => _isThere[place.Block] && place.Unit < _units[place.Block];

    /// Tells log and counters what was loaded. Returns what must be read.
    public List<TailPiece> Adopt(LogRecovery recovery, Worker worker)
    {
        var tail = new List<TailPiece>();
        var marks = 0;
        for (var block = 0; block < _backing.BlockCount; block++)
        {
            if (_states[block] == BlockState.Records && _headers[block].Sequence >= _head.NextSequence)
            {
                tail.Add(new TailPiece(block, 0));
            }
        }

        foreach (var known in _head.Blocks)
        {
            if (!_isThere[known.Block])
            {
                continue;
            }

            if (known.State == CheckpointBlockState.Dead)
            {
                _backing.AdoptDead(known.Block, known.Sequence);
                continue;
            }

            _backing.Adopt(known.Block, _headers[known.Block], default);
            recovery.Adopt(known.Block, known.Units);
            recovery.Count(known.Block, _tallies.Sum(tally => tally.UnitsOf[known.Block]), known.Marks);
            marks += known.Marks;
            if (known.State == CheckpointBlockState.Open)
            {
                tail.Add(new TailPiece(known.Block, known.Units));
            }
        }

        foreach (var block in _place.Blocks)
        {
            recovery.AdoptCheckpoint(block);
        }

        for (var partition = 0; partition < Digest.PartitionCount; partition++)
        {
            _records.Index.NoteRemoval(partition, _head.Partitions[partition].LastRemoval);
        }

        _records.RecoveredMarks(marks);
        foreach (var tally in _tallies)
        {
            tally.Account(_records, worker);
            LatestUpdateTime = Math.Max(LatestUpdateTime, tally.Latest);
        }

        return tail;
    }

    /// Blocks of the checkpoint in which nothing but marks is needed, now that the tail is read. A block that was freed since
    /// looks like this, and half of something else may have been written into it under the old header.
    public IEnumerable<CheckpointBlock> BlocksOfMarks() => _head.Blocks.Where(known =>
        _isThere[known.Block] && known.Marks > 0 && _records.Log.UsedUnitsOf(known.Block) == known.Marks * RemovalMark.Units);

    // ---- is it ours, and whole ----

    private string? WhyNotHead()
    {
        if (_place.Blocks.Length == 0 || _place.Blocks.Distinct().Count() != _place.Blocks.Length
            || _place.Blocks.Any(block => (uint)block >= (uint)_backing.BlockCount))
        {
            return "the metadata names blocks that there are not";
        }

        foreach (var block in _place.Blocks)
        {
            if (_states[block] != BlockState.Checkpoint)
            {
                return $"{At(block)} is no block of a checkpoint";
            }
        }

        var first = _headers[_place.Blocks[0]];
        _seed = first.Seed;
        if (first.Sequence != _place.Sequence)
        {
            return $"{At(_place.Blocks[0])} belongs to another checkpoint";
        }

        var head = ReadHead();
        if (head is null || head.Sequence != _place.Sequence || head.StorageId != _backing.Devices.StorageId)
        {
            return $"{At(_place.Blocks[0])} holds no sound head of a checkpoint";
        }

        _head = head;
        for (var i = 0; i < head.RowBlocks.Length; i++)
        {
            if (_headers[_place.Blocks[_rowsFrom + i]].Sequence != head.RowBlocks[i])
            {
                return $"{At(_place.Blocks[_rowsFrom + i])} belongs to another checkpoint";
            }
        }

        return HasMoved() ? "devices were added, removed, exchanged or resized since" : null;
    }

    private CheckpointHead? ReadHead()
    {
        using var page = NativeRegion.Reserve(DeviceLayout.PageLength, hugePages: false);
        var start = page.Span(0, DeviceLayout.PageLength);
        ReadBlock(_place.Blocks[0], DeviceLayout.PageLength, start);
        var length = CheckpointHead.LengthAt(start);
        _rowsFrom = CheckpointLayout.HeadBlocks(length);
        if (length == 0 || length > int.MaxValue - DeviceLayout.PageLength || _rowsFrom > _place.Blocks.Length)
        {
            return null;
        }

        using var region = NativeRegion.Reserve(CheckpointLayout.Pages((int)length), hugePages: false);
        for (var i = 0; i < _rowsFrom; i++)
        {
            var from = (long)i * CheckpointLayout.PayloadLength;
            var count = CheckpointLayout.Pages((int)Math.Min(CheckpointLayout.PayloadLength, length - from));
            ReadBlock(_place.Blocks[i], DeviceLayout.PageLength, region.Span(from, count));
        }

        var head = CheckpointHead.TryRead(region.Span(0, (int)length), _seed);
        return head?.RowBlocks.Length == _place.Blocks.Length - _rowsFrom ? head : null;
    }

    private void ReadBlock(int block, int offset, Span<byte> into)
    {
        var (device, place) = _backing.PlaceOf(block);
        device.Read(place + offset, into);
    }

    // Blocks are numbered over all devices: the numbers mean the same only while the devices are the same. One alone may grow.
    private bool HasMoved()
    {
        var devices = _backing.Devices.Devices;
        if (_head.Devices.Length != devices.Count)
        {
            return true;
        }

        for (var i = 0; i < devices.Count; i++)
        {
            var known = _head.Devices[i];
            var isSame = known.DataBlocks == devices[i].DataBlocks || (devices.Count == 1 && known.DataBlocks < devices[i].DataBlocks);
            if (known.Id != devices[i].Header.DeviceId || !isSame)
            {
                return true;
            }
        }

        return false;
    }

    private string? WhyNotBlocks()
    {
        foreach (var known in _head.Blocks)
        {
            if (known.Block >= _backing.BlockCount)
            {
                return "it knows blocks that there are not";
            }

            _units[known.Block] = known.Units;
            _isThere[known.Block] = _states[known.Block] == BlockState.Records && _headers[known.Block].Sequence == known.Sequence;
        }

        for (var block = 0; block < _backing.BlockCount; block++)
        {
            if (_states[block] == BlockState.Damaged)
            {
                return $"{At(block)} has a damaged header";
            }

            if (_states[block] == BlockState.Records && _headers[block].Sequence < _head.NextSequence && !_isThere[block])
            {
                return $"{At(block)} holds records that it does not know";
            }
        }

        return null;
    }

    private string At(int block)
    {
        var (device, offset) = _backing.PlaceOf(block);
        return $"{device.Path}: the block at byte {offset}";
    }

    // ---- rows ----

    private void LoadRows(Worker worker)
    {
        var tally = new Tally(_backing.BlockCount, _records.Sets.Count);
        lock (_tallies)
        {
            _tallies.Add(tally);
        }

        using var reader = new CheckpointRows(_backing, _place.Blocks.AsMemory(_rowsFrom));
        using var room = NativeRegion.Reserve(Math.Max(1, _head.Partitions.Max(static partition => (long)partition.Rows))
            * CheckpointLayout.RowLength);
        while (_reason is null && Interlocked.Increment(ref _nextPiece) is var piece
            && piece < Digest.PartitionCount / PartitionsPerPiece)
        {
            var first = piece * PartitionsPerPiece;
            for (var partition = first; partition < first + PartitionsPerPiece && _reason is null; partition++)
            {
                if (_head.Partitions[partition].Rows != 0)
                {
                    LoadPartition(partition, _firstRows[first + PartitionsPerPiece] - 1, reader, room, tally);
                }

                _progress.Add(_head.Partitions[partition].Rows, (long)_head.Partitions[partition].Rows * CheckpointLayout.RowLength);
            }
        }
    }

    private void LoadPartition(int partition, long until, CheckpointRows reader, NativeRegion room, Tally tally)
    {
        var known = _head.Partitions[partition];
        var bytes = room.Span(0, checked((int)(known.Rows * CheckpointLayout.RowLength)));
        try
        {
            reader.Read(_firstRows[partition], until, bytes);
        }
        catch (DeviceException failure)
        {
            _reason = failure.Message;
            return;
        }

        var (block, offset) = CheckpointLayout.PlaceOf(_firstRows[partition]);
        var rows = MemoryMarshal.Cast<byte, RecordEntry>(bytes);
        if ((Crc32C.Of(bytes) ^ _seed) != known.Checksum || !TryKeep(partition, rows, tally, out var kept))
        {
            _reason = $"{At(_place.Blocks[_rowsFrom + block])} is damaged at byte {offset} or later";
            return;
        }

        using var gate = _records.Index.Enter(partition);
        if (!_records.Index.TryLoad(partition, rows[..kept]))
        {
            throw new StorageException(
                $"namespace {_records.Name}: the index has reached indexes-memory-budget before all records were read: raise it");
        }
    }

    // The rows that still count, in their order at the front. False: no checkpoint says that.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)] // a start has no time to warm up
    private bool TryKeep(int partition, Span<RecordEntry> rows, Tally tally, out int kept)
    {
        kept = 0;
        var last = default(Digest);
        for (var i = 0; i < rows.Length; i++)
        {
            ref readonly var row = ref rows[i];
            var digest = row.Digest(partition);
            var place = new RecordLocation(row.Place);
            var isSound = digest.Partition == partition && (i == 0 || digest > last) && row.IsStored && row.SetId <= _records.Sets.Count
                && place.Units > 0 && place.Block < _units.Length && place.Unit >= _backing.FirstUnit
                && place.Unit + place.Units <= _units[place.Block];
            if (!isSound)
            {
                return false;
            }

            last = digest;
            tally.Latest = Math.Max(tally.Latest, row.LastUpdateTime);
            if (_isThere[place.Block] && !_records.IsSweptAway(row))
            {
                tally.Add(row, place);
                rows[kept++] = row;
            }
        }

        return true;
    }

    private void Forget()
    {
        var handles = new EntryHandle[PrimaryIndex.LeafCapacity];
        for (var partition = 0; partition < Digest.PartitionCount; partition++)
        {
            using var gate = _records.Index.Enter(partition);
            var cursor = default(IndexCursor);
            while (_records.Index.NextLeaf(partition, ref cursor, handles) is > 0 and var count)
            {
                foreach (var handle in handles.AsSpan(0, count))
                {
                    _records.Index.Remove(_records.Index[handle].Digest(partition), handle);
                }
            }
        }
    }

    /// What one thread has loaded: nothing of it is told before all is.
    private sealed class Tally(int blocks, int sets)
    {
        private readonly OfSet[] _ofSets = new OfSet[sets + 1];

        public int[] UnitsOf { get; } = new int[blocks];

        public ulong Latest { get; set; }

        public void Add(in RecordEntry row, RecordLocation place)
        {
            UnitsOf[place.Block] += place.Units;
            ref var set = ref _ofSets[row.SetId];
            set.Units += place.Units;
            if (row.IsTombstone)
            {
                set.Tombstones++;
                return;
            }

            set.Objects++;
            set.NeverExpiring += row.VoidTime == CitrusTime.NeverExpires ? 1 : 0;
        }

        public void Account(Namespace records, Worker worker)
        {
            for (var set = 0; set < _ofSets.Length; set++)
            {
                ref readonly var of = ref _ofSets[set];
                records.Recovered(worker, set, of.Objects, of.Tombstones, of.NeverExpiring, of.Units);
            }
        }

        private struct OfSet
        {
            public long Objects;
            public long Tombstones;
            public long NeverExpiring;
            public long Units;
        }
    }
}

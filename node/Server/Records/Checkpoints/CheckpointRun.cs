using System.Runtime.InteropServices;
using Aerie.Foundation;
using Aerie.Index;
using Aerie.Memory;
using Aerie.Storage;
using Aerie.Storage.Devices;
using Aerie.Storage.Devices.Checkpoints;

namespace Aerie.Server.Records.Checkpoints;

internal enum CheckpointStep
{
    More,

    /// The next block has a sequence that the metadata does not cover yet: a flush saves it.
    WaitsForFlush,
    NoRoom,
    Done,
}

/// One checkpoint while it is taken, from the cut on, cut into short steps of one thread, while clients go on. Until its place
/// is named in the metadata it is nothing, and may be given up at any step.
///
/// A row is copied only if its image lies in front of the cut. What a walk behind the cut does not show was changed behind it,
/// and lies in the tail that a restart reads: all of it, since a command appends and publishes under one lock of its partition.
/// Before the place is named a flush must succeed that began after the last step: then everything that rows, or their absence,
/// rely on is on the devices.
internal sealed class CheckpointRun : IDisposable
{
    private const int PieceLength = 1024 * 1024;

    private readonly Namespace _records;
    private readonly DeviceBacking _backing;
    private readonly int _spared;
    private readonly NativeRegion _region = NativeRegion.Reserve(DeviceLayout.BlockLength);
    private readonly RecordEntry[] _leaf = new RecordEntry[PrimaryIndex.LeafCapacity];
    private readonly CheckpointPartition[] _partitions = new CheckpointPartition[Digest.PartitionCount];
    private readonly List<CheckpointBlock> _table = [];
    private readonly List<int> _rowBlocks = [];
    private readonly List<ulong> _rowSequences = [];
    private readonly List<int> _headBlocks = [];
    private readonly int[] _covered;
    private readonly ulong[] _sequences;
    private readonly LogCut _cut;
    private NativeRegion? _head;
    private int _headLength;
    private ulong _headSequence;
    private int _partition;
    private IndexCursor _cursor;
    private int _leafCount;
    private int _leafAt;
    private int _filled = DeviceLayout.PageLength;
    private bool _isWriting;
    private BlockHeader _opened;
    private int _block = -1;
    private int _written;

    public CheckpointRun(Namespace records, DeviceBacking backing, int spared)
    {
        Invariant.Holds(RecordEntry.Size == CheckpointLayout.RowLength);
        _records = records;
        _backing = backing;
        _spared = spared;
        Appended = records.Log.Appended; // before the cut: what comes between belongs to the tail once too often
        _cut = records.Log.Cut();
        _covered = new int[backing.BlockCount];
        _sequences = new ulong[backing.BlockCount];
        NoteBlocks();
    }

    /// Units that the log had taken at the cut.
    public long Appended { get; }

    public long Rows { get; private set; }

    /// Free blocks that one of this size needs.
    public static long BlocksNeeded(Namespace records, DeviceBacking backing)
    {
        var rows = 0L;
        for (var partition = 0; partition < Digest.PartitionCount; partition++)
        {
            rows += records.Index.Count(partition);
        }

        var rowBlocks = CheckpointLayout.RowBlocks(rows);
        return rowBlocks + CheckpointLayout.HeadBlocks(CheckpointHead.Measure(
            backing.Devices.Devices.Count, rowBlocks, backing.BlockCount));
    }

    /// A few microseconds of work, or one piece written. Throws what a device says.
    public CheckpointStep Step()
    {
        if (_isWriting)
        {
            return WritePiece();
        }

        if (_leafAt < _leafCount)
        {
            AppendRows();
            return CheckpointStep.More;
        }

        if (_partition < Digest.PartitionCount)
        {
            NextLeaf();
            return CheckpointStep.More;
        }

        if (_head is null)
        {
            if (_filled > DeviceLayout.PageLength)
            {
                _isWriting = true;
                return CheckpointStep.More;
            }

            return TryBeginHead() ? CheckpointStep.More : CheckpointStep.NoRoom;
        }

        return NextOfHead();
    }

    /// After Done: what the metadata is to name.
    public CheckpointPlace Place() => new(_headSequence, [.. _headBlocks, .. _rowBlocks]);

    /// The blocks taken go back, as long as nobody was told of them.
    public void GiveUp()
    {
        foreach (var block in _headBlocks.Concat(_rowBlocks))
        {
            _records.Log.GiveBack(block);
        }

        if (_block >= 0)
        {
            _records.Log.GiveBack(_block);
        }
    }

    public void Dispose()
    {
        _region.Dispose();
        _head?.Dispose();
    }

    // What each block holds in front of the cut. Blocks come and go meanwhile: one that was freed since is not needed by any row
    // that is still to be copied, one that was opened since lies behind the cut.
    private void NoteBlocks()
    {
        for (var block = 0; block < _backing.BlockCount; block++)
        {
            ulong sequence;
            BlockBooks books;
            ulong onDevice;
            do
            {
                sequence = _backing.SequenceOf(block);
                books = _records.Log.BooksOf(block);
                onDevice = _backing.OnDevice(block);
            }
            while (_backing.SequenceOf(block) != sequence);

            if (books.IsUsed && sequence < _cut.NextSequence)
            {
                NoteUsed(block, sequence, books);
            }
            else if (onDevice != 0 && onDevice < _cut.NextSequence)
            {
                _table.Add(new CheckpointBlock(block, onDevice, CheckpointBlockState.Dead, 0, 0));
            }
        }
    }

    private void NoteUsed(int block, ulong sequence, in BlockBooks books)
    {
        var known = new CheckpointBlock(block, sequence, CheckpointBlockState.Sealed, books.Length, books.Marks);
        foreach (var open in _cut.Open)
        {
            if (open.Block == block && open.Sequence == sequence)
            {
                known = known with { State = CheckpointBlockState.Open, Units = open.Head, Marks = open.Marks };
            }
        }

        _table.Add(known);
        _covered[block] = known.Units;
        _sequences[block] = sequence;
    }

    // The leaf's lock alone is held, and for a copy only.
    private void NextLeaf()
    {
        while (_partition < Digest.PartitionCount && (_cursor.IsAtEnd || _records.Index.Count(_partition) == 0))
        {
            _partition++;
            _cursor = default;
        }

        if (_partition == Digest.PartitionCount)
        {
            return;
        }

        using var gate = _records.Index.Enter(_partition);
        _leafCount = _records.Index.NextRows(_partition, ref _cursor, _leaf);
        _leafAt = 0;
    }

    private void AppendRows()
    {
        ref var partition = ref _partitions[_partition];
        for (; _leafAt < _leafCount; _leafAt++)
        {
            ref readonly var row = ref _leaf[_leafAt];
            if (!IsInFront(new RecordLocation(row.Place)))
            {
                continue;
            }

            if (_filled + CheckpointLayout.RowLength > DeviceLayout.BlockLength)
            {
                _isWriting = true;
                return;
            }

            var target = _region.Span(_filled, CheckpointLayout.RowLength);
            MemoryMarshal.Write(target, in row);
            partition = partition with { Rows = partition.Rows + 1, Checksum = Crc32C.Of(target, partition.Checksum) };
            _filled += CheckpointLayout.RowLength;
            Rows++;
        }
    }

    // Asked after the lock was dropped: a block that was freed since has another sequence, which lies behind the cut.
    private bool IsInFront(RecordLocation location)
    {
        var sequence = _backing.SequenceOf(location.Block);
        var isInFront = sequence == _sequences[location.Block] && location.Unit < _covered[location.Block];
        Invariant.Holds(isInFront || sequence >= _cut.NextSequence || IsBehindHead(location, sequence)); // else a record would be lost
        return isInFront;
    }

    private bool IsBehindHead(RecordLocation location, ulong sequence)
    {
        foreach (var open in _cut.Open)
        {
            if (open.Block == location.Block && open.Sequence == sequence)
            {
                return location.Unit >= open.Head;
            }
        }

        return false;
    }

    // ---- writing ----

    private CheckpointStep WritePiece()
    {
        if (_block < 0)
        {
            if (!TryOpenBlock())
            {
                return CheckpointStep.NoRoom;
            }
        }

        if (_opened.Sequence > _records.Register!.SavedSequence)
        {
            return CheckpointStep.WaitsForFlush;
        }

        var end = CheckpointLayout.Pages(_filled);
        if (_written < end)
        {
            var length = Math.Min(PieceLength, end - _written);
            _backing.WriteCheckpoint(_block, _written, _region.Span(_written, length));
            _written += length;
            return CheckpointStep.More;
        }

        _backing.WriteCheckpointHeader(_block, _region.Span(0, DeviceLayout.PageLength));
        NoteWritten();
        return CheckpointStep.More;
    }

    private bool TryOpenBlock()
    {
        if (!_records.Log.TryTakeForCheckpoint(_spared, out _block))
        {
            _block = -1;
            return false;
        }

        _opened = _backing.OpenCheckpoint(_block, _region.Span(0, DeviceLayout.PageLength));
        _written = DeviceLayout.PageLength;
        return true;
    }

    private void NoteWritten()
    {
        if (_head is null)
        {
            _rowBlocks.Add(_block);
            _rowSequences.Add(_opened.Sequence);
        }
        else
        {
            _headBlocks.Add(_block);
        }

        _block = -1;
        _filled = DeviceLayout.PageLength;
        _isWriting = false;
    }

    // The first block of the head salts all checksums: what an earlier checkpoint left behind never verifies.
    private bool TryBeginHead()
    {
        if (!TryOpenBlock())
        {
            return false;
        }

        _headSequence = _opened.Sequence;
        for (var partition = 0; partition < _partitions.Length; partition++)
        {
            ref var known = ref _partitions[partition];
            known = known with { Checksum = known.Checksum ^ _opened.Seed, LastRemoval = _records.Index.LastRemoval(partition) };
        }

        var head = new CheckpointHead
        {
            StorageId = _backing.Devices.StorageId,
            Sequence = _headSequence,
            NextSequence = _cut.NextSequence,
            Devices = DevicesOf(_backing),
            Partitions = _partitions,
            RowBlocks = [.. _rowSequences],
            Blocks = [.. _table],
        };
        _headLength = (int)CheckpointHead.Measure(head.Devices.Length, head.RowBlocks.Length, head.Blocks.Length);
        _head = NativeRegion.Reserve(_headLength, hugePages: false);
        head.Write(_head.Span(0, _headLength), _opened.Seed);
        return true;
    }

    private CheckpointStep NextOfHead()
    {
        var done = _headBlocks.Count * CheckpointLayout.PayloadLength;
        if (done >= _headLength)
        {
            return CheckpointStep.Done;
        }

        var length = Math.Min(CheckpointLayout.PayloadLength, _headLength - done);
        _head!.Span(done, length).CopyTo(_region.Span(DeviceLayout.PageLength, length));
        _filled = DeviceLayout.PageLength + length;
        _isWriting = true;
        return CheckpointStep.More;
    }

    internal static CheckpointDevice[] DevicesOf(DeviceBacking backing) =>
        [.. backing.Devices.Devices.Select(static device => new CheckpointDevice(device.Header.DeviceId, device.DataBlocks))];
}

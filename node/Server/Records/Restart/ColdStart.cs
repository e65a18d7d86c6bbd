using Aerie.Foundation;
using Aerie.Index;
using Aerie.Memory;
using Aerie.Storage;
using Aerie.Storage.Codecs;
using Aerie.Storage.Devices;
using Microsoft.Extensions.Logging;

namespace Aerie.Server.Records.Restart;

/// Builds the index of a persistent namespace from what its devices hold: from the last checkpoint and what was written since,
/// or from every block. Of each record it keeps the newest version. Several threads take block after block. What was removed
/// has left a mark that is newer than all its versions; marks stand in the index meanwhile, as tombstones of generation 0, and
/// leave it at the end.
internal sealed class ColdStart(Namespace records, DeviceBacking backing, LogRecovery recovery, IClock clock, ILogger log)
{
    private const long ReportNanoseconds = 1_000_000_000;

    private readonly Lock _reporting = new();
    private readonly bool[] _hasMarks = new bool[Digest.PartitionCount];
    private RestartThreads _threads = null!;
    private List<TailPiece> _pieces = [];
    private int _nextHeader = -1;
    private int _nextPiece = -1;
    private int _nextPartition = -1;
    private long _unitsRead;
    private long _reportAt;
    private ulong _latest;
    private CheckpointLoad? _load;

    public RestartProgress Progress { get; } = new(records.Name);

    /// The newest last-update-time met: the clock of updates must not stay behind it.
    public ulong LatestUpdateTime => Volatile.Read(ref _latest);

    /// Reads everything even if there is a checkpoint. For tests.
    internal bool IgnoresCheckpoint { get; init; }

    /// Blocks until all is read. Throws StorageException when a device cannot be read at all. One worker for each thread.
    public void Run(IReadOnlyList<Worker> workers)
    {
        _threads = new RestartThreads(workers);
        _reportAt = clock.MonotonicNanoseconds + ReportNanoseconds;
        _load = TryLoadCheckpoint();
        if (_load is { } load)
        {
            _pieces = load.Adopt(recovery, workers[0]);
            NoteLatest(load.LatestUpdateTime);
            Progress.Begin(RestartPhase.Tail, _pieces.Count, clock.MonotonicNanoseconds);
        }
        else
        {
            _pieces = [.. Enumerable.Range(0, backing.BlockCount).Select(static block => new TailPiece(block, 0))];
            Progress.Begin(RestartPhase.Scanning, _pieces.Count, clock.MonotonicNanoseconds);
        }

        if (ShadowRepair.IsNeeded(records, backing))
        {
            new ShadowRepair(records, backing, log).Run(_threads, _pieces);
        }

        _threads.Run(ReadBlocks);
        CountMarksAgain();
        _threads.Run(EndPartitions);
        recovery.End();
        log.LogInformation("{Line}", Progress.Line(clock.MonotonicNanoseconds));
        if (_load is not null)
        {
            records.Register?.Used(_load.Place, _unitsRead);
        }

        if (Progress.DamagedRanges > 0)
        {
            log.LogError(
                "{{{Namespace}}} {Ranges} damaged places with {Bytes} bytes were skipped; aerie storage verify lists them",
                records.Name, Progress.DamagedRanges, Progress.DamagedBytes);
        }
    }

    // Where all images are kept in memory they are read anyway.
    private CheckpointLoad? TryLoadCheckpoint()
    {
        if (IgnoresCheckpoint || records.Options.Storage.IsMemory || records.Storage?.Found?.Checkpoint is not { } place)
        {
            return null;
        }

        var states = new BlockState[backing.BlockCount];
        var headers = new BlockHeader[backing.BlockCount];
        Progress.Begin(RestartPhase.Headers, backing.BlockCount, clock.MonotonicNanoseconds);
        _threads.Run(_ => ReadHeaders(states, headers));
        var load = CheckpointLoad.TryOpen(records, backing, place, states, headers, Progress, out var reason);
        var failure = load is null ? reason : load.WhyNotRows(_threads, clock.MonotonicNanoseconds);
        if (failure is not null)
        {
            log.LogWarning(
                "{{{Namespace}}} the checkpoint is not used: {Reason}; all blocks are read instead", records.Name, failure);
            return null;
        }

        log.LogInformation("{Line}", Progress.Line(clock.MonotonicNanoseconds));
        return load;
    }

    private void ReadHeaders(BlockState[] states, BlockHeader[] headers)
    {
        using var region = NativeRegion.Reserve(DeviceLayout.PageLength, hugePages: false);
        var page = region.Span(0, DeviceLayout.PageLength);
        while (!_threads.HasFailed && Interlocked.Increment(ref _nextHeader) is var block && block < backing.BlockCount)
        {
            var (device, offset) = backing.PlaceOf(block);
            device.Read(offset, page);
            states[block] = BlockHeader.Read(page, DeviceOf(block), out headers[block]);
            Progress.Add(0, DeviceLayout.PageLength);
            Report();
        }
    }

    private void ReadBlocks(Worker worker)
    {
        using var region = NativeRegion.Reserve(IBlockBacking.BlockLength);
        var bytes = region.Span(0, IBlockBacking.BlockLength);
        var findings = new Findings(worker);
        while (!_threads.HasFailed && Interlocked.Increment(ref _nextPiece) is var next && next < _pieces.Count)
        {
            var piece = _pieces[next];
            var (device, offset) = backing.PlaceOf(piece.Block);
            device.Read(offset, bytes[..DeviceLayout.PageLength]);
            var state = BlockHeader.Read(bytes, DeviceOf(piece.Block), out var header);
            var found = 0;
            if (state == BlockState.Records)
            {
                var from = Math.Max(1, piece.FromUnit / StorageUnit.PerPage) * DeviceLayout.PageLength;
                if (from < bytes.Length)
                {
                    device.Read(offset + from, bytes[from..]);
                }

                if (piece.FromUnit == 0)
                {
                    backing.Adopt(piece.Block, header, bytes);
                    recovery.Adopt(piece.Block, StorageUnit.PerBlock);
                }

                found = ReadBlock(findings, piece, bytes);
            }
            else if (state == BlockState.Damaged)
            {
                Progress.AddDamage(DeviceLayout.BlockLength);
                log.LogError("{Device}: the header of the block at byte {Offset} is damaged: the block is skipped", device.Path, offset);
            }

            Progress.Add(found, IBlockBacking.BlockLength);
            Report();
        }
    }

    private ulong DeviceOf(int block) => backing.Devices.Devices[backing.DeviceOf(block)].Header.BlockDevice;

    private int ReadBlock(Findings findings, TailPiece piece, ReadOnlySpan<byte> bytes)
    {
        var block = piece.Block;
        var scan = new BlockScan(bytes, DeviceOf(block), Math.Max(piece.FromUnit, DeviceLayout.FirstUnit));
        while (scan.MoveNext())
        {
            switch (scan.Item)
            {
                case BlockItem.Record:
                    NoteCompression(scan.Record);
                    findings.Add(records, scan.Record.Digest, EntryOf(scan.Record, RecordLocation.Of(block, scan.Unit, scan.Units)));
                    break;
                case BlockItem.Removal:
                    AddMark(findings, scan.Removal, RecordLocation.Of(block, scan.Unit, scan.Units));
                    break;
                case BlockItem.Damage:
                    ReportDamage(block, scan.Unit, scan.Units);
                    break;
            }

            if (findings.IsFull)
            {
                TakeAll(findings, scan.Header.Sequence);
            }
        }

        TakeAll(findings, scan.Header.Sequence);
        Interlocked.Add(ref _unitsRead, scan.TailUnit - Math.Max(piece.FromUnit, DeviceLayout.FirstUnit));
        recovery.SetLength(block, scan.TailUnit);
        return scan.Records;
    }

    // The metadata knows, unless it was lost: then a library that is missing would look like records that are.
    private void NoteCompression(in RecordImageReader image)
    {
        if (image.IsEncoded)
        {
            records.Codecs!.Coding.NoteUse(ImageCoding.AlgorithmOf(image.Image));
        }
    }

    // A mark keeps its place even when the record has come back since: there may be versions from before the removal that
    // only the mark keeps away once the record is gone again. The defragmenter knows when none is left.
    private void AddMark(Findings findings, in RemovalMark mark, RecordLocation location)
    {
        recovery.CountMark(location);
        records.RecoveredMarks(1);
        findings.Add(records, mark.Digest, EntryOf(mark, location));
    }

    // Marks that are not there any more would keep their block from ever being used again.
    private void CountMarksAgain()
    {
        using var region = NativeRegion.Reserve(IBlockBacking.BlockLength);
        var bytes = region.Span(0, IBlockBacking.BlockLength);
        foreach (var known in _load?.BlocksOfMarks() ?? [])
        {
            var (device, offset) = backing.PlaceOf(known.Block);
            device.Read(offset, bytes);
            var scan = new BlockScan(bytes[..(known.Units * StorageUnit.Length)], DeviceOf(known.Block));
            while (scan.MoveNext())
            {
            }

            recovery.Count(known.Block, 0, scan.Removals - known.Marks);
            records.RecoveredMarks(scan.Removals - known.Marks);
        }
    }

    // In the order of the block. The index lies all over the memory: what it knows of all is loaded side by side.
    private void TakeAll(Findings findings, ulong sequence)
    {
        findings.Ahead.LoadEntries();
        for (var i = 0; i < findings.Ahead.Count; i++)
        {
            Take(findings.Worker, findings.Entries[i], findings.Ahead.DigestAt(i), sequence);
        }

        findings.Ahead.Clear();
    }

    // The newest version stands in the index, and its place counts as used; the others are what defragmentation gains.
    private void Take(Worker worker, in RecordEntry found, in Digest digest, ulong sequence)
    {
        NoteLatest(found.LastUpdateTime);
        if (records.IsSweptAway(found))
        {
            return;
        }

        using var gate = records.Index.Enter(digest.Partition);
        if (IsMark(found))
        {
            records.Index.NoteRemoval(digest, found.LastUpdateTime); // who comes back must be newer, whatever the clock says
            _hasMarks[digest.Partition] = true;
        }

        if (!records.Index.TryFind(digest, out var handle))
        {
            if (!records.Index.TryInsert(digest, out handle))
            {
                throw new StorageException(
                    $"namespace {records.Name}: the index has reached indexes-memory-budget before all records were read: raise it");
            }
        }
        else if (!IsNewer(found, records.Index[handle], sequence))
        {
            return;
        }
        else if (!IsMark(records.Index[handle]))
        {
            recovery.Discount(new RecordLocation(records.Index[handle].Place));
            records.Recovered(worker, records.Index[handle], -1);
        }

        records.Index[handle].Assign(found);
        if (!IsMark(found))
        {
            recovery.Count(new RecordLocation(found.Place));
            records.Recovered(worker, found, +1);
        }

        if (found.VoidTime != CitrusTime.NeverExpires)
        {
            records.Index.NoteVoidTime(digest, found.VoidTime);
        }
    }

    // The same version in two places was moved by the defragmenter. Of two images that were read either will do. But the place
    // in a row was not read: its block may have been freed since, and half of something else written into it, with the old
    // header still there. What was found behind the cut was moved there later, into a block that may be the older one.
    private bool IsNewer(in RecordEntry found, in RecordEntry known, ulong sequence)
    {
        if (found.LastUpdateTime != known.LastUpdateTime)
        {
            return found.LastUpdateTime > known.LastUpdateTime;
        }

        var (foundIsMark, knownIsMark) = (IsMark(found), IsMark(known));
        if (foundIsMark != knownIsMark)
        {
            return foundIsMark;
        }

        return found.Generation != known.Generation
            ? (short)(found.Generation - known.Generation) > 0
            : IsRow(known) || sequence > backing.SequenceOf(new RecordLocation(known.Place).Block);
    }

    private bool IsRow(in RecordEntry known) => _load is not null && _load.Covers(new RecordLocation(known.Place));

    private static bool IsMark(in RecordEntry entry) => entry.IsTombstone && entry.Generation == 0;

    private static RecordEntry EntryOf(in RecordImageReader image, RecordLocation location) => new()
    {
        Generation = image.Generation,
        LastUpdateTime = image.LastUpdateTime,
        VoidTime = image.VoidTime,
        SetId = image.SetId,
        IsTombstone = image.IsTombstone,
        Place = location.Bits,
    };

    private static RecordEntry EntryOf(in RemovalMark mark, RecordLocation location) => new()
    {
        LastUpdateTime = mark.LastUpdateTime,
        IsTombstone = true,
        Place = location.Bits,
    };

    // Marks have done their work.
    private void EndPartitions(Worker worker)
    {
        var handles = new EntryHandle[PrimaryIndex.LeafCapacity];
        while (Interlocked.Increment(ref _nextPartition) is var partition && partition < Digest.PartitionCount)
        {
            if (!_hasMarks[partition])
            {
                continue;
            }

            using var gate = records.Index.Enter(partition);
            var cursor = default(IndexCursor);
            while (!cursor.IsAtEnd)
            {
                var count = records.Index.NextLeaf(partition, ref cursor, handles);
                foreach (var handle in handles.AsSpan(0, count))
                {
                    if (IsMark(records.Index[handle]))
                    {
                        records.Index.Remove(records.Index[handle].Digest(partition), handle);
                    }
                }
            }
        }
    }

    private void NoteLatest(ulong lastUpdateTime)
    {
        var latest = Volatile.Read(ref _latest);
        while (lastUpdateTime > latest)
        {
            var seen = Interlocked.CompareExchange(ref _latest, lastUpdateTime, latest);
            if (seen == latest)
            {
                return;
            }

            latest = seen;
        }
    }

    private void ReportDamage(int block, int unit, int units)
    {
        var (device, offset) = backing.PlaceOf(block);
        var bytes = (long)units * StorageUnit.Length;
        Progress.AddDamage(bytes);
        log.LogError(
            "{Device}: {Bytes} bytes at byte {Offset} are damaged and skipped; what lies behind them is read",
            device.Path, bytes, offset + ((long)unit * StorageUnit.Length));
    }

    /// What one thread has read and not yet taken.
    private sealed class Findings(Worker worker)
    {
        public Worker Worker => worker;

        public LookAhead Ahead { get; } = new();

        public RecordEntry[] Entries { get; } = new RecordEntry[LookAhead.Max];

        public bool IsFull => Ahead.Count == LookAhead.Max;

        public void Add(Namespace records, in Digest digest, in RecordEntry entry)
        {
            Entries[Ahead.Count] = entry;
            Ahead.Add(records, digest);
        }
    }

    private void Report()
    {
        var now = clock.MonotonicNanoseconds;
        if (now < Volatile.Read(ref _reportAt))
        {
            return;
        }

        lock (_reporting)
        {
            if (now >= _reportAt)
            {
                _reportAt = now + ReportNanoseconds;
                log.LogInformation("{Line}", Progress.Line(now));
            }
        }
    }
}

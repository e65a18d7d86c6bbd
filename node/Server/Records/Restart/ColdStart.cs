using Aerie.Foundation;
using Aerie.Index;
using Aerie.Memory;
using Aerie.Memory.Compression;
using Aerie.Storage;
using Aerie.Storage.Codecs;
using Aerie.Storage.Devices;
using Microsoft.Extensions.Logging;

namespace Aerie.Server.Records.Restart;

/// Builds the index of a persistent namespace from what its devices hold: reads every block, and of each record keeps the
/// newest version. Several threads take block after block. What was removed has left a mark that is newer than all its
/// versions; marks stand in the index meanwhile, as tombstones of generation 0, and leave it at the end.
internal sealed class ColdStart(Namespace records, DeviceBacking backing, LogRecovery recovery, IClock clock, ILogger log)
{
    private const long ReportNanoseconds = 1_000_000_000;

    private readonly Lock _reporting = new();
    private int _nextBlock = -1;
    private int _nextPartition = -1;
    private long _reportAt;
    private ulong _latest;
    private volatile Exception? _failure;

    public RestartProgress Progress { get; } = new(records.Name);

    /// The newest last-update-time met: the clock of updates must not stay behind it.
    public ulong LatestUpdateTime => Volatile.Read(ref _latest);

    /// Blocks until all is read. Throws DeviceException when a device cannot be read at all. One worker for each thread.
    public void Run(IReadOnlyList<Worker> workers)
    {
        Progress.Begin(backing.BlockCount, clock.MonotonicNanoseconds);
        _reportAt = clock.MonotonicNanoseconds + ReportNanoseconds;
        OnThreads(workers, ReadBlocks);
        OnThreads(workers, EndPartitions);
        recovery.End();
        log.LogInformation("{Line}", Progress.Line(clock.MonotonicNanoseconds));
        if (Progress.DamagedRanges > 0)
        {
            log.LogError(
                "{{{Namespace}}} {Ranges} damaged places with {Bytes} bytes were skipped; aerie storage verify lists them",
                records.Name, Progress.DamagedRanges, Progress.DamagedBytes);
        }
    }

    private void OnThreads(IReadOnlyList<Worker> workers, Action<Worker> work)
    {
        var threads = workers.Select(worker => new Thread(() => Guard(work, worker)) { IsBackground = true, Name = "restart" }).ToList();
        threads.ForEach(static thread => thread.Start());
        threads.ForEach(static thread => thread.Join());
        if (_failure is { } failure)
        {
            throw new StorageException(failure.Message);
        }
    }

    private void Guard(Action<Worker> work, Worker worker)
    {
        try
        {
            work(worker);
        }
        catch (Exception failure) when (failure is Io.DeviceException or StorageException or NativeMemoryException
            or MissingLibraryException)
        {
            _failure = failure;
        }
    }

    private void ReadBlocks(Worker worker)
    {
        using var region = NativeRegion.Reserve(IBlockBacking.BlockLength);
        var bytes = region.Span(0, IBlockBacking.BlockLength);
        while (_failure is null && Interlocked.Increment(ref _nextBlock) is var block && block < backing.BlockCount)
        {
            var (device, offset) = backing.PlaceOf(block);
            device.Read(offset, bytes[..DeviceLayout.PageLength]);
            var number = backing.Devices.Devices[backing.DeviceOf(block)].Header.BlockDevice;
            var state = BlockHeader.Read(bytes, number, out var header);
            var found = 0;
            if (state == BlockState.Records)
            {
                device.Read(offset + DeviceLayout.PageLength, bytes[DeviceLayout.PageLength..]);
                backing.Adopt(block, header, bytes);
                found = ReadBlock(block, bytes, number);
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

    private int ReadBlock(int block, ReadOnlySpan<byte> bytes, ulong device)
    {
        var scan = new BlockScan(bytes, device);
        recovery.Adopt(block, StorageUnit.PerBlock);
        while (scan.MoveNext())
        {
            switch (scan.Item)
            {
                case BlockItem.Record:
                    NoteCompression(scan.Record);
                    Take(EntryOf(scan.Record, RecordLocation.Of(block, scan.Unit, scan.Units)), scan.Record.Digest, scan.Header.Sequence);
                    break;
                case BlockItem.Removal:
                    TakeMark(scan.Removal, RecordLocation.Of(block, scan.Unit, scan.Units), scan.Header.Sequence);
                    break;
                case BlockItem.Damage:
                    ReportDamage(block, scan.Unit, scan.Units);
                    break;
            }
        }

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
    private void TakeMark(in RemovalMark mark, RecordLocation location, ulong sequence)
    {
        recovery.Count(location);
        records.RecoveredMark();
        Take(EntryOf(mark, location), mark.Digest, sequence);
    }

    // The newest version stands in the index, and its place counts as used; the others are what defragmentation gains.
    private void Take(in RecordEntry found, in Digest digest, ulong sequence)
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
        }

        records.Index[handle].Assign(found);
        if (!IsMark(found))
        {
            recovery.Count(new RecordLocation(found.Place));
        }

        if (found.VoidTime != CitrusTime.NeverExpires)
        {
            records.Index.NoteVoidTime(digest, found.VoidTime);
        }
    }

    // The same version in two places was moved by the defragmenter; the later place is the one that was kept in order.
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
            : sequence > backing.SequenceOf(new RecordLocation(known.Place).Block);
    }

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

    // Marks have done their work. The rest begins its life.
    private void EndPartitions(Worker worker)
    {
        var handles = new EntryHandle[PrimaryIndex.LeafCapacity];
        while (Interlocked.Increment(ref _nextPartition) is var partition && partition < Digest.PartitionCount)
        {
            using var gate = records.Index.Enter(partition);
            var cursor = default(IndexCursor);
            while (!cursor.IsAtEnd)
            {
                var count = records.Index.NextLeaf(partition, ref cursor, handles);
                foreach (var handle in handles.AsSpan(0, count))
                {
                    EndRecord(worker, partition, handle);
                }
            }
        }
    }

    private void EndRecord(Worker worker, int partition, EntryHandle handle)
    {
        var entry = records.Index[handle];
        if (IsMark(entry))
        {
            records.Index.Remove(entry.Digest(partition), handle);
        }
        else
        {
            records.Recovered(worker, entry);
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

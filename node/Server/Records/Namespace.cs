using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using Aerie.Foundation;
using Aerie.Index;
using Aerie.Index.Holds;
using Aerie.Memory.Compression;
using Aerie.Server.Config;
using Aerie.Server.Metrics;
using Aerie.Server.Records.Fetching;
using Aerie.Server.Records.Flushing;
using Aerie.Server.Records.Housekeeping;
using Aerie.Storage;

namespace Aerie.Server.Records;

/// One namespace: its index, its log, its sets and its counters. Commands change records through Publish and Remove
/// only, so that the index, the log's accounting and the counters can never tell different stories.
///
/// Any thread may work on any record. The gate of the record's partition (Index.Enter) covers everything from looking a
/// record up to publishing its new state; locations and images are valid only while it is held.
public sealed class Namespace : IDisposable
{
    /// Commands of all clients that may wait for records of this namespace at once: 1 MiB of side table.
    private const int WaitersMax = 16 * 1024;

    /// Of `max-write-cache`. Above it a burst has a quarter left before it is refused.
    private const int WriteCacheFullPercent = 75;

    private readonly LiveOptions<NamespaceOptions> _options;
    private readonly NamespaceCodecs? _codecs;
    private volatile bool _stopWrites;
    private volatile string? _storageFailure;
    private int _pauseBelow;
    private int _pauseMost;
    private long _removalMarks;
    private long _truncateSwept;
    private long _undoneTruncations;
    private long _truncateCut;
    private volatile bool _truncatedEver;
    private long _truncations;
    private long _truncationsSwept;

    /// `threads`: how many workers will work on it, numbered from 0. `storage`: what a persistent namespace lies on; owned
    /// from here on.
    public Namespace(LiveOptions<NamespaceOptions> options, int threads, NamespaceStorage? storage = null)
    {
        _options = options;
        var start = options.Current;
        Name = start.Name;
        NameBytes = Encoding.UTF8.GetBytes(Name);
        Index = new PrimaryIndex(new PrimaryIndexOptions { MemoryBudget = start.IndexesMemoryBudget });
        var log = new RecordLogOptions
        {
            Stripes = Math.Min(threads, RecordLogOptions.StripesMax),
            DefragLwmPct = start.Storage.DefragLwmPct,
        };
        Invariant.Holds(start.Storage.IsPersistent == storage is not null);
        Storage = storage;
        Log = new RecordLog(log, storage?.Backing ?? new MemoryBacking(start.Storage.DataSize));
        CommitsToDevice = start.Storage.IsPersistent && start.Storage.CommitToDevice;
        FlushSignal = new FlushSignal(Log, start.Storage);
        Register = storage is null ? null : new NamespaceRegister(this, storage);
        Counters = new StripedCounters<NamespaceCounter>(threads);
        SetCounters = new SetCounters(threads);
        _codecs = storage is null ? null : new NamespaceCodecs(storage.Coding, threads);
        Latencies = new NamespaceLatencies(Name, threads, Log.IsPersistent);
        Holds = new RecordHolds(WaitersMax, BinaryPrimitives.ReadUInt64LittleEndian(RandomNumberGenerator.GetBytes(sizeof(ulong))));
        options.Refuses = RefusalOf;
        options.Changed += (_, after) =>
        {
            if (_codecs is not null)
            {
                _codecs.Coding.Compression = after.Storage.CompressionSettings;
            }

            Log.DefragLwmPct = after.Storage.DefragLwmPct;
            FlushSignal.Follow(after.Storage);
        };
    }

    public string Name { get; }

    /// What the namespace lies on; null: in memory alone.
    public NamespaceStorage? Storage { get; }

    public byte[] NameBytes { get; }

    public PrimaryIndex Index { get; }

    public RecordLog Log { get; }

    public SetTable Sets { get; } = new();

    public StripedCounters<NamespaceCounter> Counters { get; }

    public SetCounters SetCounters { get; }

    public NamespaceLatencies Latencies { get; }

    /// `commit-to-device`: who changes a record is answered when the change is safe.
    public bool CommitsToDevice { get; }

    /// How writers ask for a flush, and how they learn that one is over.
    public FlushSignal FlushSignal { get; }

    /// What must be known after a restart and no record says; null in memory.
    internal NamespaceRegister? Register { get; }

    /// What images pass through on their way to the device and back; null in memory, where they are kept as they are.
    internal NamespaceCodecs? Codecs => _codecs;

    /// Marks of removed records in the log.
    public long RemovalMarks => Interlocked.Read(ref _removalMarks);

    /// What the housekeeper found out and did last.
    public HousekeepingState Housekeeping { get; } = new();

    /// Who waits for which record. Members are for whoever holds the gate.
    public RecordHolds Holds { get; }

    /// Tells a loop about a command of its that may go on. Set before the loops run.
    public Action<WokenWaiter> TellWaiter { get; set; } = static _ => { };

    /// The options in force; one snapshot is consistent in itself.
    public NamespaceOptions Options => _options.Current;

    /// The append cursor of a worker's writes.
    public int WriterOf(Worker worker) => worker.Number % Log.Stripes;

    /// Set by the housekeeper when a threshold is crossed: writes answer out-of-space, reads and deletes go on. A storage that
    /// fails has the same effect.
    public bool StopWrites
    {
        get => _stopWrites || _storageFailure is not null;
        set => _stopWrites = value;
    }

    /// Why nothing can be written out at present; null: all is well. Set by the flusher.
    public string? StorageFailure
    {
        get => _storageFailure;
        internal set => _storageFailure = value;
    }

    /// So much waits to be written out that writes wait first.
    public bool IsWriteCacheFull => Log.IsPersistent && Log.WriteCachePercent >= WriteCacheFullPercent && _storageFailure is null;

    /// Something keeps a write of a client from running at once: see IsWriteCacheFull and WritePause.
    public bool WritesWait => Log.FreeBlocks < Volatile.Read(ref _pauseBelow) || IsWriteCacheFull;

    /// How long a write waits, once, because the defragmenter must make room faster than it is used; nanoseconds.
    public long WritePause
    {
        get
        {
            var pauseBelow = Volatile.Read(ref _pauseBelow);
            return pauseBelow == 0 ? 0 : new RoomMarks(Volatile.Read(ref _pauseMost), pauseBelow).PauseNanoseconds(Log.FreeBlocks);
        }
    }

    /// By the defragmenter: null while it has nothing that is worth moving. Waiting would be of no use then.
    internal RoomMarks? Pauses
    {
        set
        {
            Volatile.Write(ref _pauseMost, value?.Least ?? 0);
            Volatile.Write(ref _pauseBelow, value?.PauseBelow ?? 0);
        }
    }

    /// Truncations up to this have taken their records away, without marks: nothing older comes back, even if the cut is
    /// forgotten.
    public ulong TruncateSwept
    {
        get => (ulong)Volatile.Read(ref _truncateSwept);
        internal set => Volatile.Write(ref _truncateSwept, (long)value);
    }

    /// Records last updated before this are gone, whatever their set. 0: no truncation.
    public ulong TruncateCut => (ulong)Volatile.Read(ref _truncateCut);

    public long Objects => Counters.Sum(NamespaceCounter.Objects);

    public long Tombstones => Counters.Sum(NamespaceCounter.Tombstones);

    /// Whether a client may see the entry's record: not a tombstone, not expired, not cut off by a truncation.
    public bool IsLive(in RecordEntry entry, uint nowSeconds) =>
        !entry.IsTombstone && !IsExpired(entry, nowSeconds) && !(_truncatedEver && IsTruncated(entry));

    public static bool IsExpired(in RecordEntry entry, uint nowSeconds) =>
        entry.VoidTime != CitrusTime.NeverExpires && entry.VoidTime < nowSeconds;

    public bool IsTruncated(in RecordEntry entry)
    {
        var cut = TruncateCut;
        return entry.LastUpdateTime < (entry.SetId == 0 ? cut : Math.Max(cut, Sets[entry.SetId].TruncateCut));
    }

    /// Cuts off what was last updated before `cut`, of one set or of all. Takes effect at once; the housekeeper gives
    /// the space back afterwards. A cut of 0 forgets an earlier one.
    public void Truncate(RecordSet? set, ulong cut)
    {
        if (set is null)
        {
            Volatile.Write(ref _truncateCut, (long)cut);
        }
        else
        {
            set.TruncateCut = cut;
        }

        _truncatedEver = true;
        if (cut != 0)
        {
            var number = Interlocked.Increment(ref _truncations); // after the cut: whoever sees the number sees the cut
            set?.NoteTruncation(number);
        }
        else
        {
            Interlocked.Increment(ref _undoneTruncations);
        }

        Register?.Changed();
        FlushSignal.Ask();
    }

    /// How often truncations were asked for or undone: what a restart must know of them has a number.
    internal long CutChanges => Interlocked.Read(ref _truncations) + Interlocked.Read(ref _undoneTruncations);

    /// Truncations asked for so far. A sweep that began at this number has dealt with them when it is through.
    internal long Truncations => Interlocked.Read(ref _truncations);

    internal long TruncationsSwept
    {
        get => Interlocked.Read(ref _truncationsSwept);
        set => Interlocked.Exchange(ref _truncationsSwept, value);
    }

    /// Cuts forgotten so far: a sweep that sees this change has not taken away all that it set out for.
    internal long UndoneTruncations => Interlocked.Read(ref _undoneTruncations);

    /// `truncating`: records that were cut off still take space.
    public bool IsTruncating => TruncationsSwept < Truncations;

    public bool IsTruncatingSet(RecordSet set) => TruncationsSwept < set.Truncation;

    public SetOptions? SetOptionsOf(int setId) => setId == 0 ? null : OptionsOf(Sets[setId]);

    public SetOptions? OptionsOf(RecordSet set) =>
        Options.Sets.Count == 0 ? null : Options.Sets.GetValueOrDefault(set.Text);

    /// A set with its own limit refuses new records when it is reached.
    public bool IsSetFull(RecordSet set)
    {
        if (OptionsOf(set) is not { } options)
        {
            return false;
        }

        return (options.StopWritesCount != 0 && SetCounters.ObjectsOf(set.Id) >= options.StopWritesCount)
            || (options.StopWritesSize != 0 && SetCounters.BytesOf(set.Id) >= options.StopWritesSize);
    }

    /// Marks found at a restart.
    internal void RecoveredMarks(int count) => Interlocked.Add(ref _removalMarks, count);

    /// The defragmenter has found a mark that nothing needs any more.
    internal void DropMark(RecordLocation location)
    {
        Log.Release(location);
        Interlocked.Decrement(ref _removalMarks);
    }

    /// A version found at a restart that a truncation has taken away once.
    internal bool IsSweptAway(in RecordEntry entry) =>
        entry.LastUpdateTime < (entry.SetId == 0 ? TruncateSwept : Math.Max(TruncateSwept, Sets[entry.SetId].TruncateSwept));

    /// A record found at a restart: +1, or -1 when a newer version of it was found. Caller holds the gate.
    internal void Recovered(Worker worker, in RecordEntry entry, int sign) => Account(worker, entry, sign);

    /// The same for many records of one set.
    internal void Recovered(Worker worker, int set, long objects, long tombstones, long neverExpiring, long units)
    {
        Counters.Add(worker.Number, NamespaceCounter.Objects, objects);
        Counters.Add(worker.Number, NamespaceCounter.Tombstones, tombstones);
        Counters.Add(worker.Number, NamespaceCounter.NonExpirableObjects, neverExpiring);
        SetCounters.Add(worker.Number, set, objects, tombstones, units * StorageUnit.Length);
    }

    /// The record's image, opened. Caller holds the gate, under which alone the reader is valid. False: it must be read first
    /// (worker.LacksImage: the command leaves no trace, waits for it and runs again), or it cannot be read at all.
    public bool TryOpen(Worker worker, scoped in RecordEntry entry, out RecordImageReader reader)
    {
        if (!Log.TryRead(worker.Number, new RecordLocation(entry.Place), out var image))
        {
            return TryOpenFetched(worker, new RecordLocation(entry.Place), out reader);
        }

        if (_codecs is not null)
        {
            Counters.Add(worker.Number, NamespaceCounter.CacheReads);
            if (_codecs.Coding.NeedsDecoding(image))
            {
                return TryOpenDecoded(worker, new RecordLocation(entry.Place), image, out reader);
            }
        }

        var sound = RecordImageReader.TryOpen(image, out reader);
        Invariant.Holds(sound);
        return true;
    }

    /// Adds the record's image to what is to be read, unless it is in memory. Caller holds the gate.
    public void Foresee(Worker worker, in RecordEntry entry, ImageFetch images)
    {
        var location = new RecordLocation(entry.Place);
        if (!Log.TryRead(worker.Number, location, out _))
        {
            images.Add(new MissingImage(this, location, Log.SeedOf(location)));
        }
    }

    /// Of the images that commands looked at, how many were in memory, in per cent.
    public int CacheReadPercent
    {
        get
        {
            var (hits, reads) = (Counters.Sum(NamespaceCounter.CacheReads), Counters.Sum(NamespaceCounter.DeviceReads));
            return hits == 0 ? 0 : (int)(hits * 100 / (hits + reads));
        }
    }

    /// What a record's last-update-time becomes when it is written now. A restart chooses among versions by this time: it
    /// never goes back, and who comes after a removal, or begins a new life, is newer than what was there. Caller holds the gate.
    public ulong NextUpdateTime(Worker worker, in Digest digest, in RecordEntry before, bool lives) => lives
        ? Math.Max(worker.LastUpdateTime, before.LastUpdateTime)
        : Math.Max(worker.LastUpdateTime, Math.Max(before.LastUpdateTime, Index.LastRemoval(digest)) + 1);

    /// Before the image of `after` goes into the log: an entry for a record that is new, or the mark that a new life needs. What
    /// could fail has been done then: an image that is written is an image that counts, which a restart relies on. False: the
    /// index, or the log, has no room. Caller holds the gate, and goes on with Publish or TakeBack. `hasEnded`: the earlier life
    /// has got its mark.
    public bool TryReady(Worker worker, in Digest digest, ref EntryHandle handle, in RecordEntry after, out bool hasEnded)
    {
        hasEnded = false;
        if (handle.IsNone)
        {
            return Index.TryInsert(digest, out handle);
        }

        var before = Index[handle];
        hasEnded = NeedsMark(worker, before, after);
        return !hasEnded || TryMarkRemoval(worker, digest, before, before.LastUpdateTime);
    }

    /// The image did not get into the log: the record is as it was. One whose life had ended, and has its mark now, is gone: a
    /// restart would not find it either.
    public void TakeBack(Worker worker, in Digest digest, EntryHandle handle, bool hasEnded)
    {
        if (Index[handle].Place == 0)
        {
            Index.Remove(digest, handle);
        }
        else if (hasEnded)
        {
            RemoveUnmarked(worker, digest, handle);
        }
    }

    /// Makes `after`, whose image is in the log, the state of the record, and gives the old image's space back. Caller holds
    /// the gate.
    public void Publish(Worker worker, in Digest digest, EntryHandle handle, in RecordEntry after)
    {
        var before = Index[handle];
        Index[handle].Assign(after);
        if (after.VoidTime != CitrusTime.NeverExpires)
        {
            Index.NoteVoidTime(digest, after.VoidTime);
        }

        Account(worker, before, -1);
        Account(worker, after, +1);
        if (before.Place != 0)
        {
            Log.Release(new RecordLocation(before.Place));
        }
    }

    /// Takes the record out of index, log and counters. Caller holds the gate. A held record may be removed by its owner
    /// alone: the hold ends with it, and those who waited start over (worker.Woken tells them). False: there is no room for
    /// the mark without which the record would come back at a restart, and nothing has changed.
    public bool Remove(Worker worker, in Digest digest, EntryHandle handle)
    {
        if (Log.IsPersistent)
        {
            var entry = Index[handle];
            if (!TryMarkRemoval(worker, digest, entry, Math.Max(worker.LastUpdateTime, entry.LastUpdateTime)))
            {
                return false;
            }
        }

        RemoveUnmarked(worker, digest, handle);
        return true;
    }

    /// For what something else keeps from coming back: a truncation's cut. Caller holds the gate.
    internal void RemoveUnmarked(Worker worker, in Digest digest, EntryHandle handle)
    {
        var before = Index[handle];
        while (before.IsAwaited && Holds.TryAbandon(digest, out var waiter))
        {
            worker.Woken.Add(new WokenWaiter(this, digest, waiter, OwnsHold: false));
        }

        Index.Remove(digest, handle);
        Account(worker, before, -1);
        Log.Release(new RecordLocation(before.Place));
    }

    /// What is written counts towards the next flush. After each append.
    public void NoteAppended(int writer)
    {
        if (Log.IsPersistent)
        {
            FlushSignal.NoteAppended(writer);
        }
    }

    /// Writes out what was appended so far, after what it relies on. For the flusher alone. Throws what a device says.
    internal void Flush()
    {
        var register = Register;
        Invariant.Holds(register is not null);
        Log.Flush(register.SaveIfChanged);
    }

    /// Makes the caller the owner of the record across a wait; other commands that would change it wait meanwhile. False:
    /// there is no such record, or somebody else owns it. Takes the gate.
    public bool TryHold(in Digest digest)
    {
        using var gate = Index.Enter(digest.Partition);
        return Index.TryFind(digest, out var handle) && RecordHolds.TryHold(ref Index[handle]);
    }

    /// The owner lets go. Takes the gate. Not to be called by an owner who has removed the record: the hold is gone then.
    public void Release(Worker worker, in Digest digest)
    {
        using (Index.Enter(digest.Partition))
        {
            EndHold(worker, digest);
        }

        worker.TellWoken();
    }

    /// The owner lets go in the section in which it made its change; nothing is left to do when that removed the record.
    /// Caller holds the gate; who comes next is told at the end of the loop's turn.
    public void EndHold(Worker worker, in Digest digest)
    {
        if (Index.TryFind(digest, out var handle) && Holds.Release(digest, ref Index[handle], out var next))
        {
            worker.Woken.Add(new WokenWaiter(this, digest, next, OwnsHold: true));
        }
    }

    public void Dispose()
    {
        Index.Dispose();
        Log.Dispose();
        _codecs?.Dispose();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool TryOpenFetched(Worker worker, RecordLocation location, out RecordImageReader reader)
    {
        reader = default;
        var missing = new MissingImage(this, location, Log.SeedOf(location));
        ReadOnlySpan<byte> image = default;
        var found = worker.Fetched?.Find(missing, out image) ?? FetchedImage.NotFetched;
        if (found == FetchedImage.NotFetched)
        {
            worker.Lack(missing);
        }

        return found == FetchedImage.Sound
            && (_codecs!.Coding.NeedsDecoding(image)
                ? TryOpenDecoded(worker, location, image, out reader)
                : RecordImageReader.TryOpen(image, out reader));
    }

    // The checksum was the right one, or the image has never left this memory: who finds it undecodable has lost the record.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool TryOpenDecoded(
        Worker worker, RecordLocation location, scoped ReadOnlySpan<byte> stored, out RecordImageReader reader)
    {
        if (_codecs!.TryDecode(worker, stored, Log.SeedOf(location), out var plain)
            && RecordImageReader.TryOpen(plain, out reader) && reader.IsWellFormed(out _))
        {
            return true;
        }

        reader = default;
        Counters.Add(worker.Number, NamespaceCounter.DeviceReadErrors);
        var (device, offset) = Log.PlaceOf(location);
        worker.Report(new UnreadableImage(Name, device.Path, offset, location.Length, Error: 0, IsUndecodable: true));
        return false;
    }

    private string? RefusalOf(NamespaceOptions after)
    {
        var wanted = after.Storage.CompressionSettings.Algorithm;
        return wanted == Options.Storage.CompressionSettings.Algorithm ? null
            : _codecs is not null ? _codecs.Coding.Lack(wanted)
            : wanted == CompressionAlgorithm.None ? null
            : $"namespace {Name}: compression without 'file' or 'device' is not available in this build";
    }

    // Generation 1 begins a life: what is older must never come back once this life is over, for instance expired.
    private bool NeedsMark(Worker worker, in RecordEntry before, in RecordEntry after) =>
        after.Generation == 1 && Log.IsPersistent && (before.Generation != 1 || !IsLive(before, worker.NowSeconds));

    // An expired record of generation 1 needs no mark: its image says that it is over, and older ones were marked.
    private bool TryMarkRemoval(Worker worker, in Digest digest, in RecordEntry entry, ulong lastUpdateTime)
    {
        Index.NoteRemoval(digest, lastUpdateTime);
        if (entry.Generation == 1 && !entry.IsTombstone && IsExpired(entry, worker.NowSeconds))
        {
            return true;
        }

        var writer = WriterOf(worker);
        if (!Log.TryAppendMark(writer, out var place, out var target))
        {
            return false;
        }

        Log.Commit(place, RemovalMark.Write(target, digest, lastUpdateTime, Log.LastSequence));
        Interlocked.Increment(ref _removalMarks);
        NoteAppended(writer);
        return true;
    }

    private void Account(Worker worker, in RecordEntry entry, int sign)
    {
        if (entry.Place == 0)
        {
            return; // a fresh entry: there was nothing before it
        }

        var objects = entry.IsTombstone ? 0 : sign;
        var tombstones = entry.IsTombstone ? sign : 0;
        Counters.Add(worker.Number, NamespaceCounter.Objects, objects);
        Counters.Add(worker.Number, NamespaceCounter.Tombstones, tombstones);
        if (entry.VoidTime == CitrusTime.NeverExpires)
        {
            Counters.Add(worker.Number, NamespaceCounter.NonExpirableObjects, objects);
        }

        SetCounters.Add(worker.Number, entry.SetId, objects, tombstones, sign * (long)new RecordLocation(entry.Place).Length);
    }
}

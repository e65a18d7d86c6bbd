using System.Text;
using Aerie.Foundation;
using Aerie.Index;
using Aerie.Server.Config;
using Aerie.Server.Metrics;
using Aerie.Storage;

namespace Aerie.Server.Records;

/// One namespace: its index, its log, its sets and its counters. Commands change records through Publish and Remove
/// only, so that the index, the log's accounting and the counters can never tell different stories.
///
/// Any thread may work on any record. The gate of the record's partition (Index.Enter) covers everything from looking a
/// record up to publishing its new state; locations and images are valid only while it is held.
public sealed class Namespace : IDisposable
{
    private readonly LiveOptions<NamespaceOptions> _options;
    private volatile bool _stopWrites;
    private long _truncateCut;
    private volatile bool _truncatedEver;

    /// `threads`: how many workers will work on it, numbered from 0.
    public Namespace(LiveOptions<NamespaceOptions> options, int threads)
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
        Log = new RecordLog(log, new MemoryBacking(start.Storage.DataSize));
        Counters = new StripedCounters<NamespaceCounter>(threads);
        SetCounters = new SetCounters(threads);
        Latencies = new NamespaceLatencies(Name, threads);
        options.Changed += (_, after) => Log.DefragLwmPct = after.Storage.DefragLwmPct;
    }

    public string Name { get; }

    public byte[] NameBytes { get; }

    public PrimaryIndex Index { get; }

    public RecordLog Log { get; }

    public SetTable Sets { get; } = new();

    public StripedCounters<NamespaceCounter> Counters { get; }

    public SetCounters SetCounters { get; }

    public NamespaceLatencies Latencies { get; }

    /// The options in force; one snapshot is consistent in itself.
    public NamespaceOptions Options => _options.Current;

    /// The append cursor of a worker's writes.
    public int WriterOf(Worker worker) => worker.Number % Log.Stripes;

    /// Set by the housekeeper when a threshold is crossed: writes answer out-of-space, reads and deletes go on.
    public bool StopWrites
    {
        get => _stopWrites;
        set => _stopWrites = value;
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
    }

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

    /// The record's image. Caller holds the gate.
    public ReadOnlySpan<byte> Image(in RecordEntry entry)
    {
        var resident = Log.TryRead(new RecordLocation(entry.Place), out var image);
        Invariant.Holds(resident);
        return image;
    }

    /// The record's image, opened. Caller holds the gate.
    public RecordImageReader Open(in RecordEntry entry)
    {
        var sound = RecordImageReader.TryOpen(Image(entry), out var reader);
        Invariant.Holds(sound);
        return reader;
    }

    /// Makes `after`, whose image is already in the log, the state of the record, and gives the old image's space back.
    /// False when the index has no room for a new entry; the new image is then given back instead. Caller holds the gate.
    public bool TryPublish(Worker worker, in Digest digest, EntryHandle handle, in RecordEntry after)
    {
        var before = default(RecordEntry);
        if (!handle.IsNone)
        {
            before = Index[handle];
        }
        else if (!Index.TryInsert(digest, out handle))
        {
            Log.Release(new RecordLocation(after.Place));
            return false;
        }

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

        return true;
    }

    /// Takes the record out of index, log and counters. Caller holds the gate.
    public void Remove(Worker worker, in Digest digest, EntryHandle handle)
    {
        var before = Index[handle];
        Index.Remove(digest, handle);
        Account(worker, before, -1);
        Log.Release(new RecordLocation(before.Place));
    }

    public void Dispose()
    {
        Index.Dispose();
        Log.Dispose();
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

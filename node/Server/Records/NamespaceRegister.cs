using Aerie.Foundation;
using Aerie.Storage.Codecs;
using Aerie.Storage.Devices;

namespace Aerie.Server.Records;

/// What must be known after a restart and no record says: sets and their ids, truncations, how far block sequences went, what
/// images were compressed with.
/// Saved before the images that rely on it are written, so an image never carries a set id that nobody knows. The flusher
/// alone saves.
internal sealed class NamespaceRegister
{
    /// A sequence that was given out is never given out again, even when its block was wiped before a crash: old bytes
    /// would look like new ones. So many are reserved beforehand, one save for 8 GiB of blocks.
    private const ulong SequencesReserved = 1024;

    private readonly Namespace _records;
    private readonly NamespaceStorage _storage;
    private long _changes;
    private long _savedChanges;
    private long _savedCuts;
    private int _savedSets;
    private ulong _savedSequence;
    private CompressionUse _savedCompression;
    private CheckpointPlace? _checkpoint;
    private volatile CheckpointPlace? _savedCheckpoint;

    /// Gives sets and truncations back as they were found.
    public NamespaceRegister(Namespace records, NamespaceStorage storage)
    {
        _records = records;
        _storage = storage;
        if (storage.Found is { } found)
        {
            Restore(found);
        }

        _savedSets = records.Sets.Count;
        _savedCuts = records.CutChanges;
        _savedChanges = -1; // the first save also takes the mark of a clean shutdown away
    }

    /// Truncations up to this Namespace.CutChanges hold after a restart. Any thread.
    public long SavedCuts => Interlocked.Read(ref _savedCuts);

    /// Something other than a new set has changed. Any thread.
    public void Changed() => Interlocked.Increment(ref _changes);

    /// No block may be written whose sequence is higher. Any thread.
    public ulong SavedSequence => Volatile.Read(ref _savedSequence);

    /// The checkpoint that a restart would find. Any thread. After a restart that did not use it: null, because the first save
    /// forgets it, and nothing is written before that.
    public CheckpointPlace? SavedCheckpoint => _savedCheckpoint;

    /// Units of images that lie behind the checkpoint which the restart has used.
    public long TailAtStart { get; private set; }

    /// The restart relies on this checkpoint, which is named already.
    public void Used(CheckpointPlace checkpoint, long tailUnits)
    {
        _checkpoint = checkpoint;
        _savedCheckpoint = checkpoint;
        TailAtStart = tailUnits;
    }

    /// What the metadata names from the next save on, null: none. Its blocks are safe, as is all that its rows point at. A save
    /// that fails leaves open which of the two a restart would find, so both stay until one has succeeded.
    public void Name(CheckpointPlace? checkpoint)
    {
        if (!ReferenceEquals(_checkpoint, checkpoint))
        {
            _checkpoint = checkpoint;
            Changed();
        }

        SaveIfChanged();
    }

    public void SaveIfChanged()
    {
        if (Interlocked.Read(ref _changes) != _savedChanges || _records.Sets.Count != _savedSets
            || _records.Log.LastSequence > _savedSequence || _storage.Coding.Used != _savedCompression)
        {
            Save(isClean: false);
        }
    }

    /// The end: everything is written, and a restart may rely on it. Nothing may change any more.
    public void SaveClean() => Save(isClean: true);

    private void Save(bool isClean)
    {
        var changes = Interlocked.Read(ref _changes); // before what it stands for is read
        var cuts = _records.CutChanges;
        var metadata = new NamespaceMetadata
        {
            IsCleanShutdown = isClean,
            HighestBlockSequence = isClean ? _records.Log.LastSequence : _records.Log.LastSequence + SequencesReserved,
            LastUpdateTimeMark = _storage.UpdateClock.Latest,
            TruncateCut = _records.TruncateCut,
            SweptCut = _records.TruncateSwept,
            Compression = _storage.Coding.Used,
            Checkpoint = _checkpoint,
        };
        var sets = _records.Sets.Count;
        for (var id = 1; id <= sets; id++)
        {
            var set = _records.Sets[id];
            metadata.Sets.Add(new SetMetadata(set.Id, set.Name.ToArray(), set.TruncateCut, set.TruncateSwept));
        }

        _storage.Save(metadata);
        _savedChanges = changes;
        Interlocked.Exchange(ref _savedCuts, cuts);
        _savedSets = sets;
        Volatile.Write(ref _savedSequence, metadata.HighestBlockSequence);
        _savedCheckpoint = metadata.Checkpoint;
        _savedCompression = metadata.Compression;
    }

    private void Restore(NamespaceMetadata found)
    {
        _storage.UpdateClock.Advance(found.LastUpdateTimeMark);
        _records.TruncateSwept = found.SweptCut;
        foreach (var saved in found.Sets.OrderBy(static set => set.Id))
        {
            var added = _records.Sets.TryFindOrAdd(saved.Name, out var set);
            Invariant.Holds(added && set.Id == saved.Id); // ids are given out in order and never taken back
            set.TruncateSwept = saved.SweptCut;
            if (saved.TruncateCut != 0)
            {
                _records.Truncate(set, saved.TruncateCut);
            }
        }

        if (found.TruncateCut != 0)
        {
            _records.Truncate(null, found.TruncateCut);
        }
    }
}

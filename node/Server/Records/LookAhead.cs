using Aerie.Foundation;
using Aerie.Index;
using Aerie.Storage;

namespace Aerie.Server.Records;

/// Index and records lie all over the memory, and a lookup waits for one cache miss after the other. Who knows the next few
/// records beforehand names them here: the processor loads what they need side by side while earlier commands are worked
/// on. Hints only: nothing is locked, and what is wrong by the time it is needed costs no more than before.
internal sealed class LookAhead
{
    /// As many loads as a core keeps under way, and few enough that nothing is displaced before its turn.
    public const int Max = 32;

    private readonly Digest[] _digests = new Digest[Max];
    private readonly Namespace?[] _namespaces = new Namespace?[Max];
    private readonly LookupHint[] _hints = new LookupHint[Max];

    public int Count { get; private set; }

    public Digest DigestAt(int number) => _digests[number];

    public Namespace? NamespaceAt(int number) => _namespaces[number];

    public void Clear() => Count = 0;

    /// Starts with the partition. At most Max records between two Clears.
    public void Add(Namespace? records, in Digest digest)
    {
        _namespaces[Count] = records;
        _digests[Count] = digest;
        Count++;
        records?.Index.Foresee(digest);
    }

    /// Pass by pass down to the images: each finds what the one before has asked for.
    public void Load()
    {
        LoadEntries();
        for (var i = 0; i < Count; i++)
        {
            if (_namespaces[i] is { } records)
            {
                records.Log.Prefetch(new RecordLocation(records.Index.GuessPlace(_digests[i], _hints[i])));
            }
        }
    }

    /// As Load, for who needs no images.
    public void LoadEntries()
    {
        for (var i = 0; i < Count; i++)
        {
            _hints[i] = _namespaces[i]?.Index.ForeseeRoot(_digests[i]) ?? default;
        }

        for (var goesOn = Count > 0; goesOn;)
        {
            goesOn = false;
            for (var i = 0; i < Count; i++)
            {
                goesOn |= _namespaces[i]?.Index.ForeseeBranch(_digests[i], ref _hints[i]) ?? false;
            }
        }

        for (var i = 0; i < Count; i++)
        {
            _namespaces[i]?.Index.ForeseeEntry(_digests[i], _hints[i]);
        }
    }
}

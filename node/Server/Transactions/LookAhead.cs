using Aerie.Foundation;
using Aerie.Server.Records;
using Aerie.Storage;

namespace Aerie.Server.Transactions;

/// Index and records lie all over the memory, and a lookup waits for one cache miss after the other. Who knows the next few
/// records beforehand names them here: the processor loads what they need side by side while earlier commands are worked
/// on. Hints only: nothing is locked, and what is wrong by the time it is needed costs no more than before.
internal sealed class LookAhead
{
    /// As many loads as a core keeps under way, and few enough that nothing is displaced before its turn.
    public const int Max = 16;

    private readonly Digest[] _digests = new Digest[Max];
    private readonly Namespace?[] _namespaces = new Namespace?[Max];

    public int Count { get; private set; }

    public Digest DigestAt(int number) => _digests[number];

    public Namespace? NamespaceAt(int number) => _namespaces[number];

    public void Clear() => Count = 0;

    /// Starts with the index. At most Max records between two Clears.
    public void Add(Namespace? records, in Digest digest)
    {
        _namespaces[Count] = records;
        _digests[Count] = digest;
        Count++;
        records?.Index.PrefetchLeaf(digest);
    }

    /// Goes on to the entries, then to the images: each pass finds what the one before has asked for.
    public void Load()
    {
        for (var i = 0; i < Count; i++)
        {
            _namespaces[i]?.Index.PrefetchEntry(_digests[i]);
        }

        for (var i = 0; i < Count; i++)
        {
            if (_namespaces[i] is { } records)
            {
                records.Log.Prefetch(new RecordLocation(records.Index.GuessPlace(_digests[i])));
            }
        }
    }
}

using Aerie.Index;
using Aerie.Server.Records;

namespace Aerie.Server.Query;

/// Whether a record is of the set that a query asks for. Looked up once: a set that nobody has written to when the query
/// begins has no records for it.
internal readonly struct SetFilter
{
    private const int AnySet = -1;
    private const int NoSuchSet = SetTable.SetsMax + 1;

    private readonly int _id;

    /// An empty name: all sets, and records without one.
    public SetFilter(Namespace records, ReadOnlySpan<byte> name) =>
        _id = name.IsEmpty ? AnySet : records.Sets.TryFind(name, out var set) ? set.Id : NoSuchSet;

    public bool TakesNothing => _id == NoSuchSet;

    public bool Takes(in RecordEntry entry) => _id == AnySet || entry.SetId == _id;
}

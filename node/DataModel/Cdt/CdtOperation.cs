using Aerie.DataModel.Packed;
using Aerie.Foundation;

namespace Aerie.DataModel.Cdt;

/// What an argument of an operation must be.
internal enum CdtArgument : byte
{
    /// Anything.
    Value,
    List,
    Map,

    /// A return type, index, rank, count or flags.
    Integer,
}

/// How an operation finds the elements that it reads or removes.
internal enum CdtSelector : byte
{
    Index,
    Rank,
    Key,

    /// The first by rank that has the value.
    Value,
    IndexRange,
    RankRange,
    KeyInterval,
    ValueInterval,
    AllByValue,
    KeyList,
    ValueList,
    KeyRelativeIndex,
    ValueRelativeRank,
}

internal delegate ResultCode CdtWrite(ref CdtJob job);

/// One row of the table: all that is known of an operation before it runs.
internal sealed record CdtOperation
{
    public required byte Code { get; init; }

    public required string Name { get; init; }

    public required CdtArgument[] Shape { get; init; }

    /// Arguments that may not be left out.
    public required int Required { get; init; }

    public required bool OnMap { get; init; }

    public bool Modifies { get; init; }

    /// Makes the list or map where there is none.
    public bool Creates { get; init; }

    /// Reads, or with Modifies removes, the elements that this selects.
    public CdtSelector? Selector { get; init; }

    /// The return type, for operations that are not told.
    public int? Returns { get; init; }

    /// What is done by those that select nothing.
    public CdtWrite? Write { get; init; }

    /// At most one element.
    public bool IsSingle => Selector is CdtSelector.Index or CdtSelector.Rank or CdtSelector.Key or CdtSelector.Value;

    /// The first argument behind the return type.
    public int FirstArgument => Returns == null ? 1 : 0;

    public PackedKind Kind => OnMap ? PackedKind.Map : PackedKind.List;
}

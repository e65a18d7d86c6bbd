using Aerie.DataModel.Bins;
using Aerie.Foundation;

namespace Aerie.DataModel.Hll;

/// What an operation works on. Not Ok leaves the bin as it was.
internal readonly ref struct HllContext
{
    /// The bin's sketch; empty when there is none yet.
    public ReadOnlySpan<byte> Own { get; init; }

    /// The whole call, which the sketches of the scratch lie in.
    public ReadOnlySpan<byte> Call { get; init; }

    public HllScratch Scratch { get; init; }

    public OpOutcome Outcome { get; init; }

    public HllGroup Group => new(Own, Call, Scratch);
}

internal delegate ResultCode HllHandler(scoped in HllCall call, HllContext context);

/// One operation on sketches. Everything that the parser and the checks know of it stands in its row.
internal sealed record HllOperation(byte Code, string Name, HllArgument[] Arguments, int Required, HllHandler Handler)
{
    private const HllFlags CreateFlags = HllFlags.CreateOnly | HllFlags.NoFail;

    private static readonly HllOperation[] ByCode = Index(
    [
        new(0, "init", [HllArgument.IndexBitsIfNew, HllArgument.MinhashBitsIfNew, HllArgument.Flags], 1, HllWrites.Init)
            { Modifies = true, Flags = CreateFlags | HllFlags.UpdateOnly },
        new(1, "add", [HllArgument.Values, HllArgument.IndexBitsIfNew, HllArgument.MinhashBitsIfNew, HllArgument.Flags], 1, HllWrites.Add)
            { Modifies = true, Flags = CreateFlags },
        new(2, "union", [HllArgument.Sketches, HllArgument.Flags], 1, HllWrites.Unite)
            { Modifies = true, Flags = CreateFlags | HllFlags.UpdateOnly | HllFlags.AllowFold },
        new(3, "update_count", [], 0, HllWrites.UpdateCount) { Modifies = true },
        new(4, "fold", [HllArgument.IndexBits], 1, HllWrites.Fold) { Modifies = true },
        new(50, "count", [], 0, HllReads.Count),
        new(51, "get_union", [HllArgument.Sketches], 1, HllReads.Union),
        new(52, "union_count", [HllArgument.Sketches], 1, HllReads.UnionCount),
        new(53, "intersect_count", [HllArgument.Sketches], 1, HllReads.IntersectCount),
        new(54, "similarity", [HllArgument.Sketches], 1, HllReads.Similarity),
        new(55, "describe", [], 0, HllReads.Describe),
        new(56, "may_contain", [HllArgument.Values], 1, HllReads.MayContain),
    ]);

    public bool Modifies { get; init; }

    /// The write flags that it takes.
    public HllFlags Flags { get; init; }

    /// It makes a bin where there is none.
    public bool Creates => (Flags & HllFlags.CreateOnly) != 0;

    public static HllOperation? Find(long code) => (ulong)code < (ulong)ByCode.Length ? ByCode[code] : null;

    private static HllOperation[] Index(HllOperation[] rows)
    {
        var byCode = new HllOperation[rows.Max(row => row.Code) + 1];
        foreach (var row in rows)
        {
            Invariant.Holds(byCode[row.Code] is null);
            byCode[row.Code] = row;
        }

        return byCode;
    }
}

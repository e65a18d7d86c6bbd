using Aerie.DataModel.Packed;
using Aerie.Foundation;

namespace Aerie.DataModel.Cdt;

/// Finds the one element that an index, rank, key or value names: for operations and for each step of a path.
internal static class CdtFinder
{
    /// Ok also when there is no such element: then the spot is not found.
    public static ResultCode Find(
        in PackedContainer target, CdtSelector selector, ReadOnlySpan<byte> argument, CdtScratch scratch, out CdtSpot spot)
    {
        spot = default;
        switch (selector)
        {
            case CdtSelector.Key:
                return CdtSearch.TryFindKey(target, argument, out spot) ? ResultCode.Ok : CdtCommand.Broken;
            case CdtSelector.Value:
                return FindValue(target, argument, scratch, out spot);
        }

        if (!new PackedReader(argument).TryInteger(out var asked))
        {
            return ResultCode.Parameter;
        }

        var place = CdtSearch.Resolve(asked, target.Count);
        if (place < 0)
        {
            return ResultCode.Ok;
        }

        var byRank = selector == CdtSelector.Rank;
        if (byRank ? target.IsMap || !target.IsOrdered : target.IsMap && !target.IsOrdered)
        {
            if (!CdtElements.TryRead(target, scratch.Offsets, out var elements))
            {
                return CdtCommand.Broken;
            }

            place = byRank ? elements.ByRank(scratch)[place] : elements.ByIndex(scratch)[place];
        }

        return CdtSearch.TryFindPosition(target, place, out spot) ? ResultCode.Ok : CdtCommand.Broken;
    }

    // Equal values have the rank of their index: the first by index is the one.
    private static ResultCode FindValue(in PackedContainer target, ReadOnlySpan<byte> value, CdtScratch scratch, out CdtSpot spot)
    {
        spot = default;
        if (!CdtElements.TryRead(target, scratch.Offsets, out var elements))
        {
            return CdtCommand.Broken;
        }

        foreach (var position in elements.ByIndex(scratch))
        {
            if (PackedOrder.CompareToPattern(elements.Value(position), value) == 0)
            {
                return CdtSearch.TryFindPosition(target, position, out spot) ? ResultCode.Ok : CdtCommand.Broken;
            }
        }

        return ResultCode.Ok;
    }
}

using Aerie.DataModel.Bins;
using Aerie.DataModel.Packed;

namespace Aerie.DataModel.Cdt;

/// Answers what was selected: elements in order of their index, except that maps answer what was selected by value in order of rank,
/// as lists do with ranks. The values of a range of ranks come by rank from a list without order too: upwards, or downwards where
/// the range begins no farther from the lowest rank than it ends from the highest. Clients compare such answers as lists.
internal static class CdtSelectionAnswer
{
    public static void Write(OpOutcome outcome, in CdtSelection selection, int type)
    {
        switch (type)
        {
            case CdtReturn.None:
                break;
            case CdtReturn.Count:
                CdtAnswer.Integer(outcome, selection.Count);
                break;
            case CdtReturn.Exists:
                CdtAnswer.Bool(outcome, selection.Count > 0);
                break;
            case CdtReturn.KeyValue or CdtReturn.UnorderedMap or CdtReturn.OrderedMap:
                CdtAnswer.BeginMap(outcome, type, selection.Count);
                WriteElements(outcome.Reply, selection, type);
                outcome.Answer(ParticleType.Map);
                break;
            default:
                new PackedWriter(outcome.Reply).List(selection.Count);
                WriteElements(outcome.Reply, selection, type);
                outcome.Answer(ParticleType.List);
                break;
        }
    }

    private static void WriteElements(GrowingBytes reply, in CdtSelection selection, int type)
    {
        if (type is CdtReturn.Index or CdtReturn.ReverseIndex or CdtReturn.Rank or CdtReturn.ReverseRank)
        {
            WritePlaces(reply, selection, type);
            return;
        }

        if (type == CdtReturn.Value && selection.RanksOfUnordered.Count > 0)
        {
            WriteRanks(reply, selection);
            return;
        }

        var elements = selection.Elements;
        foreach (var position in Order(selection, type))
        {
            if (selection.Has(position))
            {
                reply.Append(type switch
                {
                    CdtReturn.Key => elements.Key(position),
                    CdtReturn.Value => elements.Value(position),
                    _ => elements.Whole(position),
                });
            }
        }
    }

    private static void WriteRanks(GrowingBytes reply, in CdtSelection selection)
    {
        var elements = selection.Elements;
        var (start, count) = selection.RanksOfUnordered;
        var ranks = elements.ByRank(selection.Scratch).Slice(start, count);
        var isDownwards = start <= elements.Count - start - count;
        for (var i = 0; i < count; i++)
        {
            reply.Append(elements.Value(ranks[isDownwards ? count - 1 - i : i]));
        }
    }

    private static ReadOnlySpan<int> Order(in CdtSelection selection, int type)
    {
        var isByRank = selection.IsByRank
            && (selection.Elements.IsMap ? type is not (CdtReturn.UnorderedMap or CdtReturn.OrderedMap) : CdtReturn.IsRank(type));
        return isByRank ? selection.Elements.ByRank(selection.Scratch) : selection.Elements.ByIndex(selection.Scratch);
    }

    private static void WritePlaces(GrowingBytes reply, in CdtSelection selection, int type)
    {
        var writer = new PackedWriter(reply);
        var last = type is CdtReturn.ReverseIndex or CdtReturn.ReverseRank ? selection.Elements.Count - 1 : -1;
        if (!selection.AskedRanks.IsEmpty)
        {
            foreach (var rank in selection.AskedRanks)
            {
                writer.Integer(last >= 0 ? last - rank : rank);
            }

            return;
        }

        var order = Order(selection, type);
        var places = Places(selection, type);
        foreach (var position in order)
        {
            if (selection.Has(position))
            {
                writer.Integer(last >= 0 ? last - places[position] : places[position]);
            }
        }
    }

    // The index or rank of each position.
    private static ReadOnlySpan<int> Places(in CdtSelection selection, int type)
    {
        var elements = selection.Elements;
        var order = CdtReturn.IsRank(type) ? elements.ByRank(selection.Scratch) : elements.ByIndex(selection.Scratch);
        var places = selection.Scratch.RankOf.Take(order.Length);
        for (var place = 0; place < order.Length; place++)
        {
            places[order[place]] = place;
        }

        return places;
    }
}

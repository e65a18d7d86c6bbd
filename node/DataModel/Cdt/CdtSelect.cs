using Aerie.DataModel.Packed;
using Aerie.Foundation;

namespace Aerie.DataModel.Cdt;

/// Reads or removes selected elements. Single selections go straight to their element; the others mark what they select, and one
/// walk over the marks answers, another leaves the marked elements out.
internal static class CdtSelect
{
    private const long TypeMask = 0xFFFF;

    public static ResultCode Run(ref CdtJob job)
    {
        var asked = job.Operation.Returns ?? job.Arguments.Integer(0, CdtReturn.None);
        var isInverted = (asked & CdtReturn.Inverted) != 0;
        var type = (int)(asked & TypeMask);
        if ((asked & ~(TypeMask | CdtReturn.Inverted)) != 0 || !CdtReturn.IsKnown(type, job.Operation.OnMap))
        {
            return ResultCode.OpNotApplicable;
        }

        if (job.Operation.IsSingle)
        {
            return isInverted ? ResultCode.Parameter : One(ref job, type);
        }

        return TryPlainRange(ref job, type, isInverted, out var result) ? result : Many(ref job, type, isInverted);
    }

    private static ResultCode One(ref CdtJob job, int type)
    {
        var selector = job.Operation.Selector!.Value;
        var argument = job.Arguments[job.Operation.FirstArgument];
        var result = CdtFinder.Find(job.Target, selector, argument, job.Scratch, out var spot);
        if (result != ResultCode.Ok)
        {
            return result;
        }

        if (!spot.IsFound && selector is (CdtSelector.Index or CdtSelector.Rank))
        {
            return ResultCode.OpNotApplicable;
        }

        if (!spot.IsFound)
        {
            CdtAnswer.Missing(job.Outcome, type);
            return ResultCode.Ok;
        }

        result = CdtReturn.IsRank(type) || type is CdtReturn.Index or CdtReturn.ReverseIndex
            ? AnswerPlace(ref job, spot, type)
            : AnswerElement(ref job, spot, type);
        if (result == ResultCode.Ok && job.Operation.Modifies)
        {
            job.Splice(job.Target.Count - 1, spot.Start, spot.End, []);
        }

        return result;
    }

    private static ResultCode AnswerElement(ref CdtJob job, in CdtSpot spot, int type)
    {
        var bytes = job.Target.Bytes;
        switch (type)
        {
            case CdtReturn.Count:
                CdtAnswer.Integer(job.Outcome, 1);
                break;
            case CdtReturn.Exists:
                CdtAnswer.Bool(job.Outcome, true);
                break;
            case CdtReturn.Key:
                CdtAnswer.Value(job.Outcome, bytes[spot.Start..spot.ValueStart]);
                break;
            case CdtReturn.Value:
                CdtAnswer.Value(job.Outcome, bytes[spot.ValueStart..spot.End]);
                break;
            case CdtReturn.KeyValue or CdtReturn.UnorderedMap or CdtReturn.OrderedMap:
                CdtAnswer.Pair(job.Outcome, type, bytes[spot.Start..spot.End]);
                break;
        }

        return ResultCode.Ok;
    }

    // One place is counted, not sorted for.
    private static ResultCode AnswerPlace(ref CdtJob job, in CdtSpot spot, int type)
    {
        var target = job.Target;
        var place = spot.Position;
        var asksRank = CdtReturn.IsRank(type);
        if (asksRank ? target.IsMap || !target.IsOrdered : target.IsMap && !target.IsOrdered)
        {
            if (!CdtElements.TryRead(target, job.Scratch.Offsets, out var elements))
            {
                return CdtCommand.Broken;
            }

            place = 0;
            for (var other = 0; other < elements.Count; other++)
            {
                var order = asksRank ? PackedOrder.Compare(elements.Value(other), elements.Value(spot.Position)) : 0;
                if (order == 0)
                {
                    order = IsIndexedByKey(elements)
                        ? PackedOrder.Compare(elements.Key(other), elements.Key(spot.Position))
                        : other.CompareTo(spot.Position);
                }

                place += order < 0 ? 1 : 0;
            }
        }

        var isReverse = type is CdtReturn.ReverseIndex or CdtReturn.ReverseRank;
        CdtAnswer.Integer(job.Outcome, isReverse ? target.Count - 1 - place : place);
        return ResultCode.Ok;
    }

    private static bool IsIndexedByKey(scoped CdtElements elements) => elements.IsMap && !elements.IsOrdered;

    // A range of a list by index, read or removed as it lies: no need to know each element.
    private static bool TryPlainRange(ref CdtJob job, int type, bool isInverted, out ResultCode result)
    {
        result = ResultCode.Ok;
        var target = job.Target;
        if (target.IsMap || isInverted || job.Operation.Selector != CdtSelector.IndexRange
            || type is not (CdtReturn.Value or CdtReturn.Count or CdtReturn.None))
        {
            return false;
        }

        var first = job.Operation.FirstArgument;
        var (start, count) = CdtSearch.Clip(job.Arguments.Integer(first, 0), job.Arguments.Number(first + 1), target.Count);
        var end = CdtSearch.TryFindPosition(target, start, out var from) ? PackedSkip.Skip(target.Bytes, from.Start, count) : -1;
        if (end < 0)
        {
            result = CdtCommand.Broken;
            return true;
        }

        if (type == CdtReturn.Value)
        {
            new PackedWriter(job.Outcome.Reply).List(count);
            job.Outcome.Reply.Append(target.Bytes[from.Start..end]);
            job.Outcome.Answer(ParticleType.List);
        }
        else if (type == CdtReturn.Count)
        {
            CdtAnswer.Integer(job.Outcome, count);
        }

        if (job.Operation.Modifies && count > 0)
        {
            job.Splice(target.Count - count, from.Start, end, []);
        }

        return true;
    }

    private static ResultCode Many(ref CdtJob job, int type, bool isInverted)
    {
        if (!CdtElements.TryRead(job.Target, job.Scratch.Offsets, out var elements))
        {
            return CdtCommand.Broken;
        }

        var selection = new CdtSelection(elements, job.Scratch);
        var result = selection.Pick(job.Operation, job.Arguments, CdtReturn.IsRank(type) && !isInverted);
        if (result != ResultCode.Ok)
        {
            return result;
        }

        if (isInverted)
        {
            selection.Invert();
        }

        CdtSelectionAnswer.Write(job.Outcome, selection, type);
        if (job.Operation.Modifies && selection.Count > 0)
        {
            Remove(ref job, elements, selection);
        }

        return ResultCode.Ok;
    }

    // What stays is copied in runs.
    private static void Remove(ref CdtJob job, scoped CdtElements elements, in CdtSelection selection)
    {
        job.Begin(elements.Count - selection.Count);
        for (var from = 0; from < elements.Count;)
        {
            var to = from;
            while (to < elements.Count && !selection.Has(to))
            {
                to++;
            }

            job.Output.Append(elements.Range(from, to));
            from = to + 1;
        }
    }
}

using Aerie.DataModel.Packed;
using Aerie.Foundation;

namespace Aerie.DataModel.Cdt;

/// Adds many elements to a list at once. Whether elements exist already is found by sorting, not by comparing each with each.
internal static class ListItems
{
    /// `index` counts in lists without order; ordered ones take each item where it belongs.
    public static ResultCode Add(ref CdtJob job, ReadOnlySpan<byte> list, int index, int flags)
    {
        var target = job.Target;
        if (!PackedContainer.TryOpen(list, out var source) || !CdtElements.TryRead(source, job.Scratch.ItemOffsets, out var items))
        {
            return ResultCode.Parameter;
        }

        var isUnique = (flags & ListWriteFlags.AddUnique) != 0;
        if (!isUnique && !target.IsOrdered)
        {
            return Put(ref job, index, items.Range(0, items.Count), items.Count);
        }

        if (!CdtElements.TryRead(target, job.Scratch.Offsets, out var elements))
        {
            return CdtCommand.Broken;
        }

        var order = items.InOrder(job.Scratch.ItemOrder, job.Scratch);
        var refused = job.Scratch.Mask(items.Count);
        if (isUnique && MarkKnown(job, elements, items, order, refused) > 0 && (flags & ListWriteFlags.Partial) == 0)
        {
            return ListWrites.Refuse(ref job, flags, ResultCode.ElementExists);
        }

        if (refused.Contains(true) && (flags & ListWriteFlags.NoFail) == 0)
        {
            return ResultCode.ElementExists;
        }

        return target.IsOrdered ? Merge(ref job, elements, items, order, refused) : PutAccepted(ref job, index, items, refused);
    }

    // Marks items that the list has, or that came before among the items.
    private static int MarkKnown(
        in CdtJob job, scoped CdtElements elements, scoped CdtElements items, scoped ReadOnlySpan<int> order, scoped Span<bool> refused)
    {
        var known = 0;
        var byRank = elements.IsOrdered ? default : elements.ByRank(job.Scratch);
        for (var i = 0; i < order.Length; i++)
        {
            var item = items.Value(order[i]);
            var place = elements.Bound(item, behindEqual: false, byRank);
            var isKnown = (i > 0 && PackedOrder.Compare(items.Value(order[i - 1]), item) == 0)
                || (place < elements.Count && PackedOrder.Compare(elements.Value(byRank.IsEmpty ? place : byRank[place]), item) == 0);
            refused[order[i]] = isKnown;
            known += isKnown ? 1 : 0;
        }

        return known;
    }

    private static ResultCode Put(ref CdtJob job, int index, scoped ReadOnlySpan<byte> packed, int count)
    {
        var target = job.Target;
        var size = Math.Max(index, target.Count) + count;
        if (count > 0 || job.IsNew)
        {
            if (!CdtSearch.TryFindPosition(target, Math.Min(index, target.Count), out var spot))
            {
                return CdtCommand.Broken;
            }

            job.Begin(count > 0 ? size : target.Count);
            job.Output.Append(target.Bytes[target.First..spot.Start]);
            ListWrites.Pad(job.Output, count > 0 ? Math.Max(index - target.Count, 0) : 0);
            job.Output.Append(packed);
            job.Output.Append(target.Bytes[spot.Start..]);
        }

        CdtAnswer.Integer(job.Outcome, count > 0 ? size : target.Count);
        return ResultCode.Ok;
    }

    private static ResultCode PutAccepted(ref CdtJob job, int index, scoped CdtElements items, scoped ReadOnlySpan<bool> refused)
    {
        var accepted = job.Scratch.OtherWork;
        var count = 0;
        for (var i = 0; i < items.Count; i++)
        {
            if (!refused[i])
            {
                accepted.Append(items.Value(i));
                count++;
            }
        }

        return accepted.Overflowed ? ResultCode.RecordTooBig : Put(ref job, index, accepted.Read(0, accepted.Length), count);
    }

    // Both are sorted: an item goes behind the elements that equal it.
    private static ResultCode Merge(
        ref CdtJob job, scoped CdtElements elements, scoped CdtElements items,
        scoped ReadOnlySpan<int> order, scoped ReadOnlySpan<bool> refused)
    {
        var added = items.Count - refused.Count(true);
        CdtAnswer.Integer(job.Outcome, elements.Count + added);
        if (added == 0 && !job.IsNew)
        {
            return ResultCode.Ok;
        }

        job.Begin(elements.Count + added);
        var from = 0;
        foreach (var item in order)
        {
            if (!refused[item])
            {
                var place = elements.Bound(items.Value(item), behindEqual: true);
                job.Output.Append(elements.Range(from, Math.Max(from, place)));
                job.Output.Append(items.Value(item));
                from = Math.Max(from, place);
            }
        }

        job.Output.Append(elements.Range(from, elements.Count));
        return ResultCode.Ok;
    }
}

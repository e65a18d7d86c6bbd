using Aerie.DataModel.Bins;
using Aerie.DataModel.Packed;
using Aerie.Foundation;

namespace Aerie.DataModel.Cdt;

/// Writes containers in another order than they have.
internal static class CdtOrder
{
    /// The container with other flags; sorted, if it now has an order.
    public static ResultCode Rewrite(ref CdtJob job, byte flags)
    {
        var target = job.Target;
        if (target.IsOrdered || (flags & CdtFlags.Ordered) == 0)
        {
            job.Begin(target.Count, flags);
            job.Output.Append(target.Bytes[target.First..]);
            return ResultCode.Ok;
        }

        if (!CdtElements.TryRead(target, job.Scratch.Offsets, out var elements))
        {
            return CdtCommand.Broken;
        }

        var order = job.Scratch.Picks.Take(elements.Count);
        elements.InOrder(job.Scratch.ItemOrder, job.Scratch).CopyTo(order);
        Write(ref job, elements, target.IsMap ? DropSuperseded(elements, order) : order, flags);
        return ResultCode.Ok;
    }

    /// The elements in the given order, if that is another than theirs.
    public static void Write(ref CdtJob job, scoped CdtElements elements, scoped ReadOnlySpan<int> order, byte flags)
    {
        if (flags == job.Target.Flags && !job.IsNew && order.Length == elements.Count && IsAsStored(order))
        {
            return;
        }

        job.Begin(order.Length, flags);
        foreach (var position in order)
        {
            job.Output.Append(elements.Whole(position));
        }
    }

    /// The elements of an ordered list with `value` in place of the one at `old`, where it belongs: there, if it equals it. With
    /// `old` = Count, all and it.
    public static void AppendMoved(GrowingBytes output, scoped CdtElements elements, int old, scoped ReadOnlySpan<byte> value)
    {
        var isEqual = old < elements.Count && PackedOrder.Compare(elements.Value(old), value) == 0;
        var place = isEqual ? old : elements.Bound(value, behindEqual: true);
        if (place <= old)
        {
            output.Append(elements.Range(0, place));
            output.Append(value);
            output.Append(elements.Range(place, old));
            output.Append(elements.Range(Math.Min(old + 1, elements.Count), elements.Count));
        }
        else
        {
            output.Append(elements.Range(0, old));
            output.Append(elements.Range(old + 1, place));
            output.Append(value);
            output.Append(elements.Range(place, elements.Count));
        }
    }

    /// Sorts an ordered container that has just been written, without its index, to the end of the output. Of pairs with one key
    /// the last stays.
    public static void SortWritten(GrowingBytes output, int start, CdtScratch scratch)
    {
        if (output.Overflowed || !PackedContainer.TryOpen(output.Read(start, output.Length - start), out var container)
            || !container.IsOrdered || !CdtElements.TryRead(container, scratch.Offsets, out var elements))
        {
            return;
        }

        var order = scratch.Picks.Take(elements.Count);
        elements.InOrder(scratch.ItemOrder, scratch).CopyTo(order);
        order = container.IsMap ? DropSuperseded(elements, order) : order;
        if (order.Length == elements.Count && IsAsStored(order))
        {
            return;
        }

        var sorted = scratch.OtherWork;
        sorted.Clear();
        CdtHead.Write(sorted, container.IsMap, order.Length, container.Flags);
        foreach (var position in order)
        {
            sorted.Append(elements.Whole(position));
        }

        output.Replace(start, output.Length - start, sorted.Read(0, sorted.Length));
    }

    private static Span<int> DropSuperseded(scoped CdtElements elements, Span<int> order)
    {
        var kept = 0;
        for (var i = 0; i < order.Length; i++)
        {
            var isLast = i + 1 == order.Length || PackedOrder.Compare(elements.Key(order[i]), elements.Key(order[i + 1])) != 0;
            if (isLast)
            {
                order[kept++] = order[i];
            }
        }

        return order[..kept];
    }

    private static bool IsAsStored(ReadOnlySpan<int> order)
    {
        for (var i = 0; i < order.Length; i++)
        {
            if (order[i] != i)
            {
                return false;
            }
        }

        return true;
    }
}

using Aerie.DataModel.Packed;
using Aerie.Foundation;

namespace Aerie.DataModel.Cdt;

/// Puts many pairs into a map at once. The pairs are sorted by key and looked for in the sorted map; of pairs with one key the last
/// is the one.
internal static class MapItems
{
    private const int Superseded = int.MinValue;

    public static ResultCode Put(ref CdtJob job, ReadOnlySpan<byte> map, int flags)
    {
        var scratch = job.Scratch;
        if (!PackedContainer.TryOpen(map, out var source) || !CdtElements.TryRead(source, scratch.ItemOffsets, out var items))
        {
            return ResultCode.Parameter;
        }

        if (!CdtElements.TryRead(job.Target, scratch.Offsets, out var elements))
        {
            return CdtCommand.Broken;
        }

        var order = items.InOrder(scratch.ItemOrder, scratch);
        var places = scratch.ItemPlaces.Take(items.Count);
        var result = Locate(elements, items, order, places, flags, scratch, out var added);
        if (result == ResultCode.Parameter)
        {
            return result;
        }

        var isPartial = (flags & (MapWriteFlags.Partial | MapWriteFlags.NoFail)) == (MapWriteFlags.Partial | MapWriteFlags.NoFail);
        if (result != ResultCode.Ok && !isPartial)
        {
            return MapWrites.Refuse(ref job, flags, result);
        }

        if (places.ContainsAnyExcept(Superseded) || (job.IsNew && result == ResultCode.Ok))
        {
            job.Begin(elements.Count + added);
            if (elements.IsOrdered)
            {
                Merge(ref job, elements, items, order, places);
            }
            else
            {
                Replace(ref job, elements, items, places);
            }
        }

        CdtAnswer.Integer(job.Outcome, elements.Count + added);
        return ResultCode.Ok;
    }

    // For each item the position of its pair; -1 - place where it is new; Superseded where it is not to be written. The result is
    // the first reason why one may not be written.
    private static ResultCode Locate(
        scoped CdtElements elements, scoped CdtElements items,
        ReadOnlySpan<int> order, Span<int> places, int flags, CdtScratch scratch, out int added)
    {
        added = 0;
        var result = ResultCode.Ok;
        var byKey = elements.IsOrdered ? default : elements.ByIndex(scratch);
        for (var i = 0; i < order.Length; i++)
        {
            var key = items.Key(order[i]);
            if (!MapWrites.IsKey(key))
            {
                return ResultCode.Parameter;
            }

            if (i + 1 < order.Length && PackedOrder.Compare(key, items.Key(order[i + 1])) == 0)
            {
                places[order[i]] = Superseded;
                continue;
            }

            var place = elements.Bound(key, behindEqual: false, byKey);
            var position = place == elements.Count || byKey.IsEmpty ? place : byKey[place];
            var isFound = place < elements.Count && PackedOrder.Compare(elements.Key(position), key) == 0;
            var check = MapWrites.Check(isFound, flags);
            if (check != ResultCode.Ok)
            {
                result = result == ResultCode.Ok ? check : result;
                places[order[i]] = Superseded;
                continue;
            }

            places[order[i]] = isFound ? position : -1 - place;
            added += isFound ? 0 : 1;
        }

        return result;
    }

    private static void Merge(
        ref CdtJob job, scoped CdtElements elements, scoped CdtElements items,
        scoped ReadOnlySpan<int> order, scoped ReadOnlySpan<int> places)
    {
        var from = 0;
        foreach (var item in order)
        {
            var place = places[item];
            if (place == Superseded)
            {
                continue;
            }

            var to = place < 0 ? -1 - place : place;
            job.Output.Append(elements.Range(from, to));
            job.Output.Append(items.Whole(item));
            from = place < 0 ? to : to + 1;
        }

        job.Output.Append(elements.Range(from, elements.Count));
    }

    private static void Replace(ref CdtJob job, scoped CdtElements elements, scoped CdtElements items, scoped ReadOnlySpan<int> places)
    {
        var newValues = job.Scratch.RankOf.Take(elements.Count);
        newValues.Fill(-1);
        for (var item = 0; item < places.Length; item++)
        {
            if (places[item] >= 0)
            {
                newValues[places[item]] = item;
            }
        }

        for (var i = 0; i < elements.Count; i++)
        {
            job.Output.Append(newValues[i] < 0 ? elements.Whole(i) : items.Whole(newValues[i]));
        }

        for (var item = 0; item < places.Length; item++)
        {
            if (places[item] < 0 && places[item] != Superseded)
            {
                job.Output.Append(items.Whole(item));
            }
        }
    }
}

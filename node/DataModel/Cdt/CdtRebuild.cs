using Aerie.DataModel.Bins;
using Aerie.DataModel.Packed;
using Aerie.Foundation;

namespace Aerie.DataModel.Cdt;

/// Makes the whole value again around a nested container that has changed. Heads count elements, not bytes: parents stay as they are
/// around a changed child, except ordered lists, in which the child may now belong elsewhere, and what did not exist before.
internal static class CdtRebuild
{
    /// Whether the steps that found nothing may make what is missing.
    public static bool CanCreate(ReadOnlySpan<byte> value, ReadOnlySpan<byte> steps, int count, in CdtWalk walk, CdtScratch scratch)
    {
        for (var i = walk.Found; i < count; i++)
        {
            ref var item = ref scratch.PathItems[i];
            var argument = steps[item.Start..item.End];
            if (!item.CanCreate)
            {
                return false;
            }

            if (item.Selector == CdtSelector.Key)
            {
                if (!MapWrites.IsKey(argument))
                {
                    return false;
                }

                continue;
            }

            ref var level = ref scratch.Levels[i];
            var list = PackedContainer.Empty(isMap: false, item.Flags);
            if (i == walk.Found && value.Length > 0 && !PackedContainer.TryOpen(value[level.Start..level.End], out list))
            {
                return false;
            }

            new PackedReader(argument).TryInteger(out var index);
            if (index < 0 || (!list.IsOrdered && (index > list.Count + ListWrites.PadMax || (index > list.Count && !item.CanPad))))
            {
                return false;
            }
        }

        return true;
    }

    /// The new container is in scratch.Work; writes the new value of the bin and returns whether it is a map.
    public static bool Write(
        ReadOnlySpan<byte> value, ReadOnlySpan<byte> steps, int count, in CdtWalk walk, CdtScratch scratch, OpOutcome outcome)
    {
        for (var i = count - 1; i > walk.Found; i--)
        {
            Wrap(scratch, steps, scratch.PathItems[i], scratch.PathItems[i].Flags);
        }

        var (start, end, level) = (walk.Start, walk.End, walk.Found - 1);
        if (walk.Found < count)
        {
            if (value.IsEmpty)
            {
                Wrap(scratch, steps, scratch.PathItems[0], scratch.PathItems[0].RootFlags);
            }
            else
            {
                Insert(value[walk.Start..walk.End], steps, scratch.PathItems[walk.Found], scratch);
            }
        }

        for (; level >= 0; level--)
        {
            ref var parent = ref scratch.Levels[level];
            if (!PackedContainer.TryOpen(value[parent.Start..parent.End], out var container) || container.IsMap || !container.IsOrdered)
            {
                continue;
            }

            Materialize(value, parent, start, end, scratch);
            (start, end) = (parent.ChildStart, parent.ChildEnd);
            if (!StaysInPlace(container, parent, scratch))
            {
                Move(container, parent, scratch);
                (start, end) = (parent.Start, parent.End);
            }
        }

        Compose(value, start, end, scratch, outcome.Value);
        return scratch.PathItems[0].OnMap;
    }

    // The work instead of what lay between start and end, and the value around it.
    private static void Compose(ReadOnlySpan<byte> value, int start, int end, CdtScratch scratch, GrowingBytes output)
    {
        var work = scratch.Work.Read(0, scratch.Work.Length);
        if (start > 0 && PackedContainer.TryOpen(value, out var root) && !root.MarkData.IsEmpty)
        {
            if (!CdtIndex.TryWriteHead(output, root, root.Count, start, end, work.Length, scratch))
            {
                CdtHead.Write(output, root.IsMap, root.Count, root.Flags);
            }

            output.Append(value[root.First..start]);
        }
        else
        {
            output.Append(value[..start]);
        }

        output.Append(work);
        output.Append(value[end..]);
    }

    // A new container with the work as its only element, behind nils where the step asks for that.
    private static void Wrap(CdtScratch scratch, ReadOnlySpan<byte> steps, in CdtPathItem item, byte flags)
    {
        var output = scratch.OtherWork;
        output.Clear();
        var argument = steps[item.Start..item.End];
        if (item.OnMap)
        {
            CdtHead.Write(output, isMap: true, 1, flags);
            output.Append(argument);
        }
        else
        {
            new PackedReader(argument).TryInteger(out var index);
            var nils = (flags & CdtFlags.Ordered) != 0 ? 0 : (int)index;
            CdtHead.Write(output, isMap: false, nils + 1, flags);
            ListWrites.Pad(output, nils);
        }

        output.Append(scratch.Work.Read(0, scratch.Work.Length));
        scratch.SwapWork();
    }

    // The work becomes a new element of a container that exists.
    private static void Insert(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> steps, in CdtPathItem item, CdtScratch scratch)
    {
        var output = scratch.OtherWork;
        output.Clear();
        var child = scratch.Work.Read(0, scratch.Work.Length);
        var argument = steps[item.Start..item.End];
        PackedContainer.TryOpen(bytes, out var container);
        if (container.IsMap)
        {
            CdtSearch.TryFindKey(container, argument, out var spot);
            CdtHead.Write(output, isMap: true, container.Count + 1, container.Flags);
            output.Append(bytes[container.First..spot.Start]);
            output.Append(argument);
            output.Append(child);
            output.Append(bytes[spot.Start..]);
        }
        else if (container.IsOrdered)
        {
            CdtSearch.TryFindPlace(container, child, out var spot);
            CdtHead.Write(output, isMap: false, container.Count + 1, container.Flags);
            output.Append(bytes[container.First..spot.Start]);
            output.Append(child);
            output.Append(bytes[spot.Start..]);
        }
        else
        {
            new PackedReader(argument).TryInteger(out var index);
            CdtHead.Write(output, isMap: false, (int)index + 1, container.Flags);
            output.Append(bytes[container.First..]);
            ListWrites.Pad(output, (int)index - container.Count);
            output.Append(child);
        }

        scratch.SwapWork();
    }

    // The siblings are walked, never the child: levels may be many, and the child large on each.
    private static bool StaysInPlace(in PackedContainer list, in CdtLevel level, CdtScratch scratch)
    {
        var child = scratch.Work.Read(0, scratch.Work.Length);
        if (level.Position > 0)
        {
            var before = PackedSkip.Skip(list.Bytes, list.First, level.Position - 1);
            if (before < 0 || PackedOrder.Compare(list.Bytes[before..], child) > 0)
            {
                return false;
            }
        }

        return level.Position + 1 == list.Count || PackedOrder.Compare(child, list.Bytes[(level.ChildEnd - level.Start)..]) <= 0;
    }

    // The work takes the place in an ordered list that it now belongs to, behind those that equal it.
    private static void Move(in PackedContainer list, in CdtLevel level, CdtScratch scratch)
    {
        var child = scratch.Work.Read(0, scratch.Work.Length);
        var (childStart, childEnd) = (level.ChildStart - level.Start, level.ChildEnd - level.Start);
        var place = list.First;
        for (var i = 0; i < list.Count; i++)
        {
            if (i != level.Position && PackedOrder.Compare(list.Bytes[place..], child) > 0)
            {
                break;
            }

            place = i == level.Position ? childEnd : PackedSkip.Skip(list.Bytes, place);
        }

        var output = scratch.OtherWork;
        output.Clear();
        CdtHead.Write(output, isMap: false, list.Count, list.Flags);
        output.Append(list.Bytes[list.First..Math.Min(place, childStart)]);
        if (place <= childStart)
        {
            output.Append(child);
            output.Append(list.Bytes[place..childStart]);
            output.Append(list.Bytes[childEnd..]);
        }
        else
        {
            output.Append(list.Bytes[childEnd..place]);
            output.Append(child);
            output.Append(list.Bytes[place..]);
        }

        scratch.SwapWork();
    }

    // The work becomes the whole child of a level: what it replaced lay deeper.
    private static void Materialize(ReadOnlySpan<byte> value, in CdtLevel level, int start, int end, CdtScratch scratch)
    {
        if (level.ChildStart == start && level.ChildEnd == end)
        {
            return;
        }

        var output = scratch.OtherWork;
        output.Clear();
        output.Append(value[level.ChildStart..start]);
        output.Append(scratch.Work.Read(0, scratch.Work.Length));
        output.Append(value[end..level.ChildEnd]);
        scratch.SwapWork();
    }
}

using Aerie.DataModel.Bins;
using Aerie.DataModel.Packed;
using Aerie.Foundation;

namespace Aerie.DataModel.Cdt;

/// One step of a path: how to find the element inside a container, and what to make where there is none.
internal struct CdtPathItem
{
    /// The kind of step with its flags, as on the wire.
    public int Type;

    /// Where the index, rank, key or value lies among the bytes of the path.
    public int Start;
    public int End;

    public readonly bool OnMap => (Type & 0x20) != 0;

    public readonly int CreateBits => Type & CdtPath.CreateMask;

    public readonly bool CanCreate => CreateBits != 0 && Selector is (CdtSelector.Index or CdtSelector.Key)
        && (Selector == CdtSelector.Key || !OnMap);

    public readonly bool CanPad => CreateBits == CdtPath.CreateSecond && !OnMap;

    public readonly CdtSelector Selector => (Type & CdtPath.KindMask) switch
    {
        0x10 or 0x20 => CdtSelector.Index,
        0x11 or 0x21 => CdtSelector.Rank,
        0x22 => CdtSelector.Key,
        _ => CdtSelector.Value,
    };

    /// The order of a container that this step makes.
    public readonly byte Flags => CreateBits switch
    {
        CdtPath.CreateSecond when OnMap => CdtFlags.Ordered,
        CdtPath.CreateThird => OnMap ? (byte)(CdtFlags.Ordered | CdtFlags.ValueOrdered) : CdtFlags.Ordered,
        _ => 0,
    };

    /// The same for the container that is the bin itself.
    public readonly byte RootFlags => (byte)(Flags | ((Type & CdtPath.PersistIndex) != 0 ? CdtFlags.PersistIndex : 0));
}

/// One container on the way, and the child that the path takes in it. Offsets are those of the bin's value.
internal struct CdtLevel
{
    public int Start;
    public int End;
    public int Position;
    public int ChildStart;
    public int ChildEnd;
}

/// How far a path leads into a value.
internal struct CdtWalk
{
    /// Steps that found their element.
    public int Found;

    /// What the last of them found; without any, the whole value.
    public int Start;
    public int End;
}

/// Paths into nested lists and maps ("contexts"): a list of steps, each a kind and an index, rank, key or value.
public static class CdtPath
{
    /// Steps that a path may have.
    public const int ItemsMax = 255;

    internal const int KindMask = 0x3F;
    internal const int CreateMask = 0xC0;
    internal const int CreateSecond = 0x80;
    internal const int CreateThird = 0xC0;
    internal const int PersistIndex = 0x100;

    private const int KnownMask = KindMask | CreateMask | PersistIndex;

    /// Reads the value at a path without changing anything: Ok and type Null when nothing is there. The answer lies in the bin's
    /// bytes, but numbers, texts and blobs are still packed; `item` shows them.
    public static ResultCode Read(
        BinValue bin, ReadOnlySpan<byte> path, CdtScratch scratch, out PackedItem item, out ReadOnlySpan<byte> packed)
    {
        item = default;
        packed = default;
        if (!TryOpen(path, out var steps, out var count) || !TryReadItems(steps, count, scratch.PathItems))
        {
            return ResultCode.Parameter;
        }

        if (bin.Type is not (ParticleType.List or ParticleType.Map))
        {
            return ResultCode.Ok;
        }

        var result = Walk(bin.Bytes, steps, count, scratch, out var walk);
        if (result == ResultCode.Ok && walk.Found == count)
        {
            packed = bin.Bytes[walk.Start..walk.End];
            new PackedReader(packed).TryRead(out item);
        }

        return result == ResultCode.OpNotApplicable ? ResultCode.Ok : result;
    }

    /// The steps inside a packed path, and how many there are. False: it is no list of pairs, or too long.
    internal static bool TryOpen(ReadOnlySpan<byte> path, out ReadOnlySpan<byte> steps, out int count)
    {
        steps = default;
        count = 0;
        var reader = new PackedReader(path);
        if (!reader.TryRead(out var list) || list.Kind != PackedKind.List || list.Count % 2 != 0 || list.Count > 2 * ItemsMax)
        {
            return false;
        }

        steps = path[reader.Offset..];
        count = list.Count / 2;
        return true;
    }

    /// False: a step is of a kind that is not known here, or broken.
    internal static bool TryReadItems(ReadOnlySpan<byte> steps, int count, Span<CdtPathItem> items)
    {
        var reader = new PackedReader(steps);
        for (var i = 0; i < count; i++)
        {
            if (!reader.TryInteger(out var type) || !IsKnown(type))
            {
                return false;
            }

            var start = reader.Offset;
            var end = PackedSkip.Skip(steps, start);
            if (end < 0)
            {
                return false;
            }

            items[i] = new CdtPathItem { Type = (int)type, Start = start, End = end };
            reader = new PackedReader(steps, end);
        }

        return true;
    }

    /// Follows the steps, read before into scratch.PathItems, as far as there are elements; scratch.Levels has the containers on
    /// the way, with the one in which an element is missing.
    internal static ResultCode Walk(ReadOnlySpan<byte> value, ReadOnlySpan<byte> steps, int count, CdtScratch scratch, out CdtWalk walk)
    {
        walk = new CdtWalk { End = value.Length };
        while (walk.Found < count)
        {
            ref var item = ref scratch.PathItems[walk.Found];
            if (!PackedContainer.TryOpen(value[walk.Start..walk.End], out var container) || container.IsMap != item.OnMap)
            {
                return ResultCode.OpNotApplicable;
            }

            var result = CdtFinder.Find(container, item.Selector, steps[item.Start..item.End], scratch, out var spot);
            if (result != ResultCode.Ok)
            {
                return result;
            }

            ref var level = ref scratch.Levels[walk.Found];
            (level.Start, level.End, level.Position) = (walk.Start, walk.End, spot.Position);
            if (!spot.IsFound)
            {
                return ResultCode.Ok;
            }

            level.ChildStart = walk.Start + spot.ValueStart;
            level.ChildEnd = walk.Start + spot.End;
            (walk.Start, walk.End) = (level.ChildStart, level.ChildEnd);
            walk.Found++;
        }

        return ResultCode.Ok;
    }

    internal static bool IsKnown(long type) =>
        (type & ~(long)KnownMask) == 0 && (type & KindMask) is (0x10 or 0x11 or 0x13 or 0x20 or 0x21 or 0x22 or 0x23);
}

using Aerie.DataModel.Packed;

namespace Aerie.DataModel.Cdt;

/// The elements of one container, each with its offset. A position is the place where an element lies; its index is the position in
/// lists and ordered maps, and its place by key in maps without order; its rank is its place by value, equal values by index.
internal readonly ref struct CdtElements
{
    private readonly ReadOnlySpan<byte> _bytes;
    private readonly ReadOnlySpan<int> _offsets;
    private readonly int _width;

    private CdtElements(in PackedContainer container, ReadOnlySpan<int> offsets)
    {
        _bytes = container.Bytes;
        _offsets = offsets;
        _width = container.Width;
        Count = container.Count;
        IsOrdered = container.IsOrdered;
    }

    public int Count { get; }

    public bool IsOrdered { get; }

    public bool IsMap => _width == 2;

    /// False: the elements are broken, or fewer than the head says.
    public static bool TryRead(in PackedContainer container, IntBuffer buffer, out CdtElements elements)
    {
        var values = container.Count * container.Width;
        var offsets = buffer.Take(values + 1);
        var offset = container.First;
        var bytes = container.Bytes;
        for (var i = 0; i < values; i++)
        {
            offsets[i] = offset;
            offset = PackedSkip.Skip(bytes, offset);
            if (offset < 0)
            {
                elements = default;
                return false;
            }
        }

        offsets[values] = offset;
        elements = new CdtElements(container, offsets);
        return true;
    }

    /// Where the element begins. At Count: where the last one ends.
    public int Start(int position) => _offsets[position * _width];

    public ReadOnlySpan<byte> Key(int position) => _bytes[_offsets[2 * position].._offsets[2 * position + 1]];

    public ReadOnlySpan<byte> Value(int position)
    {
        var last = (position + 1) * _width;
        return _bytes[_offsets[last - 1].._offsets[last]];
    }

    /// What the container is ordered by: a map's key, a list's value.
    public ReadOnlySpan<byte> Sorted(int position)
    {
        var first = position * _width;
        return _bytes[_offsets[first].._offsets[first + 1]];
    }

    /// The element whole: of a map, key and value.
    public ReadOnlySpan<byte> Whole(int position) => _bytes[Start(position)..Start(position + 1)];

    public ReadOnlySpan<byte> Range(int from, int to) => _bytes[Start(from)..Start(to)];

    /// Positions by index.
    public ReadOnlySpan<int> ByIndex(CdtScratch scratch)
    {
        var order = scratch.ByIndex.Take(Count);
        Fill(order);
        if (IsMap && !IsOrdered)
        {
            CdtSort.Sort(this, order, scratch.Sorting.Take(Count), byValue: false);
        }

        return order;
    }

    /// Positions by rank.
    public ReadOnlySpan<int> ByRank(CdtScratch scratch)
    {
        var order = scratch.ByRank.Take(Count);
        if (IsMap)
        {
            ByIndex(scratch).CopyTo(order);
        }
        else
        {
            Fill(order);
        }

        if (IsMap || !IsOrdered)
        {
            CdtSort.Sort(this, order, scratch.Sorting.Take(Count), byValue: true);
        }

        return order;
    }

    /// Positions by key (maps) or by value (lists), equal ones as they lie.
    public ReadOnlySpan<int> InOrder(IntBuffer into, CdtScratch scratch)
    {
        var order = into.Take(Count);
        Fill(order);
        CdtSort.Sort(this, order, scratch.Sorting.Take(Count), byValue: !IsMap);
        return order;
    }

    /// How many elements of an ordered container come before the value; with `behindEqual`, those equal to it too.
    public int Bound(ReadOnlySpan<byte> value, bool behindEqual) => Bound(value, behindEqual, default);

    /// The same among positions that are sorted by what Sorted shows.
    public int Bound(ReadOnlySpan<byte> value, bool behindEqual, ReadOnlySpan<int> order)
    {
        var probe = new PackedProbe(value);
        var (low, high) = (0, Count);
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            var compared = probe.Compare(_bytes, Start(order.IsEmpty ? middle : order[middle]));
            if (compared < 0 || (compared == 0 && behindEqual))
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }

    private static void Fill(Span<int> order)
    {
        for (var i = 0; i < order.Length; i++)
        {
            order[i] = i;
        }
    }
}

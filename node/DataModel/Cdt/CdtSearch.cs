using Aerie.DataModel.Packed;

namespace Aerie.DataModel.Cdt;

/// Where an element lies, or where it would be put.
internal struct CdtSpot
{
    public bool IsFound;
    public int Position;
    public int Start;

    /// Behind the key of a pair; in lists the same as Start.
    public int ValueStart;
    public int End;
}

/// Finds one element without looking at all of them twice, or, with an index, at most of them at all.
internal static class CdtSearch
{
    /// The pair with this key. Where there is none, the spot is where an ordered map would have it, or the end of another. False:
    /// the map is broken.
    public static bool TryFindKey(in PackedContainer map, ReadOnlySpan<byte> key, out CdtSpot spot)
    {
        var bytes = map.Bytes;
        var probe = new PackedProbe(key);
        spot = new CdtSpot { Start = map.First };
        CdtIndex.Seek(map, probe, ref spot);
        for (; spot.Position < map.Count; spot.Position++)
        {
            if (spot.Start >= bytes.Length)
            {
                return false;
            }

            var order = probe.Compare(bytes, spot.Start);
            if (order > 0 && map.IsOrdered)
            {
                break;
            }

            spot.ValueStart = PackedSkip.Skip(bytes, spot.Start);
            spot.End = spot.ValueStart < 0 ? -1 : PackedSkip.Skip(bytes, spot.ValueStart);
            if (spot.End < 0)
            {
                return false;
            }

            if (order == 0)
            {
                spot.IsFound = true;
                return true;
            }

            spot.Start = spot.End;
        }

        spot.ValueStart = spot.Start;
        spot.End = spot.Start;
        return true;
    }

    /// The element at a position. At Count, its spot is the end. False: the container is broken.
    public static bool TryFindPosition(in PackedContainer container, int position, out CdtSpot spot)
    {
        spot = new CdtSpot { Start = container.First };
        CdtIndex.Seek(container, position, ref spot);
        spot.Start = PackedSkip.Skip(container.Bytes, spot.Start, (long)(position - spot.Position) * container.Width);
        spot.Position = position;
        if (spot.Start < 0)
        {
            return false;
        }

        spot.IsFound = position < container.Count;
        spot.ValueStart = !spot.IsFound || !container.IsMap ? spot.Start : PackedSkip.Skip(container.Bytes, spot.Start);
        spot.End = !spot.IsFound ? spot.Start : spot.ValueStart < 0 ? -1 : PackedSkip.Skip(container.Bytes, spot.ValueStart);
        return spot.End >= 0;
    }

    /// Where a value is put into an ordered list: behind those equal to it. IsFound: there are such. False: the list is broken.
    public static bool TryFindPlace(in PackedContainer list, ReadOnlySpan<byte> value, out CdtSpot spot)
    {
        var bytes = list.Bytes;
        var probe = new PackedProbe(value);
        spot = new CdtSpot { Start = list.First };
        CdtIndex.Seek(list, probe, ref spot);
        for (; spot.Position < list.Count; spot.Position++)
        {
            if (spot.Start >= bytes.Length)
            {
                return false;
            }

            var order = probe.Compare(bytes, spot.Start);
            if (order > 0)
            {
                break;
            }

            spot.IsFound |= order == 0;
            spot.Start = PackedSkip.Skip(bytes, spot.Start);
            if (spot.Start < 0)
            {
                return false;
            }
        }

        spot.ValueStart = spot.Start;
        spot.End = spot.Start;
        return true;
    }

    /// The first element of a list that equals the value; IsFound says whether there is one. False: the list is broken.
    public static bool TryFindEqual(in PackedContainer list, ReadOnlySpan<byte> value, out CdtSpot spot)
    {
        var bytes = list.Bytes;
        var probe = new PackedProbe(value);
        spot = new CdtSpot { Start = list.First };
        for (; spot.Position < list.Count; spot.Position++)
        {
            if (spot.Start >= bytes.Length)
            {
                return false;
            }

            var order = probe.Compare(bytes, spot.Start);
            spot.End = PackedSkip.Skip(bytes, spot.Start);
            if (spot.End < 0)
            {
                return false;
            }

            if (order == 0)
            {
                spot.IsFound = true;
                break;
            }

            spot.Start = spot.End;
        }

        spot.ValueStart = spot.Start;
        return true;
    }

    /// Index and rank as clients count: below zero from the end. -1: there is none.
    public static int Resolve(long index, int count)
    {
        index = index < 0 ? index + count : index;
        return index >= 0 && index < count ? (int)index : -1;
    }

    /// The part of a range that lies within `count` elements. A start below zero counts from the end; what of the range lies before
    /// the first element is lost.
    public static (int Start, int Count) Clip(long start, long length, int count) =>
        ClipFixed(start < 0 ? start + count : start, length, count);

    /// The same where a start below zero lies before the first element.
    public static (int Start, int Count) ClipFixed(long start, long length, int count)
    {
        if (start < 0)
        {
            length += start;
            start = 0;
        }

        return start >= count || length <= 0 ? (0, 0) : ((int)start, (int)Math.Min(length, count - start));
    }
}

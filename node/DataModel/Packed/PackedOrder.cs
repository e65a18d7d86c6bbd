namespace Aerie.DataModel.Packed;

/// The total order of packed values: first by kind, then inside the kind. Lists compare element by element, then by count; maps by
/// count, then pair by pair as stored, each key before its value. The mark that says how a container is ordered is no part of
/// its value. Broken bytes are less than everything, so that every comparison ends with an answer.
///
/// Nothing here recurses. Two values are walked side by side with one number: the elements that are still to be compared. Where two
/// lists differ in length, that decides once their common elements are equal; whatever surrounds them no longer matters.
public static class PackedOrder
{
    /// Below zero: `a` comes first. The first value of each span is compared; what lies behind it is not looked at.
    public static int Compare(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b)
    {
        var readerA = new PackedReader(a);
        var readerB = new PackedReader(b);
        var left = 1L;
        var verdict = 0;
        while (left-- > 0)
        {
            if (TryPassEqual(ref readerA, ref readerB))
            {
                continue;
            }

            var order = CompareNext(ref readerA, ref readerB, out var itemA, out var itemB);
            if (order != 0)
            {
                return order;
            }

            if (itemA.IsContainer && Enter(itemA.Kind, itemA.Count, itemB.Count, ref left, ref verdict) is var decided && decided != 0)
            {
                return decided;
            }
        }

        return verdict;
    }

    /// Compares as Compare does, but a wildcard in the pattern equals whatever stands in its place. As an element of a list it
    /// equals the rest of the list, however long.
    public static int CompareToPattern(ReadOnlySpan<byte> value, ReadOnlySpan<byte> pattern) =>
        HasWildcard(pattern) ? PackedPattern.Compare(value, pattern) : Compare(value, pattern);

    /// May say yes to a text that contains the bytes of a wildcard: that only costs time.
    public static bool HasWildcard(ReadOnlySpan<byte> pattern) => pattern.IndexOf(PackedWriter.WildcardBytes) >= 0;

    /// The order of two elements by themselves: of containers only the kind is compared.
    internal static int CompareItems(in PackedItem a, in PackedItem b)
    {
        if (a.Kind != b.Kind)
        {
            return ((byte)a.Kind).CompareTo((byte)b.Kind); // Enum.CompareTo would allocate
        }

        switch (a.Kind)
        {
            case PackedKind.Integer:
                return a.Bits.CompareTo(b.Bits);
            case PackedKind.Text or PackedKind.Bytes or PackedKind.GeoJson:
                return a.Raw.SequenceCompareTo(b.Raw);
            case PackedKind.Double:
                return TotalOrder(a.Bits).CompareTo(TotalOrder(b.Bits));
            case PackedKind.Extension:
                return a.Tag != b.Tag ? a.Tag.CompareTo(b.Tag) : a.Raw.SequenceCompareTo(b.Raw);
            default:
                return 0;
        }
    }

    /// IEEE 754 total order as the order of signed integers: for negative numbers, all bits but the sign are turned.
    internal static long TotalOrder(long bits) => bits ^ ((bits >> 63) & long.MaxValue);

    /// Reads the next element of both, with containers' marks left behind. Broken bytes on one side decide.
    internal static int CompareNext(ref PackedReader a, ref PackedReader b, out PackedItem itemA, out PackedItem itemB)
    {
        var hasA = TryReadUnmarked(ref a, out itemA);
        var hasB = TryReadUnmarked(ref b, out itemB);
        return hasA && hasB ? CompareItems(itemA, itemB) : hasA.CompareTo(hasB);
    }

    /// An element; of a container, the head and the mark if there is one, which no longer counts.
    internal static bool TryReadUnmarked(ref PackedReader reader, out PackedItem item)
    {
        if (!reader.TryRead(out item))
        {
            return false;
        }

        var behind = reader;
        if (item.Count > 0 && behind.TryRead(out var mark) && mark.Kind == PackedKind.Extension
            && (item.Kind == PackedKind.List || behind.TrySkip()))
        {
            item = new PackedItem { Kind = item.Kind, Count = item.Count - 1 };
            reader = behind;
        }

        return true;
    }

    // Long values that begin alike are the costly ones: where short elements have the same bytes, nothing more is read of them.
    private static bool TryPassEqual(ref PackedReader a, ref PackedReader b)
    {
        var restA = a.All[Math.Min(a.Offset, a.All.Length)..];
        var restB = b.All[Math.Min(b.Offset, b.All.Length)..];
        if (restA.IsEmpty || restB.IsEmpty || restA[0] != restB[0])
        {
            return false;
        }

        var length = PackedSkip.ShortLength(restA[0]);
        if (length == 0 || length > restA.Length || length > restB.Length || !restA[..length].SequenceEqual(restB[..length]))
        {
            return false;
        }

        a = new PackedReader(a.All, a.Offset + length);
        b = new PackedReader(b.All, b.Offset + length);
        return true;
    }

    // Returns the order where the heads decide it.
    private static int Enter(PackedKind kind, int countA, int countB, ref long left, ref int verdict)
    {
        var order = countA.CompareTo(countB);
        if (kind == PackedKind.Map)
        {
            left += 2L * countA;
            return order;
        }

        if (order == 0)
        {
            left += countA;
            return 0;
        }

        left = Math.Min(countA, countB);
        verdict = order;
        return left == 0 ? order : 0;
    }
}

using Aerie.DataModel.Packed;

namespace Aerie.DataModel.Cdt;

/// Sorts positions of elements by their packed values: a merge sort from the bottom up, because it keeps equal elements in order,
/// needs no recursion, and ends after n log n comparisons whatever bytes are compared.
internal static class CdtSort
{
    private const int RunLength = 8;

    public static void Sort(scoped CdtElements elements, Span<int> order, Span<int> spare, bool byValue)
    {
        if (IsSorted(elements, order, byValue))
        {
            return;
        }

        for (var start = 0; start < order.Length; start += RunLength)
        {
            InsertionSort(elements, order[start..Math.Min(start + RunLength, order.Length)], byValue);
        }

        for (long width = RunLength; width < order.Length; width *= 2)
        {
            for (long start = 0; start < order.Length; start += 2 * width)
            {
                var middle = (int)Math.Min(start + width, order.Length);
                var end = (int)Math.Min(start + 2 * width, order.Length);
                Merge(elements, order[(int)start..end], middle - (int)start, spare, byValue);
            }
        }
    }

    public static bool IsSorted(scoped CdtElements elements, ReadOnlySpan<int> order, bool byValue)
    {
        for (var i = 1; i < order.Length; i++)
        {
            if (Compare(elements, order[i - 1], order[i], byValue) > 0)
            {
                return false;
            }
        }

        return true;
    }

    private static void InsertionSort(scoped CdtElements elements, Span<int> order, bool byValue)
    {
        for (var i = 1; i < order.Length; i++)
        {
            var moved = order[i];
            var j = i;
            for (; j > 0 && Compare(elements, order[j - 1], moved, byValue) > 0; j--)
            {
                order[j] = order[j - 1];
            }

            order[j] = moved;
        }
    }

    private static void Merge(scoped CdtElements elements, Span<int> order, int middle, Span<int> spare, bool byValue)
    {
        if (middle >= order.Length || Compare(elements, order[middle - 1], order[middle], byValue) <= 0)
        {
            return;
        }

        var left = spare[..middle];
        order[..middle].CopyTo(left);
        var (i, j, to) = (0, middle, 0);
        while (i < left.Length && j < order.Length)
        {
            order[to++] = Compare(elements, left[i], order[j], byValue) <= 0 ? left[i++] : order[j++];
        }

        left[i..].CopyTo(order[to..]);
    }

    private static int Compare(scoped CdtElements elements, int a, int b, bool byValue) => byValue
        ? PackedOrder.Compare(elements.Value(a), elements.Value(b))
        : PackedOrder.Compare(elements.Key(a), elements.Key(b));
}

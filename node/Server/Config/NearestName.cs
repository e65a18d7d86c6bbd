namespace Aerie.Server.Config;

/// Finds what a mistyped name most likely meant.
internal static class NearestName
{
    /// Longer names than any of ours are not typing mistakes; the limit also bounds the work.
    private const int LengthMax = 64;

    /// Null when nothing is near: a wild guess would mislead more than it helps.
    public static string? Find(string name, IEnumerable<string> candidates)
    {
        if (name.Length is 0 or > LengthMax)
        {
            return null;
        }

        string? nearest = null;
        int best = Math.Max(2, name.Length / 3) + 1;
        foreach (string candidate in candidates)
        {
            if (Math.Abs(name.Length - candidate.Length) >= best)
            {
                continue; // each letter of difference is one mistake at least
            }

            int distance = Distance(name, candidate, best);
            if (distance < best && distance < candidate.Length)
            {
                best = distance;
                nearest = candidate;
            }
        }

        return nearest;
    }

    /// Levenshtein: letters put in, left out or exchanged. A '_' for a '-' is no mistake worth counting. Gives up, with the
    /// limit, as soon as no way can stay below it.
    private static int Distance(string left, string right, int limit)
    {
        Span<int> row = stackalloc int[LengthMax + 1];
        row = row[..(left.Length + 1)];
        for (int i = 0; i < row.Length; i++)
        {
            row[i] = i;
        }

        for (int j = 1; j <= right.Length; j++)
        {
            int diagonal = row[0];
            int least = row[0] = j;
            for (int i = 1; i < row.Length; i++)
            {
                int exchanged = diagonal + (Same(left[i - 1], right[j - 1]) ? 0 : 1);
                diagonal = row[i];
                row[i] = Math.Min(exchanged, Math.Min(row[i], row[i - 1]) + 1);
                least = Math.Min(least, row[i]);
            }

            if (least >= limit)
            {
                return limit;
            }
        }

        return row[^1];
    }

    private static bool Same(char left, char right) =>
        char.ToLowerInvariant(left) == char.ToLowerInvariant(right) || (left == '_' && right == '-');
}

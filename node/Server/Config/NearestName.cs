namespace Aerie.Server.Config;

/// Finds what a mistyped name most likely meant: the candidate at the least Levenshtein distance (letters put in, left out or
/// exchanged). A wrong file may ask for it a thousand times, against a hundred names each.
internal static class NearestName
{
    /// Longer names than any of ours are not typing mistakes; and a row of the distance matrix fits into the bits of one number.
    private const int LengthMax = 64;

    private const int AsciiCount = 128;

    /// How a message about a wrong name ends: `; did you mean 'port'?`, or nothing.
    public static string Hint(string name, IReadOnlyList<string> candidates) =>
        Find(name, candidates) is { } nearest ? $"; did you mean {Findings.Quote(nearest)}?" : "";

    /// Null when nothing is near: a wild guess would mislead more than it helps. Candidates are our own names, which are ASCII.
    public static string? Find(string name, IReadOnlyList<string> candidates)
    {
        if (name.Length is 0 or > LengthMax)
        {
            return null;
        }

        Span<ulong> placesOf = stackalloc ulong[AsciiCount];
        placesOf.Clear();
        for (int i = 0; i < name.Length; i++)
        {
            if (char.IsAscii(name[i]))
            {
                placesOf[Fold(name[i])] |= 1UL << i;
            }
        }

        string? nearest = null;
        int best = Math.Max(2, name.Length / 3) + 1;
        for (int i = 0; i < candidates.Count; i++)
        {
            string candidate = candidates[i];
            if (Math.Abs(name.Length - candidate.Length) >= best)
            {
                continue; // each letter of difference is one mistake at least
            }

            int distance = Distance(placesOf, name.Length, candidate);
            if (distance < best && distance < candidate.Length)
            {
                best = distance;
                nearest = candidate;
            }
        }

        return nearest;
    }

    /// Myers' bit-parallel form (as Hyyrö wrote it down): neighbours in the matrix differ by one at most, so that a whole row is two
    /// sets of places, those where it rises and those where it falls, and a letter of the candidate costs a dozen instructions.
    private static int Distance(ReadOnlySpan<ulong> placesOf, int length, string candidate)
    {
        ulong rises = ulong.MaxValue;
        ulong falls = 0;
        ulong last = 1UL << (length - 1);
        int distance = length;
        foreach (char letter in candidate)
        {
            ulong same = placesOf[Fold(letter)];
            ulong diagonal = (((same & rises) + rises) ^ rises) | same | falls;
            ulong up = falls | ~(diagonal | rises);
            ulong down = rises & diagonal;
            distance += ((up & last) != 0 ? 1 : 0) - ((down & last) != 0 ? 1 : 0);
            up = (up << 1) | 1;
            down <<= 1;
            rises = down | ~(diagonal | up);
            falls = up & diagonal;
        }

        return distance;
    }

    /// Upper case is no mistake worth counting, and neither is a '_' for a '-'.
    private static char Fold(char c) => c == '_' ? '-' : char.ToLowerInvariant(c);
}

namespace Aerie.DataModel.Packed;

/// Compares a value with a pattern that has wildcards. Other than between two values, the end of each list must be known here: a
/// wildcard passes over the rest of its list, and the comparison goes on behind it. So the levels are kept, at most
/// PackedReader.DepthMax of them; what is deeper is unequal.
internal static class PackedPattern
{
    private struct Level
    {
        /// Elements still to come on each side, a map's keys and values counted one by one.
        public long Value;
        public long Pattern;
        public bool IsMap;
    }

    /// Patterns are rarely deeper than this: more levels are only made room for when they are met.
    private const int FewLevels = 6;

    private const int TooDeep = int.MinValue;

    public static int Compare(ReadOnlySpan<byte> value, ReadOnlySpan<byte> pattern)
    {
        var order = Compare(value, pattern, stackalloc Level[FewLevels]);
        return order == TooDeep ? CompareDeep(value, pattern) : order;
    }

    private static int CompareDeep(ReadOnlySpan<byte> value, ReadOnlySpan<byte> pattern) =>
        Compare(value, pattern, stackalloc Level[PackedReader.DepthMax]);

    private static int Compare(ReadOnlySpan<byte> value, ReadOnlySpan<byte> pattern, scoped Span<Level> levels)
    {
        var values = new PackedReader(value);
        var patterns = new PackedReader(pattern);
        levels[0] = new Level { Value = 1, Pattern = 1, IsMap = true };
        var depth = 0;
        while (depth >= 0)
        {
            ref var level = ref levels[depth];
            if (level.Value == 0 && level.Pattern == 0)
            {
                depth--;
            }
            else if (level.Pattern > 0 && TryWildcard(ref patterns))
            {
                var passed = level.IsMap ? Math.Min(level.Value, 1) : level.Value;
                var skipped = level.IsMap ? 1 : level.Pattern;
                if (!TrySkip(ref values, passed) || !TrySkip(ref patterns, skipped - 1))
                {
                    return -1;
                }

                level.Value -= passed;
                level.Pattern -= skipped;
            }
            else if (level.Value == 0 || level.Pattern == 0)
            {
                return level.Value.CompareTo(level.Pattern);
            }
            else
            {
                level.Value--;
                level.Pattern--;
                var order = CompareElement(ref values, ref patterns, levels, ref depth);
                if (order != 0)
                {
                    return order;
                }
            }
        }

        return 0;
    }

    private static int CompareElement(ref PackedReader values, ref PackedReader patterns, scoped Span<Level> levels, scoped ref int depth)
    {
        var order = PackedOrder.CompareNext(ref values, ref patterns, out var value, out var pattern);
        if (order != 0 || !value.IsContainer)
        {
            return order;
        }

        var isMap = value.Kind == PackedKind.Map;
        if (isMap && value.Count != pattern.Count)
        {
            return value.Count.CompareTo(pattern.Count);
        }

        if (++depth == levels.Length)
        {
            return TooDeep;
        }

        var width = isMap ? 2L : 1L;
        levels[depth] = new Level { Value = width * value.Count, Pattern = width * pattern.Count, IsMap = isMap };
        return 0;
    }

    private static bool TryWildcard(ref PackedReader reader)
    {
        var behind = reader;
        if (!behind.TryRead(out var item) || item.Kind != PackedKind.Wildcard)
        {
            return false;
        }

        reader = behind;
        return true;
    }

    private static bool TrySkip(ref PackedReader reader, long values)
    {
        while (values-- > 0)
        {
            if (!reader.TrySkip())
            {
                return false;
            }
        }

        return true;
    }
}

namespace Aerie.DataModel.Expressions.Regex;

/// Sets in brackets: bytes, ranges, classes such as `[:alpha:]`, and the long forms of single bytes, `[.a.]` and `[=a=]`.
internal static class RegexSets
{
    /// Reads from behind the opening bracket to behind the closing one.
    public static bool TryRead(ReadOnlySpan<byte> pattern, ref int at, out RegexSet set, out bool isInverted)
    {
        set = default;
        isInverted = at < pattern.Length && pattern[at] == '^';
        at += isInverted ? 1 : 0;
        for (var isFirst = true; at < pattern.Length; isFirst = false)
        {
            if (pattern[at] == ']' && !isFirst)
            {
                at++;
                return true;
            }

            if (pattern[at..].StartsWith("[:"u8))
            {
                if (!TryClass(pattern, ref at, ref set))
                {
                    return false;
                }
            }
            else if (!TryRange(pattern, ref at, ref set))
            {
                return false;
            }
        }

        return false;
    }

    public static bool IsIn(ReadOnlySpan<byte> name, int value)
    {
        var c = (char)value;
        return value < 128 && name switch
        {
            _ when name.SequenceEqual("alpha"u8) => char.IsAsciiLetter(c),
            _ when name.SequenceEqual("digit"u8) => char.IsAsciiDigit(c),
            _ when name.SequenceEqual("alnum"u8) => char.IsAsciiLetterOrDigit(c),
            _ when name.SequenceEqual("upper"u8) => char.IsAsciiLetterUpper(c),
            _ when name.SequenceEqual("lower"u8) => char.IsAsciiLetterLower(c),
            _ when name.SequenceEqual("space"u8) => value is 32 or (>= 9 and <= 13),
            _ when name.SequenceEqual("blank"u8) => value is 32 or 9,
            _ when name.SequenceEqual("punct"u8) => value is > 32 and < 127 && !char.IsAsciiLetterOrDigit(c),
            _ when name.SequenceEqual("print"u8) => value is >= 32 and < 127,
            _ when name.SequenceEqual("graph"u8) => value is > 32 and < 127,
            _ when name.SequenceEqual("cntrl"u8) => value is < 32 or 127,
            _ when name.SequenceEqual("xdigit"u8) => char.IsAsciiHexDigit(c),
            _ => false,
        };
    }

    private static bool TryClass(ReadOnlySpan<byte> pattern, ref int at, ref RegexSet set)
    {
        var rest = pattern[(at + 2)..];
        var length = rest.IndexOf(":]"u8);
        if (length < 0)
        {
            return false;
        }

        var isKnown = false;
        for (var value = 0; value < 128; value++)
        {
            if (IsIn(rest[..length], value))
            {
                set.Add(value);
                isKnown = true;
            }
        }

        at += 2 + length + 2;
        return isKnown;
    }

    private static bool TryRange(ReadOnlySpan<byte> pattern, ref int at, ref RegexSet set)
    {
        if (!TryElement(pattern, ref at, out var first))
        {
            return false;
        }

        var last = first;
        if (at + 1 < pattern.Length && pattern[at] == '-' && pattern[at + 1] != ']')
        {
            at++;
            if (!TryElement(pattern, ref at, out last))
            {
                return false;
            }
        }

        for (int value = first; value <= last; value++)
        {
            set.Add(value);
        }

        return first <= last;
    }

    private static bool TryElement(ReadOnlySpan<byte> pattern, ref int at, out byte value)
    {
        value = 0;
        if (at >= pattern.Length)
        {
            return false;
        }

        value = pattern[at];
        var isLong = value == '[' && at + 1 < pattern.Length && pattern[at + 1] is (byte)'.' or (byte)'=';
        if (!isLong)
        {
            at++;
            return true;
        }

        var mark = pattern[at + 1];
        if (at + 4 >= pattern.Length || pattern[at + 3] != mark || pattern[at + 4] != ']')
        {
            return false;
        }

        value = pattern[at + 2];
        at += 5;
        return true;
    }
}

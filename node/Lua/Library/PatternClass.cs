namespace Aerie.Lua.Library;

/// The classes of Lua patterns: %a, %d and their like for ASCII, as the C locale has them; a capital letter is the opposite.
internal static class PatternClass
{
    public static bool Contains(byte name, byte c)
    {
        var isKnown = TryContains((byte)(name | 0x20), c, out var contains);
        return isKnown && char.IsAsciiLetter((char)name) ? contains != char.IsAsciiLetterUpper((char)name) : name == c;
    }

    private static bool TryContains(byte name, byte c, out bool contains)
    {
        var letter = (char)c;
        bool? isIn = (char)name switch
        {
            'a' => char.IsAsciiLetter(letter),
            'c' => c is < 0x20 or 0x7F,
            'd' => char.IsAsciiDigit(letter),
            'g' => c is > 0x20 and < 0x7F,
            'l' => char.IsAsciiLetterLower(letter),
            'p' => c is > 0x20 and < 0x7F && !char.IsAsciiLetterOrDigit(letter),
            's' => c is 0x20 or (>= 0x09 and <= 0x0D),
            'u' => char.IsAsciiLetterUpper(letter),
            'w' => char.IsAsciiLetterOrDigit(letter),
            'x' => char.IsAsciiHexDigit(letter),
            _ => null,
        };
        contains = isIn ?? false;
        return isIn.HasValue;
    }
}

using System.Globalization;

namespace Aerie.Server.Config;

/// Numbers as operators write them: `4G`, `30d`, `120`.
internal static class Quantity
{
    /// More digits than any 64-bit number has: the product with a suffix still fits into 128 bits.
    private const int DigitsMax = 20;

    /// Sizes and counts take K M G T P (each × 1024), times take s m h d: one letter never means two things for one parameter.
    public static bool TryParse(string text, ParameterUnit unit, out Int128 value)
    {
        value = 0;
        if (text.Length == 0)
        {
            return false;
        }

        Int128 factor = 1;
        ReadOnlySpan<char> digits = text;
        if (!char.IsAsciiDigit(text[^1]))
        {
            factor = unit == ParameterUnit.Seconds ? SecondsPer(text[^1]) : BytesPer(text[^1]);
            digits = digits[..^1];
        }

        if (factor == 0 || digits.TrimStart('-').Length > DigitsMax)
        {
            return false;
        }

        bool isNumber = Int128.TryParse(digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out Int128 number);
        value = number * factor;
        return isNumber;
    }

    public static string Describe(ParameterUnit unit) => unit switch
    {
        ParameterUnit.Bytes => "a size (a number, or one with K, M, G, T or P)",
        ParameterUnit.Seconds => "a time (a number of seconds, or one with s, m, h or d)",
        _ => "a whole number",
    };

    /// With the short form in brackets where that reads better than ten digits.
    public static string Print(Int128 value, ParameterUnit unit)
    {
        string plain = value.ToString(CultureInfo.InvariantCulture);
        return unit switch
        {
            ParameterUnit.Bytes when Short(value, "PTGMK", BytesPer) is { } text => $"{plain} ({text})",
            ParameterUnit.Seconds when Short(value, "d", SecondsPer) is { } text => $"{plain} ({text})",
            _ => plain,
        };
    }

    /// The size alone, in its shortest exact form.
    public static string PrintSize(long bytes) => Short(bytes, "PTGMK", BytesPer) ?? bytes.ToString(CultureInfo.InvariantCulture);

    private static string? Short(Int128 value, string suffixes, Func<char, Int128> factorOf)
    {
        foreach (char suffix in suffixes)
        {
            Int128 factor = factorOf(suffix);
            if (value >= factor && value % factor == 0)
            {
                return $"{(value / factor).ToString(CultureInfo.InvariantCulture)}{suffix}";
            }
        }

        return null;
    }

    private static Int128 BytesPer(char suffix) => char.ToUpperInvariant(suffix) switch
    {
        'K' => 1L << 10,
        'M' => 1L << 20,
        'G' => 1L << 30,
        'T' => 1L << 40,
        'P' => 1L << 50,
        _ => 0,
    };

    private static Int128 SecondsPer(char suffix) => char.ToLowerInvariant(suffix) switch
    {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => 0,
    };
}

using System.Globalization;

namespace Aerie.Soak;

/// Takes the texts of info answers apart: `a=1;b=2`, and records of that kind separated otherwise.
internal static class InfoText
{
    public static IReadOnlyDictionary<string, string> Pairs(string text, char separator = ';')
    {
        var pairs = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var part in text.Split(separator, StringSplitOptions.RemoveEmptyEntries))
        {
            var at = part.IndexOf('=', StringComparison.Ordinal);
            if (at > 0)
            {
                pairs[part[..at]] = part[(at + 1)..];
            }
        }

        return pairs;
    }

    public static long Number(IReadOnlyDictionary<string, string> pairs, string key) =>
        long.Parse(pairs[key], CultureInfo.InvariantCulture);

    /// Sum over all keys that end like this: one per event loop.
    public static long Sum(IReadOnlyDictionary<string, string> pairs, string ending) => pairs
        .Where(pair => pair.Key.EndsWith(ending, StringComparison.Ordinal))
        .Sum(pair => long.Parse(pair.Value, CultureInfo.InvariantCulture));
}

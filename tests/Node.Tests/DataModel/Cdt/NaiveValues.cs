using Aerie.DataModel.Packed;

namespace Aerie.Node.Tests.DataModel.Cdt;

/// A list as anybody would have it. Flags are those of the wire.
internal sealed record NaiveList(List<object?> Items, int Flags);

internal sealed record NaiveMap(List<(object? Key, object? Value)> Pairs, int Flags);

internal sealed record NaiveWildcard;

internal sealed record NaiveInfinity;

/// Values as objects, their order written down once more from its definition, with recursion and copies.
internal static class NaiveValues
{
    public static object? Read(byte[] packed)
    {
        var reader = new PackedReader(packed);
        return Read(ref reader);
    }

    public static int Compare(object? a, object? b)
    {
        var kinds = KindOf(a).CompareTo(KindOf(b));
        if (kinds != 0)
        {
            return kinds;
        }

        switch (a)
        {
            case long integer:
                return integer.CompareTo((long)b!);
            case double real:
                return real.CompareTo((double)b!);
            case string text:
                return string.CompareOrdinal(text, (string)b!);
            case NaiveList list:
                var other = (NaiveList)b!;
                var different = list.Items.Zip(other.Items).Select(pair => Compare(pair.First, pair.Second))
                    .FirstOrDefault(order => order != 0);
                return different != 0 ? different : list.Items.Count.CompareTo(other.Items.Count);
            case NaiveMap map:
                var theirs = (NaiveMap)b!;
                return map.Pairs.Count != theirs.Pairs.Count ? map.Pairs.Count.CompareTo(theirs.Pairs.Count)
                    : map.Pairs.Zip(theirs.Pairs).SelectMany(pair => new[]
                    {
                        Compare(pair.First.Key, pair.Second.Key), Compare(pair.First.Value, pair.Second.Value),
                    }).FirstOrDefault(order => order != 0);
            default:
                return 0;
        }
    }

    /// The order of a value against a pattern in which a wildcard stands for anything.
    public static int Match(object? value, object? pattern)
    {
        if (pattern is NaiveWildcard)
        {
            return 0;
        }

        if (value is not NaiveList list || pattern is not NaiveList wanted)
        {
            return Compare(value, pattern);
        }

        for (var i = 0; i < wanted.Items.Count; i++)
        {
            if (wanted.Items[i] is NaiveWildcard)
            {
                return 0;
            }

            var order = i < list.Items.Count ? Match(list.Items[i], wanted.Items[i]) : -1;
            if (order != 0)
            {
                return order;
            }
        }

        return list.Items.Count.CompareTo(wanted.Items.Count);
    }

    public static string Show(object? value) => value switch
    {
        null => "null",
        bool truth => truth ? "true" : "false",
        string text => $"\"{text}\"",
        double real => real.ToString("0.0###############", System.Globalization.CultureInfo.InvariantCulture),
        NaiveList list => (list.Flags == 0 ? "" : list.Flags == 1 ? "o" : $"m{list.Flags}")
            + $"[{string.Join(", ", list.Items.Select(Show))}]",
        NaiveMap map => (map.Flags switch { 0 => "", 1 => "k", 3 => "kv", _ => $"m{map.Flags}" })
            + $"{{{string.Join(", ", map.Pairs.Select(pair => $"{Show(pair.Key)}: {Show(pair.Value)}"))}}}",
        NaiveInfinity => "inf",
        NaiveWildcard => "*",
        _ => $"{value}",
    };

    private static int KindOf(object? value) => value switch
    {
        null => 0,
        false => 1,
        true => 2,
        long => 3,
        string => 4,
        NaiveList => 5,
        NaiveMap => 6,
        double => 8,
        NaiveWildcard => 11,
        _ => 12,
    };

    private static object? Read(ref PackedReader reader)
    {
        if (!reader.TryRead(out var item))
        {
            throw new FormatException("broken");
        }

        switch (item.Kind)
        {
            case PackedKind.Nil:
                return null;
            case PackedKind.False or PackedKind.True:
                return item.Kind == PackedKind.True;
            case PackedKind.Integer:
                return item.Bits;
            case PackedKind.Double:
                return item.Double;
            case PackedKind.Text:
                return System.Text.Encoding.UTF8.GetString(item.Bytes);
            case PackedKind.Wildcard:
                return new NaiveWildcard();
            case PackedKind.Infinity:
                return new NaiveInfinity();
        }

        var (count, flags) = (item.Count, 0);
        var behind = reader;
        if (count > 0 && behind.TryRead(out var mark) && mark.Kind == PackedKind.Extension)
        {
            reader = behind;
            (count, flags) = (count - 1, mark.Tag);
            if (item.Kind == PackedKind.Map)
            {
                reader.TrySkip();
            }
        }

        if (item.Kind == PackedKind.List)
        {
            var items = new List<object?>();
            for (; count > 0; count--)
            {
                items.Add(Read(ref reader));
            }

            return new NaiveList(items, flags);
        }

        var pairs = new List<(object?, object?)>();
        for (; count > 0; count--)
        {
            pairs.Add((Read(ref reader), Read(ref reader)));
        }

        return new NaiveMap(pairs, flags);
    }
}

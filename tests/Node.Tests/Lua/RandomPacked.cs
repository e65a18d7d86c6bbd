using Aerie.TestKit;

namespace Aerie.Node.Tests.Lua;

/// Argument lists, most of them good, some broken.
internal static class RandomPacked
{
    public static byte[] Bytes(Random random)
    {
        var packed = UdfValues.Packed(UdfValues.List(Value(random, 0)));
        for (var broken = random.Next(4) == 0 ? random.Next(1, 4) : 0; broken > 0; broken--)
        {
            packed[random.Next(packed.Length)] = (byte)random.Next(256);
        }

        return random.Next(10) == 0 ? packed[..random.Next(packed.Length)] : packed;
    }

    private static object? Value(Random random, int depth) => random.Next(depth > 4 ? 7 : 10) switch
    {
        0 => null,
        1 => random.Next(2) == 0,
        2 => random.NextInt64() >> random.Next(64),
        3 => random.NextDouble(),
        4 => new string('s', random.Next(40)),
        5 => new byte[random.Next(70)],
        6 => new UdfValues.Geo("{}"),
        7 => Map(random, depth),
        _ => Enumerable.Range(0, random.Next(12)).Select(_ => Value(random, depth + 1)).ToList(),
    };

    private static Dictionary<object, object?> Map(Random random, int depth)
    {
        var map = new Dictionary<object, object?>();
        for (var count = random.Next(14); count > 0; count--)
        {
            object key = random.Next(3) == 0 ? random.NextInt64(100) : $"k{random.Next(100)}";
            map[key] = Value(random, depth + 1);
        }

        return map;
    }
}

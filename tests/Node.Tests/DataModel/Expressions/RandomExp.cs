using Aerie.DataModel.Expressions;

namespace Aerie.Node.Tests.DataModel.Expressions;

/// Sound trees of every type, over a few bins and variables.
internal sealed class RandomExp(Random random)
{
    public static readonly ExpType[] Types = [ExpType.Bool, ExpType.Integer, ExpType.Float, ExpType.String, ExpType.List, ExpType.Map];

    private static readonly ExpCode[] OfNumbers =
        [ExpCode.Add, ExpCode.Subtract, ExpCode.Multiply, ExpCode.Divide, ExpCode.Minimum, ExpCode.Maximum];

    private static readonly ExpCode[] OfTwoIntegers =
        [ExpCode.Modulo, ExpCode.BitAnd, ExpCode.BitOr, ExpCode.BitXor, ExpCode.ShiftLeft, ExpCode.ShiftRight, ExpCode.ShiftRightSigned];

    private static readonly string[] Patterns = ["^a", "b$", "(a|b)+c", "[^a]b*", "a.c", "x{2}", ""];

    private readonly List<(string Name, ExpType Type)> _variables = [];

    public Dictionary<string, object?> Bins()
    {
        var bins = new Dictionary<string, object?>();
        foreach (var type in Types)
        {
            bins[$"{type}0"] = Literal(type);
            bins[$"{type}1"] = Literal(random.Next(4) == 0 ? Types[random.Next(Types.Length)] : type); // often, not always, of the type
        }

        return bins;
    }

    public object? Of(ExpType type, int depth)
    {
        if (depth <= 0 || random.Next(8) == 0)
        {
            return Leaf(type);
        }

        return random.Next(8) switch
        {
            0 => Condition(type, depth),
            1 => Let(type, depth),
            _ => type switch
            {
                ExpType.Bool => Bool(depth),
                ExpType.Integer => Integer(depth),
                ExpType.Float => Float(depth),
                ExpType.List => List(depth),
                _ => Leaf(type),
            },
        };
    }

    private object? Leaf(ExpType type)
    {
        var seen = _variables.Where(variable => variable.Type == type).ToArray();
        return random.Next(8) switch
        {
            0 => Exp.Unknown,
            1 or 2 when seen.Length > 0 => Exp.Var(seen[random.Next(seen.Length)].Name),
            3 or 4 or 5 => Exp.Bin(type, $"{type}{random.Next(3)}"), // the third one is never there
            _ => Packable(Literal(type)),
        };
    }

    private static object? Packable(object? literal) => literal is object?[] items ? Exp.Op(ExpCode.Quote, items) : literal;

    private object Literal(ExpType type) => type switch
    {
        ExpType.Bool => random.Next(2) == 0,
        ExpType.Integer => random.Next(5) switch
        {
            0 => long.MinValue,
            1 => long.MaxValue,
            2 => random.NextInt64(),
            _ => (long)random.Next(-5, 6),
        },
        ExpType.Float => random.Next(6) switch
        {
            0 => double.NaN,
            1 => double.NegativeInfinity,
            2 => random.NextDouble() * 1e18,
            _ => random.Next(-10, 10) / 2.0,
        },
        ExpType.String => new string([.. Enumerable.Range(0, random.Next(4)).Select(_ => (char)('a' + random.Next(3)))]),
        ExpType.Map => new Exp.Pairs([.. Enumerable.Range(0, random.Next(4)).Select(i => ((object)(long)i, Element()))]),
        _ => Enumerable.Range(0, random.Next(4)).Select(_ => Element()).ToArray(),
    };

    private object? Element() => random.Next(6) switch
    {
        0 => null,
        1 => Literal(ExpType.String),
        2 => Literal(ExpType.Bool),
        3 => new object?[] { (long)random.Next(2) },
        _ => (long)random.Next(-2, 3),
    };

    private object[] Bool(int depth)
    {
        switch (random.Next(6))
        {
            case 0:
                var logic = new[] { ExpCode.And, ExpCode.Or, ExpCode.Exclusive }[random.Next(3)];
                return Exp.Many(logic, Several(ExpType.Bool, depth));
            case 1:
                return Exp.Op(ExpCode.Not, Of(ExpType.Bool, depth - 1));
            case 2:
                return Exp.Op(ExpCode.InList, Of(Types[random.Next(4)], depth - 1), Of(ExpType.List, depth - 1));
            case 3:
                return Exp.Regex(Patterns[random.Next(Patterns.Length)], Of(ExpType.String, depth - 1)!);
            default:
                var type = Types[random.Next(Types.Length)];
                return Exp.Op((ExpCode)random.Next((int)ExpCode.Equal, (int)ExpCode.LessOrEqual + 1), Of(type, depth - 1),
                    Of(type, depth - 1));
        }
    }

    private object[] Integer(int depth)
    {
        object? Next() => Of(ExpType.Integer, depth - 1);
        return random.Next(9) switch
        {
            0 => Exp.Op(new[] { ExpCode.Absolute, ExpCode.BitNot, ExpCode.BitCount }[random.Next(3)], Next()),
            1 => Exp.Op(OfTwoIntegers[random.Next(OfTwoIntegers.Length)], Next(), Next()),
            2 => Exp.Op(random.Next(2) == 0 ? ExpCode.ScanLeft : ExpCode.ScanRight, Next(), Of(ExpType.Bool, depth - 1)),
            3 => Exp.Op(ExpCode.ToInteger, Of(ExpType.Float, depth - 1)),
            4 => Exp.BinType($"{Types[random.Next(Types.Length)]}{random.Next(3)}"),
            5 => Exp.Call(ExpType.Integer, 0, [16L], Of(ExpType.List, depth - 1)),
            6 => Exp.Call(ExpType.Integer, 0, [19L, 7, Next()], Of(ExpType.List, depth - 1)),
            7 => Exp.Call(ExpType.Integer, 0, [22L, 5, Of(Types[random.Next(4)], depth - 1)], Of(ExpType.List, depth - 1)),
            _ => Exp.Many(OfNumbers[random.Next(OfNumbers.Length)], Several(ExpType.Integer, depth)),
        };
    }

    private object[] Float(int depth)
    {
        object? Next() => Of(ExpType.Float, depth - 1);
        return random.Next(5) switch
        {
            0 => Exp.Op(new[] { ExpCode.Absolute, ExpCode.Floor, ExpCode.Ceiling }[random.Next(3)], Next()),
            1 => Exp.Op(ExpCode.ToFloat, Of(ExpType.Integer, depth - 1)),
            2 => Exp.Op(random.Next(2) == 0 ? ExpCode.Power : ExpCode.Log, Next(), Next()),
            _ => Exp.Many(OfNumbers[random.Next(OfNumbers.Length)], Several(ExpType.Float, depth)),
        };
    }

    private object[] List(int depth) => random.Next(3) switch
    {
        0 => Exp.Op(ExpCode.MapKeys, Of(ExpType.Map, depth - 1)),
        1 => Exp.Op(ExpCode.MapValues, Of(ExpType.Map, depth - 1)),
        _ => Exp.Call(ExpType.List, 0x40, [1L, Of(Types[random.Next(Types.Length)], depth - 1)], Of(ExpType.List, depth - 1)),
    };

    private object[] Condition(ExpType type, int depth) => random.Next(2) == 0
        ? Exp.Op(ExpCode.Condition, Of(ExpType.Bool, depth - 1), Of(type, depth - 1), Of(type, depth - 1))
        : Exp.Op(ExpCode.Condition,
            Of(ExpType.Bool, depth - 1), Of(type, depth - 1), Of(ExpType.Bool, depth - 1), Of(type, depth - 1), Of(type, depth - 1));

    private object[] Let(ExpType type, int depth)
    {
        var (name, variable) = ($"v{random.Next(3)}", Types[random.Next(Types.Length)]);
        var value = Of(variable, depth - 1);
        var hidden = _variables.FindAll(seen => seen.Name == name);
        _variables.RemoveAll(seen => seen.Name == name);
        _variables.Add((name, variable));
        var body = Of(type, depth - 1);
        _variables.RemoveAt(_variables.Count - 1);
        _variables.AddRange(hidden);
        return Exp.Let(name, value, body);
    }

    private IEnumerable<object?> Several(ExpType type, int depth) =>
        [.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => Of(type, depth - 1))];
}

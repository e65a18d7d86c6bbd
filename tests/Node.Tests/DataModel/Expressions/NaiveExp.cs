using System.Numerics;

using System.Text.RegularExpressions;
using Aerie.DataModel.Expressions;

namespace Aerie.Node.Tests.DataModel.Expressions;

/// Evaluates the trees that Exp packs by walking them, on ordinary objects: null is nil, UnknownValue is unknown, an array is a list.
/// As simple as can be: no types are checked, because the trees that are made are sound.
internal sealed class NaiveExp(IReadOnlyDictionary<string, object?> bins)
{
    public static readonly object UnknownValue = new();

    private readonly Dictionary<string, Stack<object?>> _variables = [];

    /// The element that a path's conditions look at.
    public (object? Key, object? Value, long Index) Loop { get; set; }

    public object? Evaluate(object? tree)
    {
        if (tree is not object?[] list)
        {
            return tree;
        }

        var code = (ExpCode)(long)list[0]!;
        switch (code)
        {
            case ExpCode.Unknown:
                return UnknownValue;
            case ExpCode.Quote:
                return list[1];
            case ExpCode.Bin:
                return bins.TryGetValue(((Exp.Name)list[2]!).Text, out var bin)
                    && TypeOf(bin) == (ExpType)(long)list[1]! ? bin : UnknownValue;
            case ExpCode.BinType:
                return bins.TryGetValue(((Exp.Name)list[1]!).Text, out var typed) ? (long)ExpTypes.Particle(TypeOf(typed)) : 0L;
            case ExpCode.And or ExpCode.Or or ExpCode.Exclusive or ExpCode.Not:
                return Logic(code, [.. list.Skip(1).Select(Evaluate)]);
            case ExpCode.Condition:
                return Condition(list);
            case ExpCode.Let:
                return Let(list);
            case ExpCode.Variable:
                return _variables[((Exp.Name)list[1]!).Text].Peek();
            case ExpCode.LoopVariable:
                var part = new[] { Loop.Key, Loop.Value, Loop.Index }[(int)(long)list[2]!];
                return TypeOf(part) == (ExpType)(long)list[1]! ? part : UnknownValue;
            case ExpCode.Regex:
                var text = Evaluate(list[3]);
                return text == UnknownValue ? text
                    : System.Text.RegularExpressions.Regex.IsMatch((string)text!, ((Exp.Name)list[2]!).Text, RegexOptions.None);
            case ExpCode.Call:
                return Call((object?[])list[3]!, Evaluate(list[4]));
            default:
                var values = list.Skip(1).Select(Evaluate).ToArray();
                return values.Contains(UnknownValue) ? UnknownValue : Plain(code, values);
        }
    }

    public static ExpType TypeOf(object? value) => value switch
    {
        null => ExpType.Nil,
        bool => ExpType.Bool,
        long or int => ExpType.Integer,
        double => ExpType.Float,
        string => ExpType.String,
        byte[] => ExpType.Blob,
        Exp.Pairs => ExpType.Map,
        _ => ExpType.List,
    };

    /// The order of values, written down once more.
    public static int Order(object? a, object? b)
    {
        if (Rank(a) != Rank(b))
        {
            return Rank(a).CompareTo(Rank(b));
        }

        switch (a)
        {
            case long number:
                return number.CompareTo((long)b!);
            case double number:
                return TotalRank(number).CompareTo(TotalRank((double)b!));
            case string text:
                return string.CompareOrdinal(text, (string)b!);
            case object?[] list:
                var other = (object?[])b!;
                return list.Zip(other, Order).FirstOrDefault(order => order != 0, list.Length.CompareTo(other.Length));
            case Exp.Pairs map:
                return OrderOfMaps(map.Items, ((Exp.Pairs)b!).Items);
            default:
                return 0;
        }
    }

    // IEEE 754: negative before positive, also of zeros and of what is not a number; in between by magnitude.
    private static BigInteger TotalRank(double number)
    {
        BigInteger magnitude = BitConverter.DoubleToInt64Bits(number) & long.MaxValue;
        return double.IsNegative(number) ? -1 - magnitude : magnitude;
    }

    private static int OrderOfMaps((object Key, object? Value)[] a, (object Key, object? Value)[] b) => a.Length != b.Length
        ? a.Length.CompareTo(b.Length)
        : a.Zip(b).SelectMany(pair => new[] { Order(pair.First.Key, pair.Second.Key), Order(pair.First.Value, pair.Second.Value) })
            .FirstOrDefault(order => order != 0);

    private static int Rank(object? value) => value switch
    {
        null => 0,
        false => 1,
        true => 2,
        long => 3,
        string => 4,
        object?[] => 5,
        Exp.Pairs => 6,
        _ => 8,
    };

    private static object Logic(ExpCode code, object?[] values)
    {
        var isOpen = values.Contains(UnknownValue);
        switch (code)
        {
            case ExpCode.And:
                return values.Contains(false) ? false : isOpen ? UnknownValue : true;
            case ExpCode.Or:
                return values.Contains(true) ? true : isOpen ? UnknownValue : false;
            case ExpCode.Exclusive:
                var count = values.Count(value => value is true);
                return count > 1 ? false : isOpen ? UnknownValue : count == 1;
            default:
                return isOpen ? UnknownValue : !(bool)values[0]!;
        }
    }

    private object? Condition(object?[] list)
    {
        for (var i = 1; i < list.Length - 1; i += 2)
        {
            var test = Evaluate(list[i]);
            if (test is not false)
            {
                return test is true ? Evaluate(list[i + 1]) : UnknownValue;
            }
        }

        return Evaluate(list[^1]);
    }

    private object? Let(object?[] list)
    {
        var names = new List<string>();
        for (var i = 1; i < list.Length - 1; i += 2)
        {
            var value = Evaluate(list[i + 1]);
            names.Add(((Exp.Name)list[i]!).Text);
            _variables.TryAdd(names[^1], []);
            _variables[names[^1]].Push(value);
        }

        var result = Evaluate(list[^1]);
        names.ForEach(name => _variables[name].Pop());
        return result;
    }

    /// size 16, by_index 19 and all_by_value 22 of lists, append 1 to them.
    private object? Call(object?[] operation, object? target)
    {
        var arguments = operation.Skip(1).Select(Evaluate).ToArray();
        if (target == UnknownValue || arguments.Contains(UnknownValue))
        {
            return UnknownValue;
        }

        var list = (object?[])target!;
        switch ((long)operation[0]!)
        {
            case 16:
                return (long)list.Length;
            case 22:
                return (long)list.Count(element => Order(element, arguments[1]) == 0);
            case 1:
                return (object?[])[.. list, arguments[0]];
            default:
                var index = (long)arguments[1]!;
                index += index < 0 ? list.Length : 0;
                return index >= 0 && index < list.Length && list[index] is long element ? element : UnknownValue;
        }
    }

    private static object? Plain(ExpCode code, object?[] values)
    {
        switch (code)
        {
            case >= ExpCode.Equal and <= ExpCode.LessOrEqual:
                return Compare(code, values[0], values[1]);
            case ExpCode.InList:
                return ((object?[])values[1]!).Any(element => Order(element, values[0]) == 0);
            case ExpCode.MapKeys:
                return ((Exp.Pairs)values[0]!).Items.Select(item => (object?)item.Key).ToArray();
            case ExpCode.MapValues:
                return ((Exp.Pairs)values[0]!).Items.Select(item => item.Value).ToArray();
            default:
                return values[0] is long
                    ? Integers(code, [.. values.Select(value => value is bool sought ? (sought ? 1L : 0L) : (long)value!)])
                    : Floats(code, [.. values.Select(value => (double)value!)]);
        }
    }

    private static bool Compare(ExpCode code, object? a, object? b)
    {
        if (a is double x && b is double y && (double.IsNaN(x) || double.IsNaN(y)))
        {
            return code == ExpCode.NotEqual;
        }

        var order = a is double left ? left.CompareTo((double)b!) : Order(a, b);
        return code switch
        {
            ExpCode.Equal => order == 0,
            ExpCode.NotEqual => order != 0,
            ExpCode.Greater => order > 0,
            ExpCode.GreaterOrEqual => order >= 0,
            ExpCode.Less => order < 0,
            _ => order <= 0,
        };
    }

    // On integers without bounds, cut to 64 bits at the end of each step.
    private static object Integers(ExpCode code, long[] values)
    {
        if (values.Length == 1)
        {
            return code switch
            {
                ExpCode.Subtract => Cut(-(BigInteger)values[0]),
                ExpCode.Divide => values[0] == 0 ? UnknownValue : Cut(1 / (BigInteger)values[0]),
                ExpCode.Absolute => Cut(BigInteger.Abs(values[0])),
                ExpCode.BitNot => -1 - values[0],
                ExpCode.BitCount => (long)Bits(values[0]).Count(bit => bit == '1'),
                ExpCode.ToFloat => (double)values[0],
                _ => values[0],
            };
        }

        BigInteger total = values[0];
        foreach (var value in values.Skip(1))
        {
            if (code is ExpCode.Divide or ExpCode.Modulo && value == 0)
            {
                return UnknownValue;
            }

            total = Cut(Two(code, (long)total, value));
        }

        return (long)total;
    }

    private static BigInteger Two(ExpCode code, long a, long b) => code switch
    {
        ExpCode.Add => (BigInteger)a + b,
        ExpCode.Subtract => (BigInteger)a - b,
        ExpCode.Multiply => (BigInteger)a * b,
        ExpCode.Divide => BigInteger.Divide(a, b),
        ExpCode.Modulo => BigInteger.Remainder(a, b),
        ExpCode.BitAnd => (BigInteger)a & b,
        ExpCode.BitOr => (BigInteger)a | b,
        ExpCode.BitXor => (BigInteger)a ^ b,
        ExpCode.ShiftLeft => b is < 0 or > 63 ? 0 : (BigInteger)a << (int)b,
        ExpCode.ShiftRight => b is < 0 or > 63 ? 0 : (BigInteger)(ulong)a >> (int)b,
        ExpCode.ShiftRightSigned => (BigInteger)a >> (b is < 0 or > 63 ? 64 : (int)b),
        ExpCode.ScanLeft => Bits(a).IndexOf(b == 1 ? '1' : '0'),
        ExpCode.ScanRight => Bits(a).LastIndexOf(b == 1 ? '1' : '0'),
        ExpCode.Minimum => a < b ? a : b,
        _ => a > b ? a : b,
    };

    private static string Bits(long value) => Convert.ToString(value, 2).PadLeft(64, '0');

    private static long Cut(BigInteger value) => (long)(ulong)(value & ulong.MaxValue);

    private static object Floats(ExpCode code, double[] values) => code switch
    {
        ExpCode.ToInteger => values[0] >= -Math.Pow(2, 63) && values[0] < Math.Pow(2, 63) ? (long)values[0] : UnknownValue,
        ExpCode.Floor => Math.Floor(values[0]),
        ExpCode.Ceiling => Math.Ceiling(values[0]),
        ExpCode.Absolute => Math.Abs(values[0]),
        ExpCode.Power => Math.Pow(values[0], values[1]),
        ExpCode.Log => Math.Log(values[0]) / Math.Log(values[1]),
        ExpCode.Subtract when values.Length == 1 => -values[0],
        ExpCode.Divide when values.Length == 1 => 1 / values[0],
        _ => values.Aggregate((a, b) => code switch
        {
            ExpCode.Add => a + b,
            ExpCode.Subtract => a - b,
            ExpCode.Multiply => a * b,
            ExpCode.Divide => a / b,
            ExpCode.Minimum => Math.Min(a, b),
            _ => Math.Max(a, b),
        }),
    };
}

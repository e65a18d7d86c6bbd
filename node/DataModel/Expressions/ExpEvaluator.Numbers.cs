using System.Numerics;

namespace Aerie.DataModel.Expressions;

/// Arithmetic. Integers wrap, as those of bins do when they are added to; what has no result (division by zero, a float that
/// no integer equals) is unknown. Floats follow IEEE 754.
internal ref partial struct ExpEvaluator<TRecord>
{
    private bool Calculate(int at, out ExpValue value)
    {
        value = default;
        if (!Evaluate(at + 1, out var first))
        {
            return false;
        }

        ref readonly var node = ref _nodes[at];
        var child = _nodes[at + 1].End;
        if (child == node.End)
        {
            return ExpMath.TryOne(node.Code, first, out value);
        }

        while (child < node.End)
        {
            if (!Evaluate(child, out var next) || !ExpMath.TryTwo(node.Code, first, next, out first))
            {
                return false;
            }

            child = _nodes[child].End;
        }

        value = first;
        return true;
    }
}

internal static class ExpMath
{
    /// With one argument `sub` changes the sign and `div` is the reciprocal; `add`, `mul`, `min` and the rest give it back.
    public static bool TryOne(ExpCode code, ExpValue a, out ExpValue value)
    {
        value = a;
        return a.Type switch
        {
            ExpType.Integer => TryOne(code, a.Bits, out value),
            ExpType.Float => TryOne(code, a.Double, out value),
            _ => false,
        };
    }

    public static bool TryTwo(ExpCode code, ExpValue a, ExpValue b, out ExpValue value)
    {
        value = default;
        switch (a.Type)
        {
            case ExpType.Integer when b.Type == ExpType.Integer:
                return TryTwo(code, a.Bits, b.Bits, out value);
            case ExpType.Float when b.Type == ExpType.Float:
                value = ExpValue.Of(Two(code, a.Double, b.Double));
                return true;
            case ExpType.Integer when b.Type == ExpType.Bool:
                value = ExpValue.Of(code == ExpCode.ScanLeft ? ScanLeft(a.Bits, b.IsTrue) : ScanRight(a.Bits, b.IsTrue));
                return true;
            default:
                return false;
        }
    }

    private static bool TryOne(ExpCode code, long a, out ExpValue value)
    {
        value = code switch
        {
            ExpCode.Subtract => ExpValue.Of(unchecked(-a)),
            ExpCode.Absolute => ExpValue.Of(a < 0 ? unchecked(-a) : a),
            ExpCode.BitNot => ExpValue.Of(~a),
            ExpCode.BitCount => ExpValue.Of((long)BitOperations.PopCount((ulong)a)),
            ExpCode.ToFloat => ExpValue.Of((double)a),
            ExpCode.Divide when a != 0 => ExpValue.Of(1 / a),
            _ => ExpValue.Of(a),
        };
        return code != ExpCode.Divide || a != 0;
    }

    private static bool TryOne(ExpCode code, double a, out ExpValue value)
    {
        const double integerMin = long.MinValue;
        value = code switch
        {
            ExpCode.Subtract => ExpValue.Of(-a),
            ExpCode.Divide => ExpValue.Of(1 / a),
            ExpCode.Absolute => ExpValue.Of(Math.Abs(a)),
            ExpCode.Floor => ExpValue.Of(Math.Floor(a)),
            ExpCode.Ceiling => ExpValue.Of(Math.Ceiling(a)),
            ExpCode.ToInteger => ExpValue.Of((long)a),
            _ => ExpValue.Of(a),
        };
        return code != ExpCode.ToInteger || (a >= integerMin && a < -integerMin);
    }

    private static bool TryTwo(ExpCode code, long a, long b, out ExpValue value)
    {
        var isDivision = code is ExpCode.Divide or ExpCode.Modulo;
        value = default;
        if (isDivision && b == 0)
        {
            return false;
        }

        value = ExpValue.Of(code switch
        {
            ExpCode.Add => unchecked(a + b),
            ExpCode.Subtract => unchecked(a - b),
            ExpCode.Multiply => unchecked(a * b),
            ExpCode.Divide => b == -1 ? unchecked(-a) : a / b, // the least integer has no opposite: the processor would fault
            ExpCode.Modulo => b == -1 ? 0 : a % b,
            ExpCode.BitAnd => a & b,
            ExpCode.BitOr => a | b,
            ExpCode.BitXor => a ^ b,
            ExpCode.ShiftLeft => IsShift(b) ? a << (int)b : 0,
            ExpCode.ShiftRight => IsShift(b) ? a >>> (int)b : 0,
            ExpCode.ShiftRightSigned => a >> (IsShift(b) ? (int)b : 63),
            ExpCode.Minimum => Math.Min(a, b),
            _ => Math.Max(a, b),
        });
        return true;
    }

    private static double Two(ExpCode code, double a, double b) => code switch
    {
        ExpCode.Add => a + b,
        ExpCode.Subtract => a - b,
        ExpCode.Multiply => a * b,
        ExpCode.Divide => a / b,
        ExpCode.Power => Math.Pow(a, b),
        ExpCode.Log => Math.Log(a) / Math.Log(b),
        ExpCode.Minimum => Math.Min(a, b),
        _ => Math.Max(a, b),
    };

    /// Beyond the width of an integer nothing but the sign is left.
    private static bool IsShift(long count) => count is >= 0 and < 64;

    /// Bits are counted from the most significant one; -1: there is none.
    private static long ScanLeft(long a, bool sought)
    {
        var bits = (ulong)(sought ? a : ~a);
        return bits == 0 ? -1 : BitOperations.LeadingZeroCount(bits);
    }

    private static long ScanRight(long a, bool sought)
    {
        var bits = (ulong)(sought ? a : ~a);
        return bits == 0 ? -1 : 63 - BitOperations.TrailingZeroCount(bits);
    }
}

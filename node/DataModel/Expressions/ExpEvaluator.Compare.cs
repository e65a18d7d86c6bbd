using Aerie.DataModel.Geo;
using Aerie.DataModel.Packed;

namespace Aerie.DataModel.Expressions;

/// Comparisons: of two values, with a pattern, of places, with the elements of a list.
internal ref partial struct ExpEvaluator<TRecord>
{
    private Trilean Compare(int at)
    {
        ref readonly var node = ref _nodes[at];
        var right = _nodes[at + 1].End;
        if (!Evaluate(at + 1, out var a))
        {
            return Trilean.Unknown;
        }

        if (a.Type == ExpType.Integer && _nodes[right] is { Code: ExpCode.Literal, Type: ExpType.Integer } literal)
        {
            return Holds(node.Code, a.Bits.CompareTo(literal.Bits)); // what most conditions are, without another value
        }

        if (!Evaluate(right, out var b) || a.Type != b.Type)
        {
            return Trilean.Unknown;
        }

        switch (a.Type)
        {
            case ExpType.Integer or ExpType.Bool:
                return Holds(node.Code, a.Bits.CompareTo(b.Bits));
            case ExpType.Float:
                return Trileans.Of(Holds(node.Code, a.Double, b.Double));
            case ExpType.String or ExpType.Blob:
                return Holds(node.Code, a.Bytes.SequenceCompareTo(b.Bytes));
            case ExpType.List or ExpType.Map:
                return _scratch.Spend(Math.Min(a.Bytes.Length, b.Bytes.Length))
                    ? Holds(node.Code, PackedOrder.Compare(a.Bytes, b.Bytes))
                    : Trilean.Unknown;
            case ExpType.Nil:
                return Holds(node.Code, 0);
            default:
                return Trilean.Unknown;
        }
    }

    private static Trilean Holds(ExpCode comparison, int order) => Trileans.Of(comparison switch
    {
        ExpCode.Equal => order == 0,
        ExpCode.NotEqual => order != 0,
        ExpCode.Greater => order > 0,
        ExpCode.GreaterOrEqual => order >= 0,
        ExpCode.Less => order < 0,
        _ => order <= 0,
    });

    // Not by their order: nothing but `ne` holds where one is not a number.
    private static bool Holds(ExpCode comparison, double a, double b) => comparison switch
    {
        ExpCode.Equal => a == b,
        ExpCode.NotEqual => a != b,
        ExpCode.Greater => a > b,
        ExpCode.GreaterOrEqual => a >= b,
        ExpCode.Less => a < b,
        _ => a <= b,
    };

    private Trilean MatchRegex(int at)
    {
        if (!Evaluate(at + 1, out var text) || text.Type != ExpType.String)
        {
            return Trilean.Unknown;
        }

        return _scratch.Match(_program.Pattern(_nodes[at].Bits), text.Bytes);
    }

    private Trilean CompareGeo(int at)
    {
        // Both places before either is read: finding the second may compare places too, and would read over the first.
        var right = _nodes[at + 1].End;
        if (!TryPlace(at + 1, out var a) || !TryPlace(right, out var b))
        {
            return Trilean.Unknown;
        }

        var shapeA = Shape(at + 1, a, _scratch.Geo.Left);
        var shapeB = Shape(right, b, _scratch.Geo.Right);
        return shapeA == null || shapeB == null ? Trilean.Unknown : Trileans.Of(GeoParticle.IsWithin(shapeA, shapeB));
    }

    private bool TryPlace(int at, out ExpValue place) =>
        Evaluate(at, out place) && place.Type == ExpType.Geo && _scratch.Spend(place.Bytes.Length);

    /// Null: the text describes none.
    private readonly GeoShape? Shape(int at, ExpValue place, GeoShape scratch)
    {
        var number = _nodes[at].Code == ExpCode.Literal ? _nodes[at].Bits : 0;
        return number > 0 ? _program.Shape(number) : scratch.TryRead(place.Bytes) ? scratch : null;
    }

    private Trilean FindInList(int at)
    {
        if (!Evaluate(at + 1, out var sought) || !Evaluate(_nodes[at + 1].End, out var list) || list.Type != ExpType.List
            || sought.Type == ExpType.Remove)
        {
            return Trilean.Unknown;
        }

        var mark = _scratch.Results.Length;
        sought.Pack(_scratch.Results);
        if (!_scratch.IsWhole(mark) || !_scratch.Spend(list.Bytes.Length + sought.Bytes.Length))
        {
            return Trilean.Unknown;
        }

        var packed = _scratch.Results.Read(mark, _scratch.Results.Length - mark);
        var truth = Has(list.Bytes, packed);
        _scratch.Results.WindBack(mark);
        return truth;
    }

    private static Trilean Has(ReadOnlySpan<byte> list, ReadOnlySpan<byte> packed)
    {
        var reader = new PackedReader(list);
        if (!reader.TryRead(out var head))
        {
            return Trilean.Unknown;
        }

        for (var i = 0; i < head.Count; i++)
        {
            if (!reader.TryTake(out var element))
            {
                return Trilean.Unknown;
            }

            if (PackedOrder.Compare(element, packed) == 0)
            {
                return Trilean.True;
            }
        }

        return Trilean.False;
    }
}

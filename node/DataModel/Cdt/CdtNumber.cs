using System.Buffers.Binary;
using Aerie.DataModel.Packed;

namespace Aerie.DataModel.Cdt;

/// Adds packed numbers. What was an integer stays one, what was a double too.
internal static class CdtNumber
{
    public const int LengthMax = 9;

    private const byte DoubleForm = 0xCB;

    /// Writes the sum, packed, and returns its length; 0 where something is no number. Without an old value the sum is the delta;
    /// a delta of nil is one.
    public static int Add(ReadOnlySpan<byte> old, ReadOnlySpan<byte> delta, bool negative, Span<byte> sum)
    {
        if (!new PackedReader(delta).TryRead(out var change))
        {
            return 0;
        }

        if (change.Kind == PackedKind.Nil)
        {
            change = new PackedItem { Kind = PackedKind.Integer, Bits = 1 };
        }

        var value = new PackedItem { Kind = change.Kind };
        if (!IsNumber(change) || (!old.IsEmpty && !new PackedReader(old).TryRead(out value)) || !IsNumber(value))
        {
            return 0;
        }

        if (value.Kind == PackedKind.Integer)
        {
            var whole = change.Kind == PackedKind.Integer ? change.Bits : (long)change.Double;
            return PackedWriter.WriteInteger(sum, unchecked(negative ? value.Bits - whole : value.Bits + whole));
        }

        var real = change.Kind == PackedKind.Integer ? change.Bits : change.Double;
        sum[0] = DoubleForm;
        BinaryPrimitives.WriteDoubleBigEndian(sum[1..], negative ? value.Double - real : value.Double + real);
        return LengthMax;
    }

    private static bool IsNumber(in PackedItem item) => item.Kind is PackedKind.Integer or PackedKind.Double;
}

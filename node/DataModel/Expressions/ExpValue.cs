using System.Buffers.Binary;
using Aerie.DataModel.Bins;
using Aerie.DataModel.Cdt;
using Aerie.DataModel.Geo;
using Aerie.DataModel.Packed;

namespace Aerie.DataModel.Expressions;

/// A value while expressions are evaluated: a scalar, or bytes where they lie. Texts, blobs and HLLs are raw, lists and maps
/// packed, GeoJSON is its text.
public readonly ref struct ExpValue
{
    public ExpType Type { get; private init; }

    /// An integer; the bits of a float; one or zero for a boolean.
    public long Bits { get; private init; }

    public ReadOnlySpan<byte> Bytes { get; private init; }

    public double Double => BitConverter.Int64BitsToDouble(Bits);

    public bool IsTrue => Bits != 0;

    public static ExpValue Nil => default;

    public static ExpValue Remove => new() { Type = ExpType.Remove };

    public static ExpValue Of(long value) => new() { Type = ExpType.Integer, Bits = value };

    public static ExpValue Of(double value) => new() { Type = ExpType.Float, Bits = BitConverter.DoubleToInt64Bits(value) };

    public static ExpValue Of(bool value) => new() { Type = ExpType.Bool, Bits = value ? 1 : 0 };

    public static ExpValue Of(ExpType type, long bits) => new() { Type = type, Bits = bits };

    public static ExpValue Of(ExpType type, ReadOnlySpan<byte> bytes) => new() { Type = type, Bytes = bytes };

    /// False for values that expressions have no type for.
    public static bool TryOf(BinValue bin, out ExpValue value)
    {
        var type = ExpTypes.Of(bin.Type);
        switch (type)
        {
            case ExpType.Nil:
                value = default;
                return true;
            case ExpType.Integer:
                value = Of(Integers.Widen(bin.Bytes));
                return true;
            case ExpType.Float:
                value = Of(ExpType.Float, BinaryPrimitives.ReadInt64BigEndian(bin.Bytes));
                return true;
            case ExpType.Bool:
                value = Of(bin.Bytes[0] != 0);
                return true;
            case ExpType.Geo:
                var isPlace = GeoParticle.TryText(bin.Bytes, out var json);
                value = Of(type, json);
                return isPlace;
            default:
                value = Of(type, bin.Bytes);
                return type != ExpType.Any;
        }
    }

    /// The value that stands in a list or map. `packed` is all of it. False for what is no value: infinity, an unknown extension.
    public static bool TryOf(ReadOnlySpan<byte> packed, out ExpValue value)
    {
        var reader = new PackedReader(packed);
        value = default;
        if (!reader.TryRead(out var item))
        {
            return false;
        }

        switch (item.Kind)
        {
            case PackedKind.Nil:
                return true;
            case PackedKind.False or PackedKind.True:
                value = Of(item.Kind == PackedKind.True);
                return true;
            case PackedKind.Integer:
                value = Of(item.Bits);
                return true;
            case PackedKind.Double:
                value = Of(ExpType.Float, item.Bits);
                return true;
            case PackedKind.List or PackedKind.Map:
                value = Of(item.Kind == PackedKind.List ? ExpType.List : ExpType.Map, packed);
                return true;
            case PackedKind.Text or PackedKind.Bytes or PackedKind.GeoJson:
                var type = ExpTypes.Of((ParticleType)item.Tag);
                value = Of(type, item.Bytes);
                return type is ExpType.String or ExpType.Blob or ExpType.Geo or ExpType.Hll;
            default:
                return false;
        }
    }

    /// Writes it as an element of a list or map.
    public void Pack(GrowingBytes target)
    {
        var writer = new PackedWriter(target);
        switch (Type)
        {
            case ExpType.Bool:
                writer.Bool(IsTrue);
                break;
            case ExpType.Integer:
                writer.Integer(Bits);
                break;
            case ExpType.Float:
                writer.Double(Double);
                break;
            case ExpType.List or ExpType.Map:
                CdtWire.Append(target, Bytes);
                break;
            case ExpType.String or ExpType.Blob or ExpType.Geo or ExpType.Hll:
                writer.Payload((byte)ExpTypes.Particle(Type), Bytes);
                break;
            default:
                writer.Nil();
                break;
        }
    }
}

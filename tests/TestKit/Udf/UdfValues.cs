using System.Buffers.Binary;
using System.Text;
using Aerie.DataModel;
using Aerie.DataModel.Packed;

namespace Aerie.TestKit;

/// Values as tests write them (long, double, bool, string, byte[], List, Dictionary, Geo, null) and their bytes.
public static class UdfValues
{
    public sealed record Geo(string Text);

    public static byte[] Packed(object? value)
    {
        var target = new GrowingBytes(64 * 1024 * 1024);
        Write(new PackedWriter(target), value);
        return target.Read(0, target.Length).ToArray();
    }

    public static List<object?> List(params object?[] elements) => [.. elements];

    public static Dictionary<object, object?> Map(params (object Key, object? Value)[] entries) =>
        entries.ToDictionary(entry => entry.Key, entry => entry.Value);

    public static (ParticleType Type, byte[] Bytes) Bin(object value) => value switch
    {
        long number => (ParticleType.Integer, UdfTestRecord.BigEndian(number)),
        int number => (ParticleType.Integer, UdfTestRecord.BigEndian(number)),
        double number => (ParticleType.Double, UdfTestRecord.BigEndian(BitConverter.DoubleToInt64Bits(number))),
        bool truth => (ParticleType.Bool, [truth ? (byte)1 : (byte)0]),
        string text => (ParticleType.String, Encoding.UTF8.GetBytes(text)),
        byte[] bytes => (ParticleType.Bytes, bytes),
        Geo geo => (ParticleType.GeoJson, [0, 0, 1, .. new byte[8], .. Encoding.UTF8.GetBytes(geo.Text)]),
        List<object?> => (ParticleType.List, Packed(value)),
        _ => (ParticleType.Map, Packed(value)),
    };

    public static object? OfBin(ParticleType type, ReadOnlySpan<byte> bytes) => type switch
    {
        ParticleType.Null => null,
        ParticleType.Integer => BinaryPrimitives.ReadInt64BigEndian(bytes),
        ParticleType.Double => BinaryPrimitives.ReadDoubleBigEndian(bytes),
        ParticleType.Bool => bytes[0] != 0,
        ParticleType.String => Encoding.UTF8.GetString(bytes),
        ParticleType.GeoJson => new Geo(Encoding.UTF8.GetString(bytes[(3 + (8 * bytes[2]))..])),
        ParticleType.List or ParticleType.Map => Unpacked(bytes),
        _ => bytes.ToArray(),
    };

    public static object? Unpacked(ReadOnlySpan<byte> packed)
    {
        var reader = new PackedReader(packed);
        var value = Read(ref reader);
        return reader.IsAtEnd ? value : throw new InvalidDataException("more than one value");
    }

    private static object? Read(ref PackedReader reader)
    {
        if (!reader.TryRead(out var item))
        {
            throw new InvalidDataException("not a packed value");
        }

        switch (item.Kind)
        {
            case PackedKind.Nil:
                return null;
            case PackedKind.False or PackedKind.True:
                return item.Bits != 0;
            case PackedKind.Integer:
                return item.Bits;
            case PackedKind.Double:
                return item.Double;
            case PackedKind.Text:
                return Encoding.UTF8.GetString(item.Bytes);
            case PackedKind.Bytes:
                return item.Bytes.ToArray();
            case PackedKind.GeoJson:
                return new Geo(Encoding.UTF8.GetString(item.Bytes));
            case PackedKind.List:
                var list = new List<object?>();
                for (var i = 0; i < item.Count; i++)
                {
                    list.Add(Read(ref reader));
                }

                return list;
            case PackedKind.Map:
                var map = new Dictionary<object, object?>();
                for (var i = 0; i < item.Count; i++)
                {
                    var key = Read(ref reader);
                    map[key ?? "nil"] = Read(ref reader);
                }

                return map;
            default:
                return item.Kind;
        }
    }

    private static void Write(PackedWriter writer, object? value)
    {
        switch (value)
        {
            case null:
                writer.Nil();
                return;
            case bool truth:
                writer.Bool(truth);
                return;
            case int number:
                writer.Integer(number);
                return;
            case long number:
                writer.Integer(number);
                return;
            case double number:
                writer.Double(number);
                return;
            case string text:
                writer.Payload((byte)ParticleType.String, Encoding.UTF8.GetBytes(text));
                return;
            case byte[] bytes:
                writer.Payload((byte)ParticleType.Bytes, bytes);
                return;
            case Geo geo:
                writer.Payload((byte)ParticleType.GeoJson, Encoding.UTF8.GetBytes(geo.Text));
                return;
            case List<object?> list:
                writer.List(list.Count);
                list.ForEach(element => Write(writer, element));
                return;
            case Dictionary<object, object?> map:
                writer.Map(map.Count);
                foreach (var (key, element) in map)
                {
                    Write(writer, key);
                    Write(writer, element);
                }

                return;
            default:
                throw new ArgumentException($"no value: {value}");
        }
    }
}

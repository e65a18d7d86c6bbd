using System.Text;
using Aerie.DataModel;
using Aerie.DataModel.Expressions;
using Aerie.DataModel.Packed;

namespace Aerie.Node.Tests.DataModel.Expressions;

/// Packs expressions as clients do. An array is a list, a text carries its particle type, a Name does not.
internal static class Exp
{
    public static readonly object Infinity = new Raw(PackedWriter.InfinityBytes);

    internal sealed record Name(string Text);

    internal sealed record Raw(byte[] Bytes);

    internal sealed record Place(string Text);

    internal sealed record Pairs(params (object Key, object? Value)[] Items);

    public static byte[] Pack(object? value)
    {
        var bytes = new GrowingBytes(64 * 1024 * 1024);
        Write(new PackedWriter(bytes), value);
        return bytes.Read(0, bytes.Length).ToArray();
    }

    // Not one method with params: an argument that is itself an array must stay one argument.
    public static object[] Op(ExpCode code) => [(long)code];

    public static object[] Op(ExpCode code, object? a) => [(long)code, a!];

    public static object[] Op(ExpCode code, object? a, object? b) => [(long)code, a!, b!];

    public static object[] Op(ExpCode code, object? a, object? b, object? c) => [(long)code, a!, b!, c!];

    public static object[] Op(ExpCode code, object? a, object? b, object? c, object? d) => [(long)code, a!, b!, c!, d!];

    public static object[] Op(ExpCode code, object? a, object? b, object? c, object? d, object? e) => [(long)code, a!, b!, c!, d!, e!];

    public static object[] Op(ExpCode code, object? a, object? b, object? c, object? d, object? e, object? f, params object?[] more) =>
        [(long)code, a!, b!, c!, d!, e!, f!, .. more!];

    public static object[] Many(ExpCode code, IEnumerable<object?> arguments) => [(long)code, .. arguments!];

    public static object[] Bin(ExpType type, string name) => Op(ExpCode.Bin, (long)type, new Name(name));

    public static object[] Int(string name) => Bin(ExpType.Integer, name);

    public static object[] Float(string name) => Bin(ExpType.Float, name);

    public static object[] Text(string name) => Bin(ExpType.String, name);

    public static object[] List(string name) => Bin(ExpType.List, name);

    public static object[] Map(string name) => Bin(ExpType.Map, name);

    public static object[] BinType(string name) => Op(ExpCode.BinType, new Name(name));

    public static object[] Eq(object? a, object? b) => Op(ExpCode.Equal, a, b);

    public static object[] Unknown => Op(ExpCode.Unknown);

    public static object[] Quote(params object?[] items) => Op(ExpCode.Quote, (object)items);

    public static object[] Regex(string pattern, object text, long flags = 1) => Op(ExpCode.Regex, flags, new Name(pattern), text);

    public static object[] Var(string name) => Op(ExpCode.Variable, new Name(name));

    public static object[] Let(string name, object? value, object? body) => Op(ExpCode.Let, new Name(name), value, body);

    public static object[] Call(ExpType type, long module, object?[] operation, object? target) =>
        Op(ExpCode.Call, (long)type, module, operation, target);

    private static void Write(PackedWriter writer, object? value)
    {
        switch (value)
        {
            case null:
                writer.Nil();
                break;
            case bool truth:
                writer.Bool(truth);
                break;
            case int number:
                writer.Integer(number);
                break;
            case long number:
                writer.Integer(number);
                break;
            case double number:
                writer.Double(number);
                break;
            case string text:
                writer.Payload((byte)ParticleType.String, Encoding.UTF8.GetBytes(text));
                break;
            case byte[] blob:
                writer.Payload((byte)ParticleType.Bytes, blob);
                break;
            case Place geo:
                writer.Payload((byte)ParticleType.GeoJson, Encoding.UTF8.GetBytes(geo.Text));
                break;
            case Name name:
                writer.Raw(Encoding.UTF8.GetBytes(name.Text));
                break;
            case Raw raw:
                writer.Packed(raw.Bytes);
                break;
            case Pairs map:
                WriteMap(writer, map);
                break;
            case object?[] items:
                writer.List(items.Length);
                Array.ForEach(items, item => Write(writer, item));
                break;
            default:
                throw new ArgumentException($"{value.GetType()} cannot be packed");
        }
    }

    private static void WriteMap(PackedWriter writer, Pairs map)
    {
        writer.Map(map.Items.Length);
        foreach (var (key, value) in map.Items)
        {
            Write(writer, key);
            Write(writer, value);
        }
    }
}

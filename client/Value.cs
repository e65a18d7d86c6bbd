using System.Buffers.Binary;
using System.Text;
using Aerie.Client.Wire;
using Aerie.DataModel;

namespace Aerie.Client;

/// One bin value or user key. Numbers and booleans are kept in place; types that this client does not interpret (lists,
/// maps, HyperLogLog, GeoJSON) pass through as the raw bytes of their particle.
public readonly struct Value : IEquatable<Value>
{
    public static readonly Value Null;

    private readonly object? _object;
    private readonly long _bits;

    private Value(ParticleType type, long bits, object? held)
    {
        Type = type;
        _bits = bits;
        _object = held;
    }

    public ParticleType Type { get; }

    public bool IsNull => Type == ParticleType.Null;

    /// Bytes on the wire.
    internal int Length => Type switch
    {
        ParticleType.Null => 0,
        ParticleType.Integer or ParticleType.Double => sizeof(long),
        ParticleType.Bool => 1,
        ParticleType.String => Encoding.UTF8.GetByteCount((string)_object!),
        _ => ((byte[])_object!).Length,
    };

    public static Value Of(long number) => new(ParticleType.Integer, number, null);

    public static Value Of(double number) => new(ParticleType.Double, BitConverter.DoubleToInt64Bits(number), null);

    public static Value Of(bool flag) => new(ParticleType.Bool, flag ? 1 : 0, null);

    public static Value Of(string text) => new(ParticleType.String, 0, text);

    public static Value Of(byte[] bytes) => new(ParticleType.Bytes, 0, bytes);

    /// A particle in the bytes the server keeps.
    public static Value Raw(ParticleType type, byte[] particle) => Parse(type, particle);

    public static implicit operator Value(long number) => Of(number);

    public static implicit operator Value(double number) => Of(number);

    public static implicit operator Value(bool flag) => Of(flag);

    public static implicit operator Value(string text) => Of(text);

    public static implicit operator Value(byte[] bytes) => Of(bytes);

    public static bool operator ==(Value left, Value right) => left.Equals(right);

    public static bool operator !=(Value left, Value right) => !left.Equals(right);

    public long AsLong() => Type is ParticleType.Integer or ParticleType.Bool ? _bits : throw Mismatch(ParticleType.Integer);

    public double AsDouble() => Type == ParticleType.Double ? BitConverter.Int64BitsToDouble(_bits) : throw Mismatch(ParticleType.Double);

    public bool AsBool() => Type == ParticleType.Bool ? _bits != 0 : throw Mismatch(ParticleType.Bool);

    public string AsString() => Type == ParticleType.String ? (string)_object! : throw Mismatch(ParticleType.String);

    /// The bytes of a blob, or of a particle that this client does not interpret.
    public byte[] AsBytes() => _object as byte[] ?? throw Mismatch(ParticleType.Bytes);

    public bool Equals(Value other) =>
        Type == other.Type
        && _bits == other._bits
        && (_object is byte[] bytes
            ? other._object is byte[] others && bytes.AsSpan().SequenceEqual(others)
            : Equals(_object, other._object));

    public override bool Equals(object? obj) => obj is Value other && Equals(other);

    public override int GetHashCode() =>
        HashCode.Combine(Type, _bits, _object is byte[] bytes ? bytes.Length : _object?.GetHashCode() ?? 0);

    public override string ToString() => Type switch
    {
        ParticleType.Null => "null",
        ParticleType.Integer => _bits.ToString(),
        ParticleType.Double => AsDouble().ToString("R"),
        ParticleType.Bool => _bits != 0 ? "true" : "false",
        ParticleType.String => (string)_object!,
        _ => Convert.ToHexString((byte[])_object!),
    };

    internal static Value Parse(ParticleType type, ReadOnlySpan<byte> bytes) => type switch
    {
        ParticleType.Null => Null,
        ParticleType.Integer when bytes.Length == sizeof(long) => Of(BinaryPrimitives.ReadInt64BigEndian(bytes)),
        ParticleType.Double when bytes.Length == sizeof(double) => Of(BinaryPrimitives.ReadDoubleBigEndian(bytes)),
        ParticleType.Bool when bytes.Length == 1 => Of(bytes[0] != 0),
        ParticleType.String => Of(Encoding.UTF8.GetString(bytes)),
        ParticleType.Integer or ParticleType.Double or ParticleType.Bool =>
            throw new AerieException(FailureKind.Malformed, $"a {type} of {bytes.Length} bytes"),
        _ => new Value(type, 0, bytes.ToArray()),
    };

    internal void WriteTo(Span<byte> target)
    {
        switch (Type)
        {
            case ParticleType.Null:
                break;
            case ParticleType.Integer or ParticleType.Double:
                BinaryPrimitives.WriteInt64BigEndian(target, _bits);
                break;
            case ParticleType.Bool:
                target[0] = (byte)_bits;
                break;
            case ParticleType.String:
                Encoding.UTF8.GetBytes((string)_object!, target);
                break;
            default:
                ((byte[])_object!).CopyTo(target);
                break;
        }
    }

    private InvalidCastException Mismatch(ParticleType wanted) => new($"the value is a {Type}, not a {wanted}");
}

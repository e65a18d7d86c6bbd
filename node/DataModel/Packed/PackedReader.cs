using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Aerie.DataModel.Packed;

/// One packed element: a scalar with its payload, or the head of a list or map, whose elements follow.
public readonly ref struct PackedItem
{
    public PackedKind Kind { get; init; }

    /// The value of an integer; the bits of a double.
    public long Bits { get; init; }

    public double Double => BitConverter.Int64BitsToDouble(Bits);

    /// Elements of a list, pairs of a map. An order mark counts like any other.
    public int Count { get; init; }

    /// The particle type that a text or blob carries in front, or the type of an extension.
    public byte Tag { get; init; }

    /// The whole payload. Names in expressions are texts without a particle type: they are read as this.
    public ReadOnlySpan<byte> Raw { get; init; }

    /// The payload behind the particle type.
    public ReadOnlySpan<byte> Bytes => Raw.IsEmpty ? Raw : Raw[1..];

    public bool IsContainer => Kind is PackedKind.List or PackedKind.Map;

    public bool IsInteger => Kind == PackedKind.Integer;
}

/// Walks packed values (MessagePack with Aerospike's conventions: a text or blob carries its particle type as its first
/// byte; an extension marks order, infinity or the wildcard). Never reads outside the bytes; a length that lies ends the walk.
public ref struct PackedReader(ReadOnlySpan<byte> bytes, int offset = 0)
{
    /// Levels of lists and maps inside each other that a value may have.
    public const int DepthMax = 256;

    private const byte InfinityData = 0x01;
    private const byte WildcardData = 0x00;

    private readonly ReadOnlySpan<byte> _bytes = bytes;

    public int Offset { get; private set; } = offset;

    public readonly bool IsAtEnd => Offset >= _bytes.Length;

    public readonly ReadOnlySpan<byte> All => _bytes;

    /// Reads one element: the whole of a scalar, the head of a container. False: the bytes end, or are no packed value.
    public bool TryRead(out PackedItem item)
    {
        item = default;
        if ((uint)Offset >= (uint)_bytes.Length)
        {
            return false;
        }

        var first = _bytes[Offset++];
        switch (first)
        {
            case <= 0x7F:
                item = new PackedItem { Kind = PackedKind.Integer, Bits = first };
                return true;
            case <= 0x8F:
                return Container(PackedKind.Map, first & 0x0F, out item);
            case <= 0x9F:
                return Container(PackedKind.List, first & 0x0F, out item);
            case <= 0xBF:
                return Payload(first & 0x1F, out item);
            case >= 0xE0:
                item = new PackedItem { Kind = PackedKind.Integer, Bits = (sbyte)first };
                return true;
            default:
                return ReadLong(first, out item);
        }
    }

    /// Walks over one value, containers with all they hold. False: the bytes end before it does, or it is too deep.
    public bool TrySkip()
    {
        Span<long> left = stackalloc long[DepthMax];
        var depth = 0;
        left[0] = 1;
        while (true)
        {
            while (left[depth] == 0)
            {
                if (depth-- == 0)
                {
                    return true;
                }
            }

            left[depth]--;
            if (!TryRead(out var item))
            {
                return false;
            }

            if (item.Count == 0)
            {
                continue;
            }

            if (++depth == DepthMax)
            {
                return false;
            }

            left[depth] = item.Kind == PackedKind.Map ? 2L * item.Count : item.Count;
        }
    }

    /// Reads one value whole and hands out its bytes.
    public bool TryTake(out ReadOnlySpan<byte> value)
    {
        var start = Offset;
        if (!TrySkip())
        {
            value = default;
            return false;
        }

        value = _bytes[start..Offset];
        return true;
    }

    /// Reads an integer; false where something else stands.
    public bool TryInteger(out long value)
    {
        if (Offset < _bytes.Length && _bytes[Offset] <= 0x7F)
        {
            value = _bytes[Offset++]; // as codes and types nearly always are
            return true;
        }

        var read = TryRead(out var item);
        value = item.Bits;
        return read && item.IsInteger;
    }

    /// Reads the head of a list. False: something else stands there, and is still to be read.
    public bool TryListHead(out int count)
    {
        var first = Offset < _bytes.Length ? _bytes[Offset] : (byte)0;
        var item = default(PackedItem);
        var isList = first is (>= 0x90 and <= 0x9F) or 0xDC or 0xDD && TryRead(out item);
        count = item.Count;
        return isList;
    }

    /// Exactly one value, and nothing behind it.
    public static bool IsOneValue(ReadOnlySpan<byte> bytes)
    {
        var reader = new PackedReader(bytes);
        return reader.TrySkip() && reader.IsAtEnd;
    }

    private bool ReadLong(byte first, out PackedItem item)
    {
        item = default;
        switch (first)
        {
            case 0xC0:
                item = new PackedItem { Kind = PackedKind.Nil };
                return true;
            case 0xC2:
                item = new PackedItem { Kind = PackedKind.False };
                return true;
            case 0xC3:
                item = new PackedItem { Kind = PackedKind.True, Bits = 1 };
                return true;
            case 0xC4 or 0xD9:
                return TryLength(1, out var length8) && Payload(length8, out item);
            case 0xC5 or 0xDA:
                return TryLength(2, out var length16) && Payload(length16, out item);
            case 0xC6 or 0xDB:
                return TryLength(4, out var length32) && Payload(length32, out item);
            case 0xC7:
                return TryLength(1, out var extension8) && Extension(extension8, out item);
            case 0xC8:
                return TryLength(2, out var extension16) && Extension(extension16, out item);
            case 0xC9:
                return TryLength(4, out var extension32) && Extension(extension32, out item);
            case 0xCA:
                return Number(4, out item, SingleBits, PackedKind.Double);
            case 0xCB:
                return Number(8, out item, BinaryPrimitives.ReadInt64BigEndian, PackedKind.Double);
            case 0xCC:
                return Number(1, out item, static bytes => bytes[0]);
            case 0xCD:
                return Number(2, out item, static bytes => BinaryPrimitives.ReadUInt16BigEndian(bytes));
            case 0xCE:
                return Number(4, out item, static bytes => BinaryPrimitives.ReadUInt32BigEndian(bytes));
            case 0xCF or 0xD3:
                return Number(8, out item, BinaryPrimitives.ReadInt64BigEndian);
            case 0xD0:
                return Number(1, out item, static bytes => (sbyte)bytes[0]);
            case 0xD1:
                return Number(2, out item, static bytes => BinaryPrimitives.ReadInt16BigEndian(bytes));
            case 0xD2:
                return Number(4, out item, static bytes => BinaryPrimitives.ReadInt32BigEndian(bytes));
            case >= 0xD4 and <= 0xD8:
                return Extension(1 << (first - 0xD4), out item);
            case 0xDC:
                return TryLength(2, out var count16) && Container(PackedKind.List, count16, out item);
            case 0xDD:
                return TryLength(4, out var count32) && Container(PackedKind.List, count32, out item);
            case 0xDE:
                return TryLength(2, out var pairs16) && Container(PackedKind.Map, pairs16, out item);
            case 0xDF:
                return TryLength(4, out var pairs32) && Container(PackedKind.Map, pairs32, out item);
            default:
                return false;
        }
    }

    // Every element takes at least a byte: a count above what is left is a lie that nobody has to walk.
    private readonly bool Container(PackedKind kind, int count, out PackedItem item)
    {
        item = new PackedItem { Kind = kind, Count = count };
        return count <= (_bytes.Length - Offset) / (kind == PackedKind.Map ? 2 : 1);
    }

    private bool Payload(int length, out PackedItem item)
    {
        item = default;
        if (!TryBytes(length, out var raw))
        {
            return false;
        }

        var tag = length == 0 ? (byte)ParticleType.String : raw[0];
        var kind = (ParticleType)tag switch
        {
            ParticleType.String => PackedKind.Text,
            ParticleType.GeoJson => PackedKind.GeoJson,
            _ => PackedKind.Bytes,
        };
        item = new PackedItem { Kind = kind, Tag = tag, Raw = raw };
        return true;
    }

    private bool Extension(int length, out PackedItem item)
    {
        item = default;
        if (!TryBytes(1, out var type) || !TryBytes(length, out var data))
        {
            return false;
        }

        var isSpecial = type[0] == 0xFF && length == 1;
        var kind = isSpecial && data[0] == InfinityData ? PackedKind.Infinity
            : isSpecial && data[0] == WildcardData ? PackedKind.Wildcard
            : PackedKind.Extension;
        item = new PackedItem { Kind = kind, Tag = type[0], Raw = data };
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool Number(int length, out PackedItem item, Func<ReadOnlySpan<byte>, long> read, PackedKind kind = PackedKind.Integer)
    {
        item = default;
        if (!TryBytes(length, out var bytes))
        {
            return false;
        }

        item = new PackedItem { Kind = kind, Bits = read(bytes) };
        return true;
    }

    private static long SingleBits(ReadOnlySpan<byte> bytes) =>
        BitConverter.DoubleToInt64Bits(BinaryPrimitives.ReadSingleBigEndian(bytes));

    private bool TryLength(int bytes, out int length)
    {
        length = 0;
        if (!TryBytes(bytes, out var raw))
        {
            return false;
        }

        foreach (var b in raw)
        {
            length = (length << 8) | b;
        }

        return length >= 0;
    }

    private bool TryBytes(int length, out ReadOnlySpan<byte> bytes)
    {
        if (length > _bytes.Length - Offset)
        {
            bytes = default;
            return false;
        }

        bytes = _bytes.Slice(Offset, length);
        Offset += length;
        return true;
    }
}

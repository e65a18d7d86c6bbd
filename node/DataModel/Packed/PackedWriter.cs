using System.Buffers.Binary;

namespace Aerie.DataModel.Packed;

/// Writes packed values in their shortest form, as the clients do.
public readonly struct PackedWriter(GrowingBytes target)
{
    public static readonly byte[] InfinityBytes = [0xD4, 0xFF, 0x01];
    public static readonly byte[] WildcardBytes = [0xD4, 0xFF, 0x00];

    private const int HeadMax = 9;

    public void Nil() => target.Append(0xC0);

    public void Bool(bool value) => target.Append(value ? (byte)0xC3 : (byte)0xC2);

    public void Integer(long value)
    {
        var head = target.Reserve(HeadMax);
        target.Commit(WriteInteger(head, value));
    }

    public void Double(double value)
    {
        var head = target.Reserve(HeadMax);
        head[0] = 0xCB;
        BinaryPrimitives.WriteDoubleBigEndian(head[1..], value);
        target.Commit(HeadMax);
    }

    /// A text, blob or GeoJSON: the payload with its particle type in front.
    public void Payload(byte particleType, scoped ReadOnlySpan<byte> bytes)
    {
        Head(bytes.Length + 1, 0xA0, 31, 0xD9, 0xDA);
        target.Append(particleType);
        target.Append(bytes);
    }

    /// Payload without a particle type, as names are.
    public void Raw(scoped ReadOnlySpan<byte> bytes)
    {
        Head(bytes.Length, 0xA0, 31, 0xD9, 0xDA);
        target.Append(bytes);
    }

    public void List(int count) => Head(count, 0x90, 15, 0, 0xDC);

    public void Map(int pairs) => Head(pairs, 0x80, 15, 0, 0xDE);

    /// The first element of a list that says how it is ordered.
    public void ListMark(byte flags) => Extension(flags);

    /// The first pair of a map that says how it is ordered.
    public void MapMark(byte flags)
    {
        Extension(flags);
        Nil();
    }

    /// The head of an extension; its payload follows.
    public void ExtensionHead(byte type, int length)
    {
        var head = target.Reserve(HeadMax);
        switch (length)
        {
            case <= byte.MaxValue:
                head[0] = 0xC7;
                head[1] = (byte)length;
                head[2] = type;
                target.Commit(3);
                break;
            case <= ushort.MaxValue:
                head[0] = 0xC8;
                BinaryPrimitives.WriteUInt16BigEndian(head[1..], (ushort)length);
                head[3] = type;
                target.Commit(4);
                break;
            default:
                head[0] = 0xC9;
                BinaryPrimitives.WriteInt32BigEndian(head[1..], length);
                head[5] = type;
                target.Commit(6);
                break;
        }
    }

    /// A value that is packed already.
    public void Packed(scoped ReadOnlySpan<byte> value) => target.Append(value);

    /// Returns the bytes that it takes: one to nine.
    public static int WriteInteger(scoped Span<byte> target, long value)
    {
        switch (value)
        {
            case >= 0 and <= 0x7F or < 0 and >= -32:
                target[0] = (byte)value;
                return 1;
            case >= 0 and <= byte.MaxValue:
                target[0] = 0xCC;
                target[1] = (byte)value;
                return 2;
            case >= 0 and <= ushort.MaxValue:
                target[0] = 0xCD;
                BinaryPrimitives.WriteUInt16BigEndian(target[1..], (ushort)value);
                return 3;
            case >= 0 and <= uint.MaxValue:
                target[0] = 0xCE;
                BinaryPrimitives.WriteUInt32BigEndian(target[1..], (uint)value);
                return 5;
            case >= 0:
                target[0] = 0xCF;
                break;
            case >= sbyte.MinValue:
                target[0] = 0xD0;
                target[1] = (byte)value;
                return 2;
            case >= short.MinValue:
                target[0] = 0xD1;
                BinaryPrimitives.WriteInt16BigEndian(target[1..], (short)value);
                return 3;
            case >= int.MinValue:
                target[0] = 0xD2;
                BinaryPrimitives.WriteInt32BigEndian(target[1..], (int)value);
                return 5;
            default:
                target[0] = 0xD3;
                break;
        }

        BinaryPrimitives.WriteInt64BigEndian(target[1..], value);
        return HeadMax;
    }

    private void Extension(byte type)
    {
        var head = target.Reserve(3);
        head[0] = 0xC7;
        head[1] = 0;
        head[2] = type;
        target.Commit(3);
    }

    // A head in its short form, then with one (where the kind has that), two or four bytes of length.
    private void Head(int length, int shortest, int shortestMax, byte byteForm, byte wordForm)
    {
        var head = target.Reserve(HeadMax);
        if (length <= shortestMax)
        {
            head[0] = (byte)(shortest | length);
            target.Commit(1);
        }
        else if (byteForm != 0 && length <= byte.MaxValue)
        {
            head[0] = byteForm;
            head[1] = (byte)length;
            target.Commit(2);
        }
        else if (length <= ushort.MaxValue)
        {
            head[0] = wordForm;
            BinaryPrimitives.WriteUInt16BigEndian(head[1..], (ushort)length);
            target.Commit(3);
        }
        else
        {
            head[0] = (byte)(wordForm + 1);
            BinaryPrimitives.WriteInt32BigEndian(head[1..], length);
            target.Commit(5);
        }
    }
}

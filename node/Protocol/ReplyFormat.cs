using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Aerie.Foundation;

namespace Aerie.Protocol;

/// The bytes of replies: sizes first, so that a caller can reserve room, then the writing.
public static class ReplyFormat
{
    public static int OpLength(int nameLength, int valueLength) => Op.HeaderLength + nameLength + valueLength;

    public static int FieldLength(int dataLength) => 5 + dataLength;

    /// One bin of a record, or the result of one operation. Returns the bytes written.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int WriteOp(Span<byte> target, ReadOnlySpan<byte> name, byte particleType, ReadOnlySpan<byte> value)
    {
        var length = OpLength(name.Length, value.Length);
        target = target[..length];
        BinaryPrimitives.WriteUInt32BigEndian(target, (uint)(length - Op.HeaderLengthCounted));
        target[4] = (byte)OpCode.Read;
        target[5] = particleType;
        target[6] = 0;
        target[7] = (byte)name.Length;
        name.CopyTo(target[Op.HeaderLength..]);
        value.CopyTo(target[(Op.HeaderLength + name.Length)..]);
        return length;
    }

    /// The same, of a value that comes in two pieces.
    public static int WriteOp(
        Span<byte> target, ReadOnlySpan<byte> name, byte particleType, ReadOnlySpan<byte> value, ReadOnlySpan<byte> rest)
    {
        var length = WriteOp(target, name, particleType, value);
        rest.CopyTo(target[length..]);
        length += rest.Length;
        BinaryPrimitives.WriteUInt32BigEndian(target, (uint)(length - Op.HeaderLengthCounted));
        return length;
    }

    public static int WriteField(Span<byte> target, FieldId id, ReadOnlySpan<byte> data)
    {
        BinaryPrimitives.WriteUInt32BigEndian(target, (uint)(data.Length + 1));
        target[4] = (byte)id;
        data.CopyTo(target[5..]);
        return FieldLength(data.Length);
    }

    /// A reply without fields and operations, framing included: most errors and all plain writes. Returns its length.
    public static int WriteStatus(Span<byte> target, ResultCode result, uint generation = 0, uint voidTime = 0, Info3 info3 = Info3.None)
    {
        ProtoHeader.Write(target, ProtoType.Message, MessageHeader.Length);
        var header = new MessageHeader { Result = (byte)result, Generation = generation, Ttl = voidTime, Info3 = info3 };
        header.Write(target[ProtoHeader.Length..]);
        return ProtoHeader.Length + MessageHeader.Length;
    }
}

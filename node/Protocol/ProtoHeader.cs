using System.Buffers.Binary;

namespace Aerie.Protocol;

public enum ProtoType : byte
{
    Info = 1,
    Security = 2,
    Message = 3,
    CompressedMessage = 4,
    Xdr = 5,
}

/// The eight bytes in front of everything on a client connection: version, type, length of the body (48 bits).
public readonly record struct ProtoHeader(byte Version, ProtoType Type, long BodyLength)
{
    public const int Length = 8;
    public const byte CurrentVersion = 2;

    /// Larger bodies are refused: the reference's limit.
    public const long BodyLengthMax = 128L * 1024 * 1024;

    public static ProtoHeader Read(ReadOnlySpan<byte> bytes)
    {
        var word = BinaryPrimitives.ReadUInt64BigEndian(bytes);
        return new ProtoHeader((byte)(word >> 56), (ProtoType)(byte)(word >> 48), (long)(word & 0xFFFF_FFFF_FFFF));
    }

    public static void Write(Span<byte> target, ProtoType type, long bodyLength) =>
        BinaryPrimitives.WriteUInt64BigEndian(target, ((ulong)CurrentVersion << 56) | ((ulong)type << 48) | (ulong)bodyLength);
}

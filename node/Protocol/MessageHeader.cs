using System.Buffers.Binary;

namespace Aerie.Protocol;

[Flags]
public enum Info1 : byte
{
    None = 0,
    Read = 1,
    GetAll = 2,
    ShortQuery = 4,
    Batch = 8,
    Xdr = 16,
    NoBinData = 32,
    ConsistencyAll = 64,
    CompressReply = 128,
}

[Flags]
public enum Info2 : byte
{
    None = 0,
    Write = 1,
    Delete = 2,
    GenerationEqual = 4,
    GenerationGreater = 8,
    DurableDelete = 16,
    CreateOnly = 32,
    RelaxedLongQuery = 64,
    RespondAllOps = 128,
}

[Flags]
public enum Info3 : byte
{
    None = 0,
    Last = 1,
    CommitMaster = 2,
    PartitionDone = 4,
    UpdateOnly = 8,
    CreateOrReplace = 16,
    ReplaceOnly = 32,
    ScReadType = 64,
    ScReadRelax = 128,
}

/// The 22-byte header of a message, requests and replies alike. In replies `Ttl` is the record's void-time, and
/// `Timeout` the index inside a batch.
public readonly record struct MessageHeader
{
    public const int Length = 22;

    public Info1 Info1 { get; init; }

    public Info2 Info2 { get; init; }

    public Info3 Info3 { get; init; }

    public byte Info4 { get; init; }

    public byte Result { get; init; }

    public uint Generation { get; init; }

    public uint Ttl { get; init; }

    public uint Timeout { get; init; }

    public ushort FieldCount { get; init; }

    public ushort OpCount { get; init; }

    /// False when the bytes are not a message header.
    public static bool TryRead(ReadOnlySpan<byte> bytes, out MessageHeader header)
    {
        if (bytes.Length < Length || bytes[0] != Length)
        {
            header = default;
            return false;
        }

        header = new MessageHeader
        {
            Info1 = (Info1)bytes[1],
            Info2 = (Info2)bytes[2],
            Info3 = (Info3)bytes[3],
            Info4 = bytes[4],
            Result = bytes[5],
            Generation = BinaryPrimitives.ReadUInt32BigEndian(bytes[6..]),
            Ttl = BinaryPrimitives.ReadUInt32BigEndian(bytes[10..]),
            Timeout = BinaryPrimitives.ReadUInt32BigEndian(bytes[14..]),
            FieldCount = BinaryPrimitives.ReadUInt16BigEndian(bytes[18..]),
            OpCount = BinaryPrimitives.ReadUInt16BigEndian(bytes[20..]),
        };
        return true;
    }

    public void Write(Span<byte> target)
    {
        target = target[..Length];
        target[0] = Length;
        target[1] = (byte)Info1;
        target[2] = (byte)Info2;
        target[3] = (byte)Info3;
        target[4] = Info4;
        target[5] = Result;
        BinaryPrimitives.WriteUInt32BigEndian(target[6..], Generation);
        BinaryPrimitives.WriteUInt32BigEndian(target[10..], Ttl);
        BinaryPrimitives.WriteUInt32BigEndian(target[14..], Timeout);
        BinaryPrimitives.WriteUInt16BigEndian(target[18..], FieldCount);
        BinaryPrimitives.WriteUInt16BigEndian(target[20..], OpCount);
    }
}

/// What a client may ask for in the TTL slot of a write.
public static class Ttl
{
    public const uint NamespaceDefault = 0;
    public const uint Never = 0xFFFF_FFFF;
    public const uint DoNotChange = 0xFFFF_FFFE;
}

using System.Buffers.Binary;
using System.Text;
using Aerie.DataModel.Bins;
using Aerie.Foundation;
using Aerie.Protocol;

namespace Aerie.Client.Wire;

/// What the 22-byte header of a request says besides the counts, which the writer counts itself.
public readonly record struct RequestHeader(
    Info1 Info1, Info2 Info2 = Info2.None, Info3 Info3 = Info3.None, uint Generation = 0, uint Ttl = 0, int TimeoutMilliseconds = 0);

/// Builds one message after the other in a buffer that it keeps. Lengths and counts are filled in when a part ends, so
/// nothing is estimated beforehand. Order of calls: Begin, fields, operations, End.
public sealed class MessageWriter(int capacity = 1024)
{
    private const int HeadersLength = ProtoHeader.Length + MessageHeader.Length;
    private const int FieldCountOffset = 26;
    private const int OperationCountOffset = 28;

    private byte[] _bytes = new byte[capacity];
    private int _fields;
    private int _operations;

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, Length);

    public void Begin(RequestHeader header)
    {
        Length = 0;
        _fields = 0;
        _operations = 0;
        var target = Extend(HeadersLength);
        target.Clear();
        target[0] = ProtoHeader.CurrentVersion;
        target[1] = (byte)ProtoType.Message;
        target[8] = MessageHeader.Length;
        target[9] = (byte)header.Info1;
        target[10] = (byte)header.Info2;
        target[11] = (byte)header.Info3;
        BinaryPrimitives.WriteUInt32BigEndian(target[14..], header.Generation);
        BinaryPrimitives.WriteUInt32BigEndian(target[18..], header.Ttl);
        BinaryPrimitives.WriteInt32BigEndian(target[22..], header.TimeoutMilliseconds);
    }

    public void End()
    {
        BinaryPrimitives.WriteUInt32BigEndian(_bytes.AsSpan(4), (uint)(Length - ProtoHeader.Length));
        BinaryPrimitives.WriteUInt16BigEndian(_bytes.AsSpan(FieldCountOffset), checked((ushort)_fields));
        BinaryPrimitives.WriteUInt16BigEndian(_bytes.AsSpan(OperationCountOffset), checked((ushort)_operations));
    }

    /// A whole info request: one command per line.
    public void Info(ReadOnlySpan<string> commands)
    {
        Length = 0;
        var header = Extend(ProtoHeader.Length);
        header.Clear();
        header[0] = ProtoHeader.CurrentVersion;
        header[1] = (byte)ProtoType.Info;
        foreach (var command in commands)
        {
            Text(command);
            Byte((byte)'\n');
        }

        BinaryPrimitives.WriteUInt32BigEndian(_bytes.AsSpan(4), (uint)(Length - ProtoHeader.Length));
    }

    public void Field(FieldId type, ReadOnlySpan<byte> data)
    {
        _fields++;
        NestedField(type, data);
    }

    public void Field(FieldId type, string text)
    {
        var start = BeginField(type);
        Text(text);
        EndField(start);
    }

    public void Field(FieldId type, uint number)
    {
        var start = BeginField(type);
        UInt32(number);
        EndField(start);
    }

    public void Field(FieldId type, ulong number)
    {
        var start = BeginField(type);
        BinaryPrimitives.WriteUInt64BigEndian(Extend(sizeof(ulong)), number);
        EndField(start);
    }

    public void Field(FieldId type, in Digest digest)
    {
        var start = BeginField(type);
        DigestBytes(digest);
        EndField(start);
    }

    /// Particle type and bytes of the key, as the server keeps them.
    public void KeyField(in Value key)
    {
        _fields++;
        NestedKeyField(key);
    }

    public void NestedKeyField(in Value key)
    {
        var start = BeginNestedField(FieldId.Key);
        Byte((byte)key.Type);
        ValueBytes(key);
        EndField(start);
    }

    /// A field whose content the caller writes piece by piece: pass what it returns to EndField.
    public int BeginField(FieldId type)
    {
        _fields++;
        return BeginNestedField(type);
    }

    public void EndField(int start) =>
        BinaryPrimitives.WriteUInt32BigEndian(_bytes.AsSpan(start), (uint)(Length - start - sizeof(uint)));

    public void Operation(in Operation operation)
    {
        _operations++;
        NestedOperation(operation);
    }

    /// Inside a batch key fields and operations count for the key, not for the message.
    public int BeginNestedField(FieldId type)
    {
        var start = Length;
        Extend(sizeof(uint));
        Byte((byte)type);
        return start;
    }

    public void NestedField(FieldId type, ReadOnlySpan<byte> data)
    {
        var start = BeginNestedField(type);
        Bytes(data);
        EndField(start);
    }

    public void NestedOperation(in Operation operation)
    {
        var start = Length;
        Extend(sizeof(uint));
        Byte((byte)operation.Kind);
        Byte((byte)operation.Value.Type);
        Byte(0);
        var nameLength = Encoding.UTF8.GetByteCount(operation.Bin);
        if (nameLength > RecordDraft.NameLengthMax)
        {
            throw new AerieException(ResultCode.BinName, $"bin name \"{operation.Bin}\" is longer than {RecordDraft.NameLengthMax} bytes");
        }

        Byte((byte)nameLength);
        Text(operation.Bin);
        ValueBytes(operation.Value);
        EndField(start);
    }

    public void Byte(byte value) => Extend(1)[0] = value;

    public void UInt16(ushort value) => BinaryPrimitives.WriteUInt16BigEndian(Extend(sizeof(ushort)), value);

    public void UInt16LittleEndian(ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(Extend(sizeof(ushort)), value);

    public void UInt32(uint value) => BinaryPrimitives.WriteUInt32BigEndian(Extend(sizeof(uint)), value);

    public void DigestBytes(in Digest digest) => digest.CopyTo(Extend(Digest.Length));

    public void Text(string text) => Encoding.UTF8.GetBytes(text, Extend(Encoding.UTF8.GetByteCount(text)));

    private void ValueBytes(in Value value) => value.WriteTo(Extend(value.Length));

    private void Bytes(ReadOnlySpan<byte> data) => data.CopyTo(Extend(data.Length));

    private Span<byte> Extend(int length)
    {
        if (Length + length > _bytes.Length)
        {
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, Length + length));
        }

        var start = Length;
        Length += length;
        return _bytes.AsSpan(start, length);
    }
}

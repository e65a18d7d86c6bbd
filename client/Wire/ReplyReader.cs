using System.Buffers.Binary;
using System.Text;
using Aerie.DataModel;
using Aerie.Foundation;
using Aerie.Protocol;

namespace Aerie.Client.Wire;

/// The 22 bytes in front of every record of a reply. Slot carries the batch index in replies to a batch.
public readonly record struct ReplyHeader(
    ResultCode Result, Info3 Info3, uint Generation, uint VoidTime, int Slot, int Fields, int Operations)
{
    public bool IsLast => (Info3 & Info3.Last) != 0;

    public bool IsPartitionDone => (Info3 & Info3.PartitionDone) != 0;
}

/// Reads the records of one message body in order. Never trusts a length: whatever does not fit the body is reported as
/// a malformed reply, after which the connection cannot be used any more.
public ref struct ReplyReader(ReadOnlySpan<byte> body)
{
    private ReadOnlySpan<byte> _rest = body;

    public readonly bool AtEnd => _rest.IsEmpty;

    public ReplyHeader Header()
    {
        var header = Take(MessageHeader.Length);
        if (header[0] != MessageHeader.Length)
        {
            throw Malformed();
        }

        return new ReplyHeader(
            (ResultCode)header[5],
            (Info3)header[3],
            BinaryPrimitives.ReadUInt32BigEndian(header[6..]),
            BinaryPrimitives.ReadUInt32BigEndian(header[10..]),
            BinaryPrimitives.ReadInt32BigEndian(header[14..]),
            BinaryPrimitives.ReadUInt16BigEndian(header[18..]),
            BinaryPrimitives.ReadUInt16BigEndian(header[20..]));
    }

    public ReadOnlySpan<byte> Field(out FieldId type)
    {
        var field = Sized(1);
        type = (FieldId)field[0];
        return field[1..];
    }

    public void SkipFields(int count)
    {
        for (var i = 0; i < count; i++)
        {
            Field(out _);
        }
    }

    public Bin Operation()
    {
        const int FixedLength = 4;
        const int LastUpdateTimeFlag = 1;
        var operation = Sized(FixedLength);
        var nameLength = operation[3];
        var skipped = (operation[2] & LastUpdateTimeFlag) != 0 ? sizeof(ulong) : 0;
        if (FixedLength + nameLength + skipped > operation.Length)
        {
            throw Malformed();
        }

        var name = Encoding.UTF8.GetString(operation.Slice(FixedLength, nameLength));
        return new Bin(name, Value.Parse((ParticleType)operation[1], operation[(FixedLength + nameLength + skipped)..]));
    }

    public Record Record(in ReplyHeader header)
    {
        if (header.Operations == 0)
        {
            return new Record(header.Generation, header.VoidTime, []);
        }

        // A count is only believed as far as the bytes behind it can hold it: eight per operation at least.
        if (header.Operations > _rest.Length / 8)
        {
            throw Malformed();
        }

        var bins = new Bin[header.Operations];
        for (var i = 0; i < bins.Length; i++)
        {
            bins[i] = Operation();
        }

        return new Record(header.Generation, header.VoidTime, bins);
    }

    private ReadOnlySpan<byte> Sized(int lengthMin)
    {
        var length = BinaryPrimitives.ReadUInt32BigEndian(Take(sizeof(uint)));
        return length >= lengthMin && length <= _rest.Length ? Take((int)length) : throw Malformed();
    }

    private ReadOnlySpan<byte> Take(int length)
    {
        if (length > _rest.Length)
        {
            throw Malformed();
        }

        var taken = _rest[..length];
        _rest = _rest[length..];
        return taken;
    }

    private static AerieException Malformed() => new(FailureKind.Malformed, "the node sent a reply that does not follow the protocol");
}

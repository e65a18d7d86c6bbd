using System.Buffers.Binary;
using Aerie.Foundation;
using Aerie.Protocol;

namespace Aerie.TestKit;

/// Builds the bytes of a batch field row by row, as a client would.
public sealed class WireBatchField(BatchFlags flags = BatchFlags.InlineMemory | BatchFlags.RespondAllKeys)
{
    private const byte Repeat = 0x01;
    private const byte HasInfo = 0x02;

    private readonly List<byte> _rows = [];

    public uint Count { get; private set; }

    /// A row in full. Fields and operations are taken from the request, without its digest.
    public WireBatchField Row(Digest digest, Info1 info1, Info2 info2, byte[] fields, ushort fieldCount, byte[] ops, ushort opCount)
    {
        Begin(digest, HasInfo);
        _rows.AddRange([(byte)info1, (byte)info2, 0]);
        Add(fieldCount);
        Add(opCount);
        _rows.AddRange(fields);
        _rows.AddRange(ops);
        return this;
    }

    /// The digest alone: everything else as in the row before.
    public WireBatchField Again(Digest digest)
    {
        Begin(digest, Repeat);
        return this;
    }

    public byte[] Field()
    {
        var prologue = new byte[5];
        BinaryPrimitives.WriteUInt32BigEndian(prologue, Count);
        prologue[4] = (byte)flags;
        return [.. prologue, .. _rows];
    }

    public WireRequest Request() => new WireRequest().Flags(Info1.Read | Info1.Batch).Field(FieldId.BatchWithSet, Field());

    /// A field as it stands in a row: size, id, data.
    public static byte[] FieldBytes(FieldId id, ReadOnlySpan<byte> data)
    {
        var bytes = new byte[ReplyFormat.FieldLength(data.Length)];
        ReplyFormat.WriteField(bytes, id, data);
        return bytes;
    }

    private void Begin(Digest digest, byte type)
    {
        Span<byte> index = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(index, Count++);
        _rows.AddRange(index);
        _rows.AddRange(digest.ToArray());
        _rows.Add(type);
    }

    private void Add(ushort number)
    {
        Span<byte> bytes = stackalloc byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, number);
        _rows.AddRange(bytes);
    }
}

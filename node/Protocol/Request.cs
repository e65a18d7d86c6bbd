namespace Aerie.Protocol;

/// A message (type 3) taken apart: header, fields, and the bytes of its operations, all inside the received buffer.
public readonly ref struct Request
{
    public MessageHeader Header { get; private init; }

    public Fields Fields { get; private init; }

    public ReadOnlySpan<byte> OpBytes { get; private init; }

    public Ops Ops => new(OpBytes, Header.OpCount);

    /// False when the body is not a message: lengths that lie, ops that overrun. Bytes behind the last operation are
    /// ignored, as the reference does.
    public static bool TryRead(ReadOnlySpan<byte> body, out Request request)
    {
        request = default;
        if (!MessageHeader.TryRead(body, out var header)
            || !Fields.TryRead(body[MessageHeader.Length..], header.FieldCount, out var fields))
        {
            return false;
        }

        var ops = body[(MessageHeader.Length + fields.Length)..];
        if (!Ops.TryMeasure(ops, header.OpCount, out var length))
        {
            return false;
        }

        request = new Request { Header = header, Fields = fields, OpBytes = ops[..length] };
        return true;
    }
}

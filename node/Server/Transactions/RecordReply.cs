using Aerie.DataModel;
using Aerie.Foundation;
using Aerie.Protocol;

namespace Aerie.Server.Transactions;

/// Writes the reply of one record: room for the header first, then results in order, then the header, once the numbers
/// are known. An error throws away what was written and leaves the bare header.
internal struct RecordReply
{
    private readonly ReplyBuffer _buffer;
    private readonly int _start;
    private readonly uint _batchIndex;
    private int _ops;

    /// Written by whoever began the reply, in front of the results.
    public int Fields { get; set; }

    /// The reply can count 65 535 results; reading all of a large record thousands of times is refused before it grows.
    public bool Overflowed { get; private set; }

    public RecordReply(ReplyBuffer buffer, uint batchIndex)
    {
        _buffer = buffer;
        _start = buffer.Length;
        _batchIndex = batchIndex;
        buffer.Reserve(MessageHeader.Length);
        buffer.Commit(MessageHeader.Length);
    }

    public void AddOp(ReadOnlySpan<byte> name, ParticleType type, ReadOnlySpan<byte> value)
    {
        var length = ReplyFormat.OpLength(name.Length, value.Length);
        if (_ops == ushort.MaxValue || _buffer.Length - _start + (long)length > ProtoHeader.BodyLengthMax)
        {
            Overflowed = true;
            return;
        }

        _buffer.Commit(BinReply.Write(_buffer.Reserve(length), name, type, value));
        _ops++;
    }

    public readonly void Finish(uint generation, uint voidTime) => WriteHeader(ResultCode.Ok, generation, voidTime, _ops);

    /// An error whose results tell more about it.
    public readonly ResultCode FinishFailed(ResultCode result)
    {
        WriteHeader(result, 0, 0, _ops);
        return result;
    }

    public readonly ResultCode Fail(ResultCode result)
    {
        Invariant.Holds(Fields == 0);
        _buffer.WindBack(_start + MessageHeader.Length);
        WriteHeader(result, 0, 0, 0);
        return result;
    }

    private readonly void WriteHeader(ResultCode result, uint generation, uint voidTime, int ops) =>
        new MessageHeader
        {
            Result = (byte)result,
            Generation = generation,
            Ttl = voidTime,
            Timeout = _batchIndex,
            FieldCount = (ushort)Fields,
            OpCount = (ushort)ops,
        }.Write(_buffer.Written(_start, MessageHeader.Length));
}

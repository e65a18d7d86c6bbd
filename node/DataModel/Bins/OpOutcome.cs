using Aerie.DataModel.Packed;

namespace Aerie.DataModel.Bins;

/// What one operation on a bin leaves: the bin's new value, if it has changed, and what the operation answers. Both are written
/// behind whatever the two buffers hold already, so that operations can run inside each other; the places are kept here as
/// offsets. One object serves one operation after the other.
public sealed class OpOutcome(GrowingBytes value, GrowingBytes reply)
{
    public GrowingBytes Value { get; } = value;

    public GrowingBytes Reply { get; } = reply;

    /// The new value is to be stored; with type Null the bin goes.
    public bool HasChanged { get; private set; }

    public ParticleType ValueType { get; private set; }

    public int ValueOffset { get; private set; }

    public int ValueLength { get; private set; }

    /// Null: the operation answers nothing.
    public ParticleType ReplyType { get; private set; }

    public int ReplyOffset { get; private set; }

    public int ReplyLength { get; private set; }

    /// Before each operation. Errors leave what was written to be wound back by the caller.
    public void Begin()
    {
        HasChanged = false;
        ValueType = ParticleType.Null;
        ValueOffset = Value.Length;
        ValueLength = 0;
        ReplyType = ParticleType.Null;
        ReplyOffset = Reply.Length;
        ReplyLength = 0;
    }

    /// Everything written to Value since Begin, from `offset` on, is the bin's new value.
    public void Change(ParticleType type, int offset)
    {
        HasChanged = true;
        ValueType = type;
        ValueOffset = offset;
        ValueLength = Value.Length - offset;
    }

    public void Change(ParticleType type) => Change(type, ValueOffset);

    /// Everything written to Reply since Begin is the answer.
    public void Answer(ParticleType type)
    {
        ReplyType = type;
        ReplyLength = Reply.Length - ReplyOffset;
    }

    public BinValue NewValue => new(ValueType, Value.Read(ValueOffset, ValueLength));

    public BinValue NewReply => new(ReplyType, Reply.Read(ReplyOffset, ReplyLength));
}

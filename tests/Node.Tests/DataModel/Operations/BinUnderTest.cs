using System.Buffers.Binary;
using Aerie.DataModel;
using Aerie.DataModel.Bins;
using Aerie.DataModel.Packed;
using Aerie.Foundation;
using Xunit;

namespace Aerie.Node.Tests.DataModel.Operations;

internal delegate ResultCode BinOperation(BinValue bin, bool modifies, ReadOnlySpan<byte> call, OpOutcome outcome);

/// One bin that operations run on, one after the other, as a record would hold it.
internal sealed class BinUnderTest(BinOperation run, int lengthMax = 64 * 1024 * 1024)
{
    private readonly OpOutcome _outcome = new(new GrowingBytes(lengthMax), new GrowingBytes(lengthMax));

    public ParticleType Type { get; private set; }

    public byte[] Bytes { get; private set; } = [];

    public ParticleType ReplyType { get; private set; }

    public byte[] Reply { get; private set; } = [];

    public bool HasChanged { get; private set; }

    public long? ReplyInteger => ReplyType == ParticleType.Null ? null : BinaryPrimitives.ReadInt64BigEndian(Of(ParticleType.Integer));

    public double ReplyDouble => BinaryPrimitives.ReadDoubleBigEndian(Of(ParticleType.Double));

    public BinUnderTest Put(byte[]? bytes, ParticleType type = ParticleType.Bytes)
    {
        Type = bytes is null ? ParticleType.Null : type;
        Bytes = bytes ?? [];
        return this;
    }

    public ResultCode Modify(params object[] call) => Run(modifies: true, PackedCall.Of(call));

    public ResultCode Read(params object[] call) => Run(modifies: false, PackedCall.Of(call));

    public ResultCode Run(bool modifies, byte[] call)
    {
        _outcome.Value.Clear();
        _outcome.Reply.Clear();
        _outcome.Begin();
        var result = run(new BinValue(Type, Bytes), modifies, call, _outcome);
        (ReplyType, Reply, HasChanged) = (ParticleType.Null, [], false);
        if (result != ResultCode.Ok)
        {
            return result;
        }

        (ReplyType, Reply) = (_outcome.ReplyType, _outcome.NewReply.Bytes.ToArray());
        HasChanged = _outcome.HasChanged;
        if (HasChanged)
        {
            (Type, Bytes) = (_outcome.ValueType, _outcome.NewValue.Bytes.ToArray());
        }

        return result;
    }

    /// Managed bytes that each of `times` equal calls takes once everything has grown.
    public long AllocatedEach(bool modifies, byte[] call, int times = 1_000)
    {
        var before = 0L;
        for (var i = -times; i < times; i++)
        {
            before = i == 0 ? GC.GetAllocatedBytesForCurrentThread() : before;
            _outcome.Value.Clear();
            _outcome.Reply.Clear();
            _outcome.Begin();
            var result = run(new BinValue(Type, Bytes), modifies, call, _outcome);
            Invariant.Holds(result == ResultCode.Ok);
        }

        return (GC.GetAllocatedBytesForCurrentThread() - before) / times;
    }

    private byte[] Of(ParticleType type)
    {
        Assert.Equal(type, ReplyType);
        return Reply;
    }
}

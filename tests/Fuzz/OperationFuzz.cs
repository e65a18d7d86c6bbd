using System.Buffers.Binary;
using Aerie.DataModel;
using Aerie.DataModel.Bins;
using Aerie.DataModel.Packed;
using Aerie.Foundation;

namespace Aerie.Fuzz;

internal delegate ResultCode BinOperation(BinValue bin, bool modifies, ReadOnlySpan<byte> call, OpOutcome outcome);

/// An operation on one bin. The input is: a byte, whose lowest bit says that the operation modifies and the next that there is no
/// such bin; the length of the bin's value as two bytes; the value; the call.
internal sealed class OperationFuzz(ParticleType type, BinOperation operation)
{
    private const int HeaderLength = 3;
    private const int LengthMax = 16 * 1024 * 1024;

    private readonly OpOutcome _outcome = new(new GrowingBytes(LengthMax), new GrowingBytes(LengthMax));

    /// The bin's new value; empty when there is none.
    public ReadOnlySpan<byte> Run(ReadOnlySpan<byte> input)
    {
        if (input.Length < HeaderLength)
        {
            return default;
        }

        var rest = input[HeaderLength..];
        var length = Math.Min(BinaryPrimitives.ReadUInt16BigEndian(input[1..]), rest.Length);
        var bin = new BinValue((input[0] & 2) == 0 ? type : ParticleType.Null, (input[0] & 2) == 0 ? rest[..length] : default);
        _outcome.Value.Clear();
        _outcome.Reply.Clear();
        _outcome.Begin();
        var result = operation(bin, (input[0] & 1) != 0, rest[length..], _outcome);
        if (result != ResultCode.Ok || !_outcome.HasChanged)
        {
            return default;
        }

        Invariant.Holds((input[0] & 1) != 0 && _outcome.ValueType == type);
        return _outcome.NewValue.Bytes;
    }
}

using Aerie.DataModel.Bins;
using Aerie.DataModel.Packed;
using Aerie.Foundation;

namespace Aerie.DataModel.Bits;

/// Operations on the bits of a blob (op codes 12 and 13).
public static class BitsCommand
{
    /// A blob cannot be larger than the largest record; a longer one is not even built.
    public const int BlobLengthMax = 8 * 1024 * 1024;

    /// `call` is `[code, argument…]`, `modifies` says whether it came as a modifying op. An answer and a new value go to `outcome`,
    /// which the caller has begun. A read of a bin that is not there answers nothing.
    public static ResultCode Run(BinValue bin, bool modifies, ReadOnlySpan<byte> call, OpOutcome outcome)
    {
        var reader = new PackedReader(call);
        var arguments = default(BitCall);
        if (!reader.TryRead(out var head) || head.Kind != PackedKind.List || head.Count == 0 || !reader.TryInteger(out var code)
            || BitOperation.Find(code) is not { } operation || operation.Modifies != modifies
            || !arguments.TryParse(ref reader, operation, head.Count - 1))
        {
            return ResultCode.Parameter;
        }

        if (bin.Type is not (ParticleType.Null or ParticleType.Bytes))
        {
            return ResultCode.IncompatibleType;
        }

        var result = Admit(bin, operation, arguments.Flags, out var goesOn);
        if (goesOn)
        {
            result = Apply(bin.Bytes, operation, ref arguments, outcome);
        }

        if (outcome.Value.Overflowed || outcome.Reply.Overflowed)
        {
            return ResultCode.RecordTooBig;
        }

        return (arguments.Flags & BitFlags.NoFail) != 0 && result != ResultCode.RecordTooBig ? ResultCode.Ok : result;
    }

    // Does the bin being there, or not, let the operation go on?
    private static ResultCode Admit(BinValue bin, BitOperation operation, BitFlags flags, out bool goesOn)
    {
        goesOn = false;
        if (bin.IsMissing && !operation.Modifies)
        {
            return ResultCode.Ok;
        }

        if (bin.IsMissing && (!operation.Creates || (flags & BitFlags.UpdateOnly) != 0))
        {
            return ResultCode.BinNotFound;
        }

        if (!bin.IsMissing && (flags & BitFlags.CreateOnly) != 0)
        {
            return ResultCode.BinExists;
        }

        goesOn = true;
        return ResultCode.Ok;
    }

    // Resize and insert reach behind the end: they find their place themselves.
    private static ResultCode Apply(ReadOnlySpan<byte> blob, BitOperation operation, ref BitCall arguments, OpOutcome outcome)
    {
        if (!operation.Creates)
        {
            var placed = operation.CountsBytes
                ? arguments.Place(blob.Length, ResultCode.Parameter)
                : arguments.Place(blob.Length * 8L, ResultCode.OpNotApplicable);
            if (placed != ResultCode.Ok)
            {
                return placed;
            }
        }

        return operation.Handler(arguments, blob, outcome);
    }
}

using Aerie.DataModel.Bins;
using Aerie.DataModel.Packed;
using Aerie.Foundation;

namespace Aerie.DataModel.Hll;

/// Operations on sketches that estimate how many different values there are (op codes 15 and 16).
public static class HllCommand
{
    /// `call` is `[code, argument…]`, `modifies` says whether it came as a modifying op. An answer and a new value go to `outcome`,
    /// which the caller has begun. A read of a bin that is not there answers nothing.
    public static ResultCode Run(BinValue bin, bool modifies, ReadOnlySpan<byte> call, HllScratch scratch, OpOutcome outcome)
    {
        scratch.Clear();
        var reader = new PackedReader(call);
        var arguments = new HllCall();
        if (!reader.TryRead(out var head) || head.Kind != PackedKind.List || head.Count == 0 || !reader.TryInteger(out var code)
            || HllOperation.Find(code) is not { } operation || operation.Modifies != modifies
            || !arguments.TryParse(ref reader, operation, head.Count - 1, scratch))
        {
            return ResultCode.Parameter;
        }

        if (bin.Type is not (ParticleType.Null or ParticleType.Hll))
        {
            return ResultCode.IncompatibleType;
        }

        if (!bin.IsMissing && !HllSketch.TryOpen(bin.Bytes, out _))
        {
            return ResultCode.Parameter;
        }

        var result = Admit(bin, operation, arguments.Flags, out var goesOn);
        if (goesOn)
        {
            result = operation.Handler(arguments, new HllContext { Own = bin.Bytes, Call = call, Scratch = scratch, Outcome = outcome });
        }

        if (outcome.Value.Overflowed || outcome.Reply.Overflowed)
        {
            return ResultCode.RecordTooBig;
        }

        return (arguments.Flags & HllFlags.NoFail) != 0 ? ResultCode.Ok : result;
    }

    // Does the bin being there, or not, let the operation go on?
    private static ResultCode Admit(BinValue bin, HllOperation operation, HllFlags flags, out bool goesOn)
    {
        goesOn = false;
        if (bin.IsMissing && !operation.Modifies)
        {
            return ResultCode.Ok;
        }

        if (bin.IsMissing && (!operation.Creates || (flags & HllFlags.UpdateOnly) != 0))
        {
            return ResultCode.BinNotFound;
        }

        if (!bin.IsMissing && (flags & HllFlags.CreateOnly) != 0)
        {
            return ResultCode.BinExists;
        }

        goesOn = true;
        return ResultCode.Ok;
    }
}

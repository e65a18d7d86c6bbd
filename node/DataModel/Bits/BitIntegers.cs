using Aerie.DataModel.Bins;
using Aerie.Foundation;

namespace Aerie.DataModel.Bits;

/// Operations on a run of up to 64 bits as one big-endian integer. The operand is cut to as many bits first.
internal static class BitIntegers
{
    public static ResultCode Set(scoped in BitCall call, ReadOnlySpan<byte> blob, OpOutcome outcome) =>
        Store(call, blob, outcome, (ulong)call.Number);

    public static ResultCode Add(scoped in BitCall call, ReadOnlySpan<byte> blob, OpOutcome outcome)
    {
        var a = BitSpan.Read(blob, call.Start, call.Count);
        var b = (ulong)call.Number & BitSpan.Mask(call.Count);
        var sum = unchecked(a + b) & BitSpan.Mask(call.Count);
        if ((call.Integer & IntegerFlags.Signed) == 0)
        {
            return sum >= a ? Store(call, blob, outcome, sum) : Overflow(call, blob, outcome, sum, BitSpan.Mask(call.Count));
        }

        // An overflow it is where the operands agree in their sign and the sum does not.
        var sign = Sign(call.Count);
        return ((a ^ sum) & (b ^ sum) & sign) == 0
            ? Store(call, blob, outcome, sum)
            : Overflow(call, blob, outcome, sum, (a & sign) == 0 ? sign - 1 : sign);
    }

    public static ResultCode Subtract(scoped in BitCall call, ReadOnlySpan<byte> blob, OpOutcome outcome)
    {
        var a = BitSpan.Read(blob, call.Start, call.Count);
        var b = (ulong)call.Number & BitSpan.Mask(call.Count);
        var difference = unchecked(a - b) & BitSpan.Mask(call.Count);
        if ((call.Integer & IntegerFlags.Signed) == 0)
        {
            return a >= b ? Store(call, blob, outcome, difference) : Overflow(call, blob, outcome, difference, 0);
        }

        var sign = Sign(call.Count);
        return ((a ^ b) & (a ^ difference) & sign) == 0
            ? Store(call, blob, outcome, difference)
            : Overflow(call, blob, outcome, difference, (a & sign) == 0 ? sign - 1 : sign);
    }

    private static ulong Sign(int count) => 1UL << (count - 1);

    private static ResultCode Overflow(scoped in BitCall call, ReadOnlySpan<byte> blob, OpOutcome outcome, ulong wrapped, ulong limit)
    {
        if ((call.Integer & IntegerFlags.Wrap) != 0)
        {
            return Store(call, blob, outcome, wrapped);
        }

        return (call.Integer & IntegerFlags.Saturate) != 0 ? Store(call, blob, outcome, limit) : ResultCode.OpNotApplicable;
    }

    private static ResultCode Store(scoped in BitCall call, ReadOnlySpan<byte> blob, OpOutcome outcome, ulong value)
    {
        var target = outcome.Value.Reserve(blob.Length);
        blob.CopyTo(target);
        BitSpan.Write(target, call.Start, call.Count, value);
        outcome.Value.Commit(blob.Length);
        outcome.Change(ParticleType.Bytes);
        return ResultCode.Ok;
    }
}

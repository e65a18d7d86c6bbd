using System.Buffers.Binary;
using System.Numerics;
using Aerie.DataModel.Bins;
using Aerie.Foundation;

namespace Aerie.DataModel.Bits;

/// Operations that answer something about a run of bits.
internal static class BitReads
{
    /// The bits from the left; the last byte is filled up with zeros.
    public static ResultCode Get(scoped in BitCall call, ReadOnlySpan<byte> blob, OpOutcome outcome)
    {
        var length = (call.Count + 7) / 8;
        var target = outcome.Reply.Reserve(length);
        target[^1] = 0;
        for (var done = 0; done < call.Count; done += BitSpan.WordBits)
        {
            var count = Math.Min(BitSpan.WordBits, call.Count - done);
            BitSpan.Write(target, done, count, BitSpan.Read(blob, call.Start + done, count));
        }

        outcome.Reply.Commit(length);
        outcome.Answer(ParticleType.Bytes);
        return ResultCode.Ok;
    }

    public static ResultCode GetInteger(scoped in BitCall call, ReadOnlySpan<byte> blob, OpOutcome outcome)
    {
        var run = BitSpan.Read(blob, call.Start, call.Count);
        return Answer(outcome, (call.Integer & IntegerFlags.Signed) != 0 ? BitSpan.Signed(run, call.Count) : (long)run);
    }

    public static ResultCode Count(scoped in BitCall call, ReadOnlySpan<byte> blob, OpOutcome outcome)
    {
        var ones = 0L;
        for (var done = 0; done < call.Count; done += BitSpan.WordBits)
        {
            ones += BitOperations.PopCount(BitSpan.Read(blob, call.Start + done, Math.Min(BitSpan.WordBits, call.Count - done)));
        }

        return Answer(outcome, ones);
    }

    /// The place of the first such bit, counted from where the run starts; -1 when there is none.
    public static ResultCode ScanFromLeft(scoped in BitCall call, ReadOnlySpan<byte> blob, OpOutcome outcome)
    {
        for (var done = 0; done < call.Count; done += BitSpan.WordBits)
        {
            var count = Math.Min(BitSpan.WordBits, call.Count - done);
            var found = Sought(call, blob, done, count);
            if (found != 0)
            {
                return Answer(outcome, done + BitOperations.LeadingZeroCount(found << (BitSpan.WordBits - count)));
            }
        }

        return Answer(outcome, -1);
    }

    /// The place of the last such bit.
    public static ResultCode ScanFromRight(scoped in BitCall call, ReadOnlySpan<byte> blob, OpOutcome outcome)
    {
        for (var left = call.Count; left > 0; left -= BitSpan.WordBits)
        {
            var count = Math.Min(BitSpan.WordBits, left);
            var found = Sought(call, blob, left - count, count);
            if (found != 0)
            {
                return Answer(outcome, left - 1 - BitOperations.TrailingZeroCount(found));
            }
        }

        return Answer(outcome, -1);
    }

    private static ulong Sought(scoped in BitCall call, ReadOnlySpan<byte> blob, int done, int count)
    {
        var run = BitSpan.Read(blob, call.Start + done, count);
        return call.Sought ? run : ~run & BitSpan.Mask(count);
    }

    private static ResultCode Answer(OpOutcome outcome, long value)
    {
        BinaryPrimitives.WriteInt64BigEndian(outcome.Reply.Reserve(sizeof(long)), value);
        outcome.Reply.Commit(sizeof(long));
        outcome.Answer(ParticleType.Integer);
        return ResultCode.Ok;
    }
}

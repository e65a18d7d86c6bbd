using Aerie.DataModel.Bins;
using Aerie.Foundation;

namespace Aerie.DataModel.Bits;

/// Operations that rewrite a run of bits, word by word. They read the old blob and write its copy, so that a shift may go
/// either way.
internal static class BitRuns
{
    private delegate ulong Word(scoped in BitCall call, ReadOnlySpan<byte> blob, int done, int count);

    public static ResultCode Set(scoped in BitCall call, ReadOnlySpan<byte> blob, OpOutcome outcome) =>
        Rewrite(call, blob, outcome, static (scoped in BitCall call, ReadOnlySpan<byte> blob, int done, int count) =>
            New(call, done, count));

    public static ResultCode Or(scoped in BitCall call, ReadOnlySpan<byte> blob, OpOutcome outcome) =>
        Rewrite(call, blob, outcome, static (scoped in BitCall call, ReadOnlySpan<byte> blob, int done, int count) =>
            Old(call, blob, done, count) | New(call, done, count));

    public static ResultCode Xor(scoped in BitCall call, ReadOnlySpan<byte> blob, OpOutcome outcome) =>
        Rewrite(call, blob, outcome, static (scoped in BitCall call, ReadOnlySpan<byte> blob, int done, int count) =>
            Old(call, blob, done, count) ^ New(call, done, count));

    public static ResultCode And(scoped in BitCall call, ReadOnlySpan<byte> blob, OpOutcome outcome) =>
        Rewrite(call, blob, outcome, static (scoped in BitCall call, ReadOnlySpan<byte> blob, int done, int count) =>
            Old(call, blob, done, count) & New(call, done, count));

    public static ResultCode Not(scoped in BitCall call, ReadOnlySpan<byte> blob, OpOutcome outcome) =>
        Rewrite(call, blob, outcome, static (scoped in BitCall call, ReadOnlySpan<byte> blob, int done, int count) =>
            ~Old(call, blob, done, count));

    /// Bits that leave the run are lost; zeros come in.
    public static ResultCode ShiftLeft(scoped in BitCall call, ReadOnlySpan<byte> blob, OpOutcome outcome) =>
        Rewrite(call, blob, outcome, static (scoped in BitCall call, ReadOnlySpan<byte> blob, int done, int count) =>
        {
            var left = call.Count - done - Math.Min(call.Number, call.Count);
            var from = done + (int)Math.Min(call.Number, call.Count);
            return left >= count ? Old(call, blob, from, count)
                : left <= 0 ? 0
                : Old(call, blob, from, (int)left) << (int)(count - left);
        });

    public static ResultCode ShiftRight(scoped in BitCall call, ReadOnlySpan<byte> blob, OpOutcome outcome) =>
        Rewrite(call, blob, outcome, static (scoped in BitCall call, ReadOnlySpan<byte> blob, int done, int count) =>
        {
            var from = done - (int)Math.Min(call.Number, call.Count);
            return from >= 0 ? Old(call, blob, from, count)
                : from + count <= 0 ? 0
                : Old(call, blob, 0, from + count);
        });

    // The first step ends at a whole word of the blob, so that the steps after it write whole words.
    private static ResultCode Rewrite(scoped in BitCall call, ReadOnlySpan<byte> blob, OpOutcome outcome, Word word)
    {
        var target = outcome.Value.Reserve(blob.Length);
        blob.CopyTo(target);
        var count = BitSpan.WordBits - (call.Start & (BitSpan.WordBits - 1));
        for (var done = 0; done < call.Count; done += count, count = BitSpan.WordBits)
        {
            count = Math.Min(count, call.Count - done);
            BitSpan.Write(target, call.Start + done, count, word(call, blob, done, count));
        }

        outcome.Value.Commit(blob.Length);
        outcome.Change(ParticleType.Bytes);
        return ResultCode.Ok;
    }

    private static ulong Old(scoped in BitCall call, ReadOnlySpan<byte> blob, int done, int count) =>
        BitSpan.Read(blob, call.Start + done, count);

    private static ulong New(scoped in BitCall call, int done, int count) => BitSpan.Read(call.Blob, done, count);
}

using Aerie.DataModel.Bins;
using Aerie.Foundation;

namespace Aerie.DataModel.Bits;

/// Operations that change how many bytes there are.
internal static class BitBytes
{
    public static ResultCode Resize(scoped in BitCall call, ReadOnlySpan<byte> blob, OpOutcome outcome)
    {
        var refused = call.Size < blob.Length ? ResizeFlags.GrowOnly : call.Size > blob.Length ? ResizeFlags.ShrinkOnly : ResizeFlags.None;
        if ((call.Resize & refused) != 0)
        {
            return ResultCode.Parameter;
        }

        if (call.Size > BitsCommand.BlobLengthMax)
        {
            return ResultCode.RecordTooBig;
        }

        var size = (int)call.Size;
        var kept = Math.Min(size, blob.Length);
        var target = outcome.Value.Reserve(size);
        if ((call.Resize & ResizeFlags.FromFront) != 0)
        {
            blob[^kept..].CopyTo(target[^kept..]);
            target[..^kept].Clear();
        }
        else
        {
            blob[..kept].CopyTo(target);
            target[kept..].Clear();
        }

        return Store(outcome, size);
    }

    /// Between the end and an offset behind it come zeros.
    public static ResultCode Insert(scoped in BitCall call, ReadOnlySpan<byte> blob, OpOutcome outcome)
    {
        var offset = call.Offset < 0 ? blob.Length + call.Offset : call.Offset;
        if (offset < 0)
        {
            return ResultCode.Parameter;
        }

        if (Math.Max(offset, blob.Length) > BitsCommand.BlobLengthMax - call.Blob.Length)
        {
            return ResultCode.RecordTooBig;
        }

        var at = (int)offset;
        var before = Math.Min(at, blob.Length);
        var size = Math.Max(at, blob.Length) + call.Blob.Length;
        var target = outcome.Value.Reserve(size);
        blob[..before].CopyTo(target);
        target[before..at].Clear();
        call.Blob.CopyTo(target[at..]);
        blob[before..].CopyTo(target[(at + call.Blob.Length)..]);
        return Store(outcome, size);
    }

    public static ResultCode Remove(scoped in BitCall call, ReadOnlySpan<byte> blob, OpOutcome outcome)
    {
        var size = blob.Length - call.Count;
        var target = outcome.Value.Reserve(size);
        blob[..call.Start].CopyTo(target);
        blob[(call.Start + call.Count)..].CopyTo(target[call.Start..]);
        return Store(outcome, size);
    }

    private static ResultCode Store(OpOutcome outcome, int length)
    {
        outcome.Value.Commit(length);
        outcome.Change(ParticleType.Bytes);
        return ResultCode.Ok;
    }
}

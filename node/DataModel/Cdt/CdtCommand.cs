using Aerie.DataModel.Bins;
using Aerie.DataModel.Packed;
using Aerie.Foundation;

namespace Aerie.DataModel.Cdt;

/// Runs one operation on a list or map.
public static class CdtCommand
{
    /// The bytes of a bin are not what its type says.
    internal const ResultCode Broken = ResultCode.IncompatibleType;

    /// `bin` is the bin as it is, `modifies` whether the operation came as one that may change it, `call` what the client sent. The
    /// caller begins the outcome; what an error has written there does not count.
    public static ResultCode Run(BinValue bin, bool modifies, ReadOnlySpan<byte> call, CdtScratch scratch, OpOutcome outcome)
    {
        if (CdtCall.IsByPathExpressions(call))
        {
            return ResultCode.Parameter; // paths with expressions are dispatched from here
        }

        if (!CdtCall.TryRead(call, out var read) || read.Operation.Modifies != modifies)
        {
            return ResultCode.Parameter;
        }

        scratch.Begin();
        if (!TryAdmit(ref read, scratch))
        {
            return ResultCode.Parameter;
        }

        var result = read.PathItems == 0 ? RunOnBin(bin, read, scratch, outcome) : RunAtPath(bin, read, scratch, outcome);
        scratch.Trim();
        var isTooBig = scratch.Work.Overflowed || scratch.OtherWork.Overflowed || outcome.Value.Overflowed || outcome.Reply.Overflowed;
        return isTooBig ? ResultCode.RecordTooBig : result;
    }

    private static ResultCode RunOnBin(BinValue bin, in CdtCall call, CdtScratch scratch, OpOutcome outcome)
    {
        var operation = call.Operation;
        if (bin.IsMissing && !operation.Creates)
        {
            return ResultCode.Ok;
        }

        var type = operation.OnMap ? ParticleType.Map : ParticleType.List;
        var target = PackedContainer.Empty(operation.OnMap, 0);
        if (!bin.IsMissing && (bin.Type != type || !PackedContainer.TryOpen(bin.Bytes, out target) || target.IsMap != operation.OnMap))
        {
            return ResultCode.IncompatibleType;
        }

        var job = Job(call, target, bin.IsMissing, scratch, outcome, outcome.Value);
        var result = Work(ref job);
        if (result == ResultCode.Ok && job.HasChanged)
        {
            CdtIndex.Attach(outcome.Value, outcome.ValueOffset, scratch);
            outcome.Change(type);
        }

        return result;
    }

    private static ResultCode RunAtPath(BinValue bin, in CdtCall call, CdtScratch scratch, OpOutcome outcome)
    {
        var operation = call.Operation;
        var steps = call.Path;
        if (!CdtPath.TryReadItems(steps, call.PathItems, scratch.PathItems))
        {
            return ResultCode.Parameter;
        }

        if (!bin.IsMissing && bin.Type is not (ParticleType.List or ParticleType.Map))
        {
            return ResultCode.IncompatibleType;
        }

        if (bin.IsMissing && !operation.Modifies)
        {
            return ResultCode.Ok;
        }

        var walk = default(CdtWalk);
        var found = bin.IsMissing ? ResultCode.Ok : CdtPath.Walk(bin.Bytes, steps, call.PathItems, scratch, out walk);
        if (found != ResultCode.Ok)
        {
            return found;
        }

        var isNew = walk.Found < call.PathItems;
        if (isNew && (!operation.Modifies || !CdtRebuild.CanCreate(bin.Bytes, steps, call.PathItems, walk, scratch)))
        {
            return ResultCode.OpNotApplicable;
        }

        if (isNew && !operation.Creates)
        {
            return ResultCode.Ok;
        }

        var target = PackedContainer.Empty(operation.OnMap, 0);
        if (!isNew && (!PackedContainer.TryOpen(bin.Bytes[walk.Start..walk.End], out target) || target.IsMap != operation.OnMap))
        {
            return ResultCode.IncompatibleType;
        }

        var job = Job(call, target, isNew, scratch, outcome, scratch.Work);
        var result = Work(ref job);
        if (result == ResultCode.Ok && job.HasChanged)
        {
            var isMap = CdtRebuild.Write(bin.Bytes, steps, call.PathItems, walk, scratch, outcome);
            CdtIndex.Attach(outcome.Value, outcome.ValueOffset, scratch);
            outcome.Change(isMap ? ParticleType.Map : ParticleType.List);
        }

        return result;
    }

    private static CdtJob Job(
        in CdtCall call, in PackedContainer target, bool isNew, CdtScratch scratch, OpOutcome outcome, GrowingBytes output) => new()
    {
        Operation = call.Operation,
        Arguments = call.Arguments,
        Target = target,
        IsNew = isNew,
        Scratch = scratch,
        Outcome = outcome,
        Output = output,
        IsTop = output == outcome.Value,
    };

    private static ResultCode Work(ref CdtJob job) =>
        job.Operation.Write != null ? job.Operation.Write(ref job) : CdtSelect.Run(ref job);

    // What is written may not become deeper than values can be read, and what it calls ordered must be: such arguments are taken
    // from a clean copy. Parents of the path count whether they exist or not.
    private static bool TryAdmit(ref CdtCall call, CdtScratch scratch)
    {
        if (!call.Operation.Modifies || call.Operation.Write == null)
        {
            return true;
        }

        var levels = call.PathItems + 1;
        var isClean = true;
        for (var i = 0; i < call.Arguments.Count; i++)
        {
            var value = call.Arguments[i];
            PackedSkip.Survey(value, out var containers, out var hasExtensions);
            if ((levels + containers >= PackedReader.DepthMax && levels + PackedSkip.Depth(value) >= PackedReader.DepthMax)
                || (hasExtensions && CdtWire.HasForeign(value)))
            {
                return false;
            }

            isClean &= !hasExtensions || CdtWire.IsClean(value);
        }

        if (levels >= PackedReader.DepthMax || isClean)
        {
            return levels < PackedReader.DepthMax;
        }

        var isRead = call.Arguments.TryClean(call.Operation, scratch, out var clean);
        call.Arguments = clean;
        return isRead;
    }
}

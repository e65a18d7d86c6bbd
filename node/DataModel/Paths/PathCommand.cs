using Aerie.DataModel.Bins;
using Aerie.DataModel.Cdt;
using Aerie.DataModel.Expressions;
using Aerie.DataModel.Packed;
using Aerie.Foundation;

namespace Aerie.DataModel.Paths;

/// Operations on lists and maps (op codes 3 and 4) whose code is 0xFE: `[0xFE, [kind, argument, …], flags, modification?]`. They are
/// compiled once and run on as many records as the request has. CdtCall.IsByPathExpressions tells them from others.
public static class PathCommand
{
    /// Whether a call of op codes 3 and 4 is one of these.
    public static bool Is(ReadOnlySpan<byte> call) => CdtCall.IsByPathExpressions(call);

    public static ResultCode Compile(ReadOnlySpan<byte> call, bool modifies, ExpProgram program) =>
        ExpCompiler.CompilePath(call, modifies, program);

    /// `bin` is the bin as it is; conditions may look at the others of the record. The caller begins the outcome. A bin that is not
    /// there has no answer and does not change.
    public static ResultCode Run<TRecord>(ExpProgram path, BinValue bin, TRecord record, ExpScratch scratch, OpOutcome outcome)
        where TRecord : IRecordView, allows ref struct
    {
        if (bin.IsMissing)
        {
            return ResultCode.Ok;
        }

        if (bin.Type is not (ParticleType.List or ParticleType.Map))
        {
            return ResultCode.OpNotApplicable;
        }

        var result = ExpEvaluation.TakePath(path, scratch, record, bin, out var found);
        if (result != ResultCode.Ok)
        {
            return result;
        }

        var bytes = scratch.Paths.Read(0, scratch.Paths.Length);
        if (path.Kind == ExpKind.ModifyingPath)
        {
            return found == 0 ? ResultCode.Ok : Change(bytes, bin.Type, scratch, outcome);
        }

        outcome.Reply.Append(bytes);
        outcome.Answer((path[0].Bits & ~PathMode.NoFail) == PathMode.Tree ? bin.Type : ParticleType.List);
        return outcome.Reply.Overflowed ? ResultCode.RecordTooBig : ResultCode.Ok;
    }

    private static ResultCode Change(ReadOnlySpan<byte> bytes, ParticleType type, ExpScratch scratch, OpOutcome outcome)
    {
        if (PackedSkip.Depth(bytes) >= PackedReader.DepthMax)
        {
            return ResultCode.Parameter;
        }

        outcome.Value.Append(bytes);
        CdtIndex.Attach(outcome.Value, outcome.ValueOffset, scratch.Cdt);
        outcome.Change(type);
        return outcome.Value.Overflowed ? ResultCode.RecordTooBig : ResultCode.Ok;
    }
}

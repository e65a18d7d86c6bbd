using Aerie.DataModel;
using Aerie.DataModel.Bins;
using Aerie.DataModel.Bits;
using Aerie.DataModel.Cdt;
using Aerie.DataModel.Expressions;
using Aerie.DataModel.Hll;
using Aerie.DataModel.Paths;
using Aerie.Foundation;
using Aerie.Protocol;
using Aerie.Server.Records;

namespace Aerie.Server.Transactions;

/// Operations whose effect the data model works out from the bin's value: what they answer goes into the reply, what they make of
/// the bin into the draft.
internal readonly ref struct ComputedOps(Worker worker, RecordView view, DraftSources sources, bool respondsAll)
{
    private readonly RecordView _view = view;
    private readonly DraftSources _sources = sources;

    /// An error leaves draft and reply as they were.
    public ResultCode Run(OpRow row, scoped in Op op, ref RecordReply reply)
    {
        var draft = worker.Draft;
        var outcome = worker.Outcome;
        outcome.Begin();
        var slot = draft.Find(_sources, op.Name);
        var bin = slot < 0 ? default : new BinValue(draft.TypeOf(slot), draft.ValueOf(_sources, slot));
        var result = Compute(row, op, bin, outcome);
        if (result == ResultCode.Ok && outcome.HasChanged)
        {
            result = Change(op, outcome);
        }

        if (result == ResultCode.Ok && (respondsAll || outcome.ReplyType != ParticleType.Null))
        {
            var answer = outcome.NewReply;
            reply.AddOp(op.Name, answer.Type, answer.Bytes);
        }

        outcome.Reply.WindBack(outcome.ReplyOffset);
        return result != ResultCode.Ok ? result : reply.Overflowed ? ResultCode.Parameter : ResultCode.Ok;
    }

    /// Ok: it can be read, whatever it will meet. For who runs it on many records later.
    public static ResultCode Check(Worker worker, OpRow row, scoped in Op op)
    {
        var outcome = worker.Outcome;
        outcome.Begin();
        var result = row.Kind switch
        {
            OpKind.Cdt when PathCommand.Is(op.Value) => Compile(worker, op.Value, row.Modifies, isPath: true),
            OpKind.Cdt => CdtCommand.Run(default, row.Modifies, op.Value, worker.Scratches.Cdt, outcome),
            OpKind.Hll => HllCommand.Run(default, row.Modifies, op.Value, worker.Scratches.Hll, outcome),
            OpKind.Bits => BitsCommand.Run(default, row.Modifies, op.Value, outcome),
            OpKind.Expression => Compile(worker, op.Value, row.Modifies, isPath: false),
            _ => ResultCode.Ok,
        };
        outcome.Reply.WindBack(outcome.ReplyOffset);
        return result == ResultCode.Parameter ? result : ResultCode.Ok; // no bin was there; what is asked of one may be right
    }

    private static ResultCode Compile(Worker worker, ReadOnlySpan<byte> value, bool modifies, bool isPath)
    {
        var scratch = worker.Scratches.Expressions;
        var program = scratch.Rent();
        var result = isPath ? PathCommand.Compile(value, modifies, program) : ExpOps.Compile(value, program);
        scratch.Return(program);
        return result;
    }

    private ResultCode Compute(OpRow row, scoped in Op op, BinValue bin, OpOutcome outcome) => row.Kind switch
    {
        OpKind.Cdt when PathCommand.Is(op.Value) => Walk(row, op, bin, outcome),
        OpKind.Cdt => CdtCommand.Run(bin, row.Modifies, op.Value, worker.Scratches.Cdt, outcome),
        OpKind.Hll => HllCommand.Run(bin, row.Modifies, op.Value, worker.Scratches.Hll, outcome),
        OpKind.Bits => BitsCommand.Run(bin, row.Modifies, op.Value, outcome),
        OpKind.Expression => Evaluate(row, op, bin, outcome),
        _ => ResultCode.Parameter,
    };

    private ResultCode Walk(OpRow row, scoped in Op op, BinValue bin, OpOutcome outcome)
    {
        var scratch = worker.Scratches.Expressions;
        var program = scratch.Rent();
        var result = PathCommand.Compile(op.Value, row.Modifies, program);
        result = result == ResultCode.Ok ? PathCommand.Run(program, bin, _view, scratch, outcome) : result;
        scratch.Return(program);
        return result;
    }

    private ResultCode Evaluate(OpRow row, scoped in Op op, BinValue bin, OpOutcome outcome)
    {
        var scratch = worker.Scratches.Expressions;
        var program = scratch.Rent();
        var result = ExpOps.Compile(op.Value, program);
        if (result == ResultCode.Ok)
        {
            result = row.Modifies
                ? ExpOps.Modify(program, bin.Type, _view, scratch, outcome)
                : ExpOps.Read(program, _view, scratch, outcome);
        }

        scratch.Return(program);
        return result;
    }

    private ResultCode Change(scoped in Op op, OpOutcome outcome)
    {
        if (outcome.ValueType == ParticleType.Null)
        {
            worker.Draft.Remove(_sources, op.Name);
            return ResultCode.Ok;
        }

        var operand = new BinOperand { Name = op.Name, NameOffset = op.NameOffset };
        return worker.Draft.PutComputed(_sources, operand, outcome.ValueType, outcome.ValueOffset, outcome.ValueLength);
    }
}

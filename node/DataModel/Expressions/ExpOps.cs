using Aerie.DataModel.Bins;
using Aerie.DataModel.Cdt;
using Aerie.DataModel.Geo;
using Aerie.DataModel.Packed;
using Aerie.Foundation;

namespace Aerie.DataModel.Expressions;

/// How an operation takes what its expression comes to. The numbers are the wire's.
[Flags]
public enum ExpOpFlags : byte
{
    None = 0,
    CreateOnly = 1,
    UpdateOnly = 2,

    /// Nil removes the bin; without this it is refused.
    AllowDelete = 4,

    /// What the flags above refuse is passed over.
    PolicyNoFail = 8,

    /// Unknown is passed over.
    EvalNoFail = 16,
}

/// The operations that read an expression (7) and write one into a bin (8). Their operand is `[expression, flags]`; it is compiled
/// once, and run on as many records as the request has.
public static class ExpOps
{
    private const long KnownFlags = 31;

    public static ResultCode Compile(ReadOnlySpan<byte> operand, ExpProgram program)
    {
        var reader = new PackedReader(operand);
        if (!reader.TryRead(out var pair) || pair.Kind != PackedKind.List || pair.Count != 2
            || !reader.TryTake(out var expression) || !reader.TryInteger(out var flags) || !reader.IsAtEnd
            || (flags & ~KnownFlags) != 0)
        {
            return ResultCode.Parameter;
        }

        var both = (long)(ExpOpFlags.CreateOnly | ExpOpFlags.UpdateOnly);
        if ((flags & both) == both)
        {
            return ResultCode.Parameter;
        }

        var result = ExpCompiler.Compile(expression, program);
        program.Flags = (ExpOpFlags)flags;
        return result;
    }

    /// Answers the value; nothing where it is nil, or unknown and that is passed over.
    public static ResultCode Read<TRecord>(ExpProgram program, TRecord record, ExpScratch scratch, OpOutcome outcome)
        where TRecord : IRecordView, allows ref struct
    {
        var result = ExpEvaluation.EvaluateValue(program, scratch, record, out var value);
        if (result != ResultCode.Ok)
        {
            return PassOver(result, program.Flags);
        }

        if (value.Type is ParticleType.List or ParticleType.Map)
        {
            CdtWire.Append(outcome.Reply, value.Bytes);
            outcome.Answer(value.Type);
        }
        else if (!value.IsMissing)
        {
            outcome.Reply.Append(value.Bytes);
            outcome.Answer(value.Type);
        }

        return outcome.Reply.Overflowed ? ResultCode.RecordTooBig : ResultCode.Ok;
    }

    /// Changes the bin, whose present type is given, to the value. Answers nothing.
    public static ResultCode Modify<TRecord>(ExpProgram program, ParticleType bin, TRecord record, ExpScratch scratch, OpOutcome outcome)
        where TRecord : IRecordView, allows ref struct
    {
        var isThere = bin != ParticleType.Null;
        if (isThere && Has(program.Flags, ExpOpFlags.CreateOnly))
        {
            return Refuse(ResultCode.BinExists, program.Flags);
        }

        if (!isThere && Has(program.Flags, ExpOpFlags.UpdateOnly))
        {
            return Refuse(ResultCode.BinNotFound, program.Flags);
        }

        var result = ExpEvaluation.EvaluateValue(program, scratch, record, out var value);
        if (result != ResultCode.Ok)
        {
            return PassOver(result, program.Flags);
        }

        if (value.IsMissing && !Has(program.Flags, ExpOpFlags.AllowDelete))
        {
            return Refuse(ResultCode.OpNotApplicable, program.Flags);
        }

        return isThere || !value.IsMissing ? Write(value, scratch, outcome) : ResultCode.Ok;
    }

    /// As if a client had written the value: a bin of a place holds the cells that cover it, ordered lists and maps are in order.
    private static ResultCode Write(BinValue value, ExpScratch scratch, OpOutcome outcome)
    {
        var result = ResultCode.Ok;
        var asGiven = true;
        if (value.Type == ParticleType.GeoJson)
        {
            GeoParticle.TryText(value.Bytes, out var json);
            result = GeoParticle.TryBuild(json, scratch.Covering, scratch.Geo, outcome.Value);
            asGiven = false;
        }
        else if (value.Type is ParticleType.List or ParticleType.Map)
        {
            result = CdtWire.Read(value.Bytes, value.Type, scratch.Cdt, outcome.Value, out asGiven);
        }

        if (result != ResultCode.Ok)
        {
            return result;
        }

        if (asGiven)
        {
            outcome.Value.Append(value.Bytes);
        }

        outcome.Change(value.Type);
        return outcome.Value.Overflowed ? ResultCode.RecordTooBig : ResultCode.Ok;
    }

    private static ResultCode Refuse(ResultCode code, ExpOpFlags flags) => Has(flags, ExpOpFlags.PolicyNoFail) ? ResultCode.Ok : code;

    private static ResultCode PassOver(ResultCode code, ExpOpFlags flags) =>
        code == ResultCode.OpNotApplicable && Has(flags, ExpOpFlags.EvalNoFail) ? ResultCode.Ok : code;

    private static bool Has(ExpOpFlags flags, ExpOpFlags flag) => (flags & flag) != 0;
}

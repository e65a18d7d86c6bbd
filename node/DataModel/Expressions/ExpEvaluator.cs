using System.Runtime.CompilerServices;
using Aerie.DataModel.Bins;
using Aerie.DataModel.Packed;
using Aerie.Foundation;

namespace Aerie.DataModel.Expressions;

/// Evaluates programs on records.
public static class ExpEvaluation
{
    /// What the filter comes to without the record itself: with True or False, nothing needs to be read.
    public static Trilean EvaluateMetadata<TRecord>(ExpProgram filter, ExpScratch scratch, in TRecord record)
        where TRecord : IRecordView, allows ref struct
    {
        if (filter.IsAboutBinsAlone)
        {
            return Trilean.Unknown;
        }

        scratch.Begin();
        return new ExpEvaluator<TRecord>(filter, scratch, record, metadataOnly: true).Test(0);
    }

    /// Unknown keeps a record out, as False does.
    public static Trilean EvaluateFilter<TRecord>(ExpProgram filter, ExpScratch scratch, in TRecord record)
        where TRecord : IRecordView, allows ref struct
    {
        scratch.Begin();
        return new ExpEvaluator<TRecord>(filter, scratch, record, metadataOnly: false).Test(0);
    }

    /// Takes a path into a list or map; see ExpEvaluator.TakePath. The answer is what stands in scratch.Paths.
    internal static ResultCode TakePath<TRecord>(ExpProgram path, ExpScratch scratch, in TRecord record, BinValue bin, out int found)
        where TRecord : IRecordView, allows ref struct
    {
        scratch.Begin();
        return new ExpEvaluator<TRecord>(path, scratch, record, metadataOnly: false).TakePath(0, bin.Bytes, out found);
    }

    /// The value as a bin would have it; type Null for nil. OpNotApplicable: unknown, or no value that a bin can have. What is
    /// handed out lies in the record, the program or the scratch.
    public static ResultCode EvaluateValue<TRecord>(ExpProgram program, ExpScratch scratch, in TRecord record, out BinValue result)
        where TRecord : IRecordView, allows ref struct
    {
        scratch.Begin();
        var isKnown = new ExpEvaluator<TRecord>(program, scratch, record, metadataOnly: false).Evaluate(0, out var value);
        result = default;
        if (!isKnown || value.Type == ExpType.Remove)
        {
            return ResultCode.OpNotApplicable;
        }

        return scratch.TryStore(value, out result) ? ResultCode.Ok : ResultCode.RecordTooBig;
    }
}

/// Walks a program on one record. False from Evaluate, Unknown from Test: unknown. Recursion is bounded by the depth that the
/// compiler admits, and work inside one step by the scratch.
internal ref partial struct ExpEvaluator<TRecord>
    where TRecord : IRecordView, allows ref struct
{
    private readonly ExpProgram _program;
    private readonly ExpScratch _scratch;
    private readonly ReadOnlySpan<ExpNode> _nodes;
    private readonly ReadOnlySpan<byte> _bytes;
    private readonly bool _metadataOnly;
    private TRecord _record;
    private LoopElement _loop;

    public ExpEvaluator(ExpProgram program, ExpScratch scratch, in TRecord record, bool metadataOnly)
    {
        _program = program;
        _scratch = scratch;
        _record = record;
        _nodes = program.Nodes;
        _bytes = program.Bytes;
        _metadataOnly = metadataOnly;
    }

    /// The truth of a condition, without making a value of it.
    public Trilean Test(int at)
    {
        ref readonly var node = ref _nodes[at];
        switch (node.Code)
        {
            case >= ExpCode.Equal and <= ExpCode.LessOrEqual:
                return Compare(at);
            case ExpCode.And:
                return TestAll(at, Trilean.False);
            case ExpCode.Or:
                return TestAll(at, Trilean.True);
            case ExpCode.Not:
                return Trileans.Not(Test(at + 1));
            case ExpCode.Exclusive:
                return TestExclusive(at);
            case ExpCode.Regex:
                return MatchRegex(at);
            case ExpCode.Geo:
                return CompareGeo(at);
            case ExpCode.InList:
                return FindInList(at);
            default:
                return Evaluate(at, out var value) && value.Type == ExpType.Bool ? Trileans.Of(value.IsTrue) : Trilean.Unknown;
        }
    }

    public bool Evaluate(int at, out ExpValue value)
    {
        ref readonly var node = ref _nodes[at];
        switch (node.Code)
        {
            case ExpCode.Literal:
                value = node.Length == 0 && node.Offset == 0
                    ? ExpValue.Of(node.Type, node.Bits)
                    : ExpValue.Of(node.Type, _bytes.Slice(node.Offset, node.Length));
                return true;
            case ExpCode.Bin:
                return ReadBin(node, out value);
            case (>= ExpCode.Equal and <= ExpCode.InList) or (>= ExpCode.And and <= ExpCode.Exclusive):
                var truth = Test(at);
                value = ExpValue.Of(truth == Trilean.True);
                return truth != Trilean.Unknown;
            case >= ExpCode.Add and <= ExpCode.Maximum:
                return Calculate(at, out value);
            case (>= ExpCode.DigestModulo and <= ExpCode.RecordSize) or ExpCode.Key or ExpCode.BinType:
                return ReadMetadata(node, out value);
            case ExpCode.Condition:
                return Choose(at, out value);
            case ExpCode.Let:
                return EvaluateLet(at, out value);
            case ExpCode.Variable:
                return ReadVariable(node, out value);
            case ExpCode.Call:
                return Call(at, out value);
            case ExpCode.MapKeys or ExpCode.MapValues:
                return ListOfMap(at, out value);
            case ExpCode.LoopVariable:
                return ReadLoopVariable(node, out value);
            case ExpCode.ResultRemove:
                value = ExpValue.Remove;
                return true;
            default:
                value = default;
                return false;
        }
    }

    /// `and` ends at the first False, `or` at the first True; an unknown one in between leaves the answer open.
    private Trilean TestAll(int at, Trilean decisive)
    {
        var end = _nodes[at].End;
        var result = Trileans.Not(decisive);
        for (var child = at + 1; child < end; child = _nodes[child].End)
        {
            var truth = Test(child);
            if (truth == decisive)
            {
                return decisive;
            }

            if (truth == Trilean.Unknown)
            {
                result = Trilean.Unknown;
            }
        }

        return result;
    }

    private Trilean TestExclusive(int at)
    {
        var end = _nodes[at].End;
        var count = 0;
        var isOpen = false;
        for (var child = at + 1; child < end; child = _nodes[child].End)
        {
            var truth = Test(child);
            isOpen |= truth == Trilean.Unknown;
            if (truth == Trilean.True && ++count > 1)
            {
                return Trilean.False;
            }
        }

        return isOpen ? Trilean.Unknown : Trileans.Of(count == 1);
    }

    private bool Choose(int at, out ExpValue value)
    {
        var end = _nodes[at].End;
        var child = at + 1;
        while (_nodes[child].End < end)
        {
            var taken = _nodes[child].End;
            switch (Test(child))
            {
                case Trilean.True:
                    return Evaluate(taken, out value);
                case Trilean.Unknown:
                    value = default;
                    return false;
                default:
                    child = _nodes[taken].End;
                    break;
            }
        }

        return Evaluate(child, out value);
    }

    private bool EvaluateLet(int at, out ExpValue value)
    {
        var child = at + 1;
        while (_nodes[child].Code == ExpCode.Definition)
        {
            Define(child);
            child = _nodes[child].End;
        }

        return Evaluate(child, out value);
    }

    private void Define(int at)
    {
        var isKnown = Evaluate(at + 1, out var value);
        var offset = 0;
        isKnown = isKnown && (value.Bytes.IsEmpty || _scratch.TryKeep(value.Bytes, out offset));
        ref var variable = ref _scratch.Variable(_nodes[at].Bits);
        variable.IsKnown = isKnown;
        variable.Type = value.Type;
        variable.Bits = value.Bits;
        variable.Offset = offset;
        variable.Length = isKnown ? value.Bytes.Length : 0;
    }

    private readonly bool ReadVariable(in ExpNode node, out ExpValue value)
    {
        ref var variable = ref _scratch.Variable(node.Bits);
        value = variable.Length == 0
            ? ExpValue.Of(variable.Type, variable.Bits)
            : ExpValue.Of(variable.Type, _scratch.Kept(variable.Offset, variable.Length));
        return variable.IsKnown;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool ReadBin(in ExpNode node, out ExpValue value)
    {
        value = default;
        return !_metadataOnly && _record.TryBin(_bytes.Slice(node.Offset, node.Length), out var bin)
            && ExpValue.TryOf(bin, out value) && value.Type == node.Type;
    }
}

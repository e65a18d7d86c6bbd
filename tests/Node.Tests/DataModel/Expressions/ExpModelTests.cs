using Aerie.DataModel.Bins;
using Aerie.DataModel.Expressions;
using Aerie.Foundation;
using Aerie.Node.Tests.DataModel.Operations;
using Xunit;

namespace Aerie.Node.Tests.DataModel.Expressions;

/// Random trees, compiled and evaluated on one side, walked on the other.
public sealed class ExpModelTests
{
    private const int Depth = 5;

    private readonly ExpProgram _program = new();
    private readonly ExpScratch _scratch = new();

    [Fact]
    public void Programs_come_to_what_a_walk_over_the_tree_comes_to() => ModelRuns.Hold(nameof(ExpModelTests), Make, Check);

    private static List<Case> Make(Random random)
    {
        var trees = new RandomExp(random);
        var type = RandomExp.Types[random.Next(RandomExp.Types.Length)];
        return [new Case(trees.Of(type, Depth), trees.Bins())];
    }

    private string? Check(IReadOnlyList<Case> cases) => cases.Select(Check).FirstOrDefault(complaint => complaint is not null);

    private string? Check(Case one)
    {
        if (Complaint(one.Tree, one.Bins) is not { } complaint)
        {
            return null;
        }

        // The smallest part that fails by itself tells most. Parts with variables of what surrounds them do not compile.
        var part = Parts(one.Tree).OrderBy(part => Exp.Pack(part).Length).Select(part => Complaint(part, one.Bins)).FirstOrDefault(found =>
            found is not null);
        return part ?? complaint;
    }

    private string? Complaint(object? tree, IReadOnlyDictionary<string, object?> bins)
    {
        var packed = Exp.Pack(tree);
        if (ExpCompiler.Compile(packed, _program) != ResultCode.Ok)
        {
            return null;
        }

        var record = new TestRecord();
        foreach (var (name, value) in bins)
        {
            record.With(name, value!);
        }

        var expected = new NaiveExp(bins).Evaluate(tree);
        var code = ExpEvaluation.EvaluateValue(_program, _scratch, record, out var result);
        var isSame = expected == NaiveExp.UnknownValue ? code == ResultCode.OpNotApplicable : code == ResultCode.Ok
            && IsSame(expected, result);
        var found = Evaluated.Plain(result);
        isSame &= IsSoundWithoutBins(record);
        var shown = string.Join(", ", bins.Select(bin =>
            $"{bin.Key} = {ExpText.Of(Exp.Pack(bin.Value is object[] list ? Exp.Op(ExpCode.Quote, list) : bin.Value))}"));
        return isSame ? null : $"{ExpText.Of(packed)}\ncomes to {code} {found}, not {expected}\non {shown}";
    }

    /// What is decided without the record's bins must stay so with them.
    private bool IsSoundWithoutBins(TestRecord record)
    {
        if (_program.Type != ExpType.Bool)
        {
            return true;
        }

        var early = ExpEvaluation.EvaluateMetadata(_program, _scratch, record);
        return early == Trilean.Unknown || early == ExpEvaluation.EvaluateFilter(_program, _scratch, record);
    }

    private static bool IsSame(object? expected, BinValue result) => expected switch
    {
        null => result.IsMissing,
        double number => Evaluated.Plain(result) is double other && (number.Equals(other) || (number == 0 && other == 0)),
        object?[] or Exp.Pairs => result.Bytes.SequenceEqual(Exp.Pack(expected)),
        _ => expected.Equals(Evaluated.Plain(result)),
    };

    private static IEnumerable<object?> Parts(object? tree) =>
        tree is object?[] list ? list.OfType<object?[]>().SelectMany(Parts).Append(tree) : [];

    private sealed record Case(object? Tree, Dictionary<string, object?> Bins)
    {
        public override string ToString() => ExpText.Of(Exp.Pack(Tree));
    }

    [Fact]
    public void The_trees_that_are_made_compile_and_many_have_values()
    {
        var (compiled, known) = (0, 0);
        for (var seed = 0; seed < 500; seed++)
        {
            var one = Make(new Random(seed))[0];
            compiled += ExpCompiler.Compile(Exp.Pack(one.Tree), _program) == ResultCode.Ok ? 1 : 0;
            known += new NaiveExp(one.Bins).Evaluate(one.Tree) != NaiveExp.UnknownValue ? 1 : 0;
        }

        Assert.Equal(500, compiled);
        Assert.InRange(known, 150, 450);
    }
}

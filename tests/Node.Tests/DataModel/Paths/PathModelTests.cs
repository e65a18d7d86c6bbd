using Aerie.DataModel;
using Aerie.DataModel.Bins;
using Aerie.DataModel.Expressions;
using Aerie.DataModel.Packed;
using Aerie.DataModel.Paths;
using Aerie.Foundation;
using Aerie.Node.Tests.DataModel.Expressions;
using Aerie.Node.Tests.DataModel.Operations;
using Xunit;
using static Aerie.Node.Tests.DataModel.Expressions.Exp;

namespace Aerie.Node.Tests.DataModel.Paths;

/// Random paths through random values, beside a naive walk.
public sealed class PathModelTests
{
    private const int Modify = 4;
    private const int NoFail = 0x10;

    private readonly ExpProgram _program = new();
    private readonly ExpScratch _scratch = new();
    private readonly OpOutcome _outcome = new(new GrowingBytes(1 << 20), new GrowingBytes(1 << 20));

    [Fact]
    public void Paths_lead_where_a_walk_over_objects_leads() =>
        ModelRuns.Hold(nameof(PathModelTests), Make, cases => cases.Select(Complaint).FirstOrDefault(complaint => complaint is not null));

    private static List<Case> Make(Random random)
    {
        var steps = Enumerable.Range(0, random.Next(1, 4)).Select(_ => Step(random)).ToArray();
        var mode = random.Next(Modify + 1) | (random.Next(2) * NoFail);
        object? becomes = random.Next(4) switch
        {
            0 => Op(ExpCode.ResultRemove),
            1 => Op(ExpCode.Add, Loop(ExpType.Integer, 1), 1L),
            2 => Loop(ExpType.String, 0),
            _ => Op(ExpCode.Quote, new object[] { 7L }),
        };
        return [new Case(Container(random, 3), steps, mode, becomes)];
    }

    private string? Complaint(Case one)
    {
        var modifies = (one.Mode & ~NoFail) == Modify;
        var steps = one.Steps.SelectMany(step => step.Packed()).ToArray();
        var call = Pack(modifies ? new object?[] { 0xFE, steps, one.Mode, one.Becomes } : [0xFE, steps, one.Mode]);
        Assert.Equal(ResultCode.Ok, PathCommand.Compile(call, modifies, _program));
        _outcome.Value.Clear();
        _outcome.Reply.Clear();
        _outcome.Begin();
        var type = one.Value is Pairs ? ParticleType.Map : ParticleType.List;
        var code = PathCommand.Run(_program, new BinValue(type, Pack(one.Value)), new TestRecord(), _scratch, _outcome);
        byte[]? expected = null;
        try
        {
            var naive = new NaiveExp(new Dictionary<string, object?>());
            var walk = new NaivePath(
                naive, [.. one.Steps.Select(step => step.Naive())], one.Mode & ~NoFail, (one.Mode & NoFail) != 0, one.Becomes);
            expected = Pack(walk.Take(one.Value));
        }
        catch (NaivePath.Refused)
        {
            return code == ResultCode.OpNotApplicable ? null : $"{one}\ncomes to {code}, not to an error";
        }

        var found = modifies ? (_outcome.HasChanged ? _outcome.NewValue.Bytes : Pack(one.Value)) : _outcome.NewReply.Bytes;
        return code == ResultCode.Ok && found.SequenceEqual(expected)
            ? null
            : $"{one}\ncomes to {code} {Text(found.ToArray())}\nnot      {Text(expected)}";
    }

    private static object?[] Loop(ExpType type, int part) => Op(ExpCode.LoopVariable, (long)type, (long)part);

    private static RandomStep Step(Random random)
    {
        int[] kinds = [NaivePath.Children, NaivePath.Children, NaivePath.KeysIn, NaivePath.ListIndex, NaivePath.MapKey];
        var kind = kinds[random.Next(kinds.Length)];
        object? argument = kind switch
        {
            NaivePath.KeysIn => Enumerable.Range(0, random.Next(4)).Select(_ => Key(random)).ToArray(),
            NaivePath.MapKey => Key(random),
            _ => (long)random.Next(-3, 4),
        };
        object?[] filters = [.. Enumerable.Range(0, random.Next(3)).Select(_ => Filter(random))];
        return new RandomStep(kind, argument, filters);
    }

    private static object? Filter(Random random) => random.Next(6) switch
    {
        0 => Op(ExpCode.Greater, Loop(ExpType.Integer, 1), (long)random.Next(-1, 4)),
        1 => Op(ExpCode.NotEqual, Loop(ExpType.String, 0), "a"),
        2 => Op(ExpCode.LessOrEqual, Loop(ExpType.Integer, 2), (long)random.Next(3)),
        3 => Op(ExpCode.InList, Loop(ExpType.List, 1), Op(ExpCode.Quote, new object?[] { new object?[] { 1L } })),
        4 => Op(ExpCode.Greater, Op(ExpCode.Call, (long)ExpType.Integer, 0L, new object[] { 16L }, Loop(ExpType.List, 1)), 1L),
        _ => true,
    };

    private static object Key(Random random) => random.Next(2) == 0 ? ((char)('a' + random.Next(3))).ToString() : (long)random.Next(3);

    private static object? Value(Random random, int depth) => depth > 0 && random.Next(3) > 0
        ? Container(random, depth)
        : random.Next(4) switch
        {
            0 => null,
            1 => "a",
            _ => (long)random.Next(4),
        };

    private static object Container(Random random, int depth)
    {
        var count = random.Next(4);
        if (random.Next(2) == 0)
        {
            return Enumerable.Range(0, count).Select(_ => Value(random, depth - 1)).ToArray();
        }

        var keys = Enumerable.Range(0, count).Select(_ => Key(random)).Distinct();
        return new Pairs([.. keys.Select(key => (key, Value(random, depth - 1)))]);
    }

    private static string Text(byte[] packed) => ExpText.Of(Pack(Op(ExpCode.Quote, new Raw(packed))));

    private sealed record RandomStep(int Kind, object? Argument, object?[] Filters)
    {
        public NaivePath.Step Naive() => new(Kind, Argument, Filters);

        public IEnumerable<object?> Packed()
        {
            var isChildren = Kind == NaivePath.Children;
            IEnumerable<object?> first = [Kind, isChildren ? Filters.FirstOrDefault(true) : Argument];
            return first.Concat(Filters.Skip(isChildren ? 1 : 0).SelectMany(filter => new[] { NaivePath.AndFilter, filter }));
        }
    }

    private sealed record Case(object Value, RandomStep[] Steps, int Mode, object? Becomes)
    {
        public override string ToString()
        {
            var path = new object?[] { 0xFE, Steps.SelectMany(step => step.Packed()).ToArray(), Mode, Becomes };
            return ExpText.Of(Pack(Op(ExpCode.Call, (long)ExpType.Map, 0L, path, Op(ExpCode.Quote, Value))));
        }
    }
}

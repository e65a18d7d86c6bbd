using Aerie.DataModel;
using Aerie.DataModel.Bins;
using Aerie.DataModel.Expressions;
using Aerie.DataModel.Geo;
using Aerie.DataModel.Packed;
using Aerie.Foundation;
using Xunit;
using static Aerie.Node.Tests.DataModel.Expressions.Exp;

namespace Aerie.Node.Tests.DataModel.Expressions;

public sealed class ExpOpsTests
{
    private const int CreateOnly = 1;
    private const int UpdateOnly = 2;
    private const int AllowDelete = 4;
    private const int PolicyNoFail = 8;
    private const int EvalNoFail = 16;

    private static readonly object[] Sum = Op(ExpCode.Add, Int("a"), 4);

    [Fact]
    public void A_read_answers_the_value()
    {
        var (code, outcome) = Read(Sum, 0, With("a"));
        Assert.Equal(ResultCode.Ok, code);
        Assert.Equal(5L, Evaluated.Plain(outcome.NewReply));
        Assert.False(outcome.HasChanged);
    }

    [Fact]
    public void A_read_of_unknown_fails_unless_that_is_passed_over()
    {
        Assert.Equal(ResultCode.OpNotApplicable, Read(Sum, 0, With("b")).Code);
        var (code, outcome) = Read(Sum, EvalNoFail, With("b"));
        Assert.Equal(ResultCode.Ok, code);
        Assert.Equal(ParticleType.Null, outcome.ReplyType);
    }

    [Fact]
    public void A_read_of_nil_answers_nothing()
    {
        var (code, outcome) = Read(null, 0, With("a"));
        Assert.Equal(ResultCode.Ok, code);
        Assert.Equal(ParticleType.Null, outcome.ReplyType);
    }

    [Fact]
    public void A_write_changes_the_bin_and_answers_nothing()
    {
        var (code, outcome) = Modify(Sum, 0, ParticleType.Null, With("a"));
        Assert.Equal(ResultCode.Ok, code);
        Assert.True(outcome.HasChanged);
        Assert.Equal(5L, Evaluated.Plain(outcome.NewValue));
        Assert.Equal(ParticleType.Null, outcome.ReplyType);
    }

    [Theory]
    [InlineData(UpdateOnly, false, ResultCode.BinNotFound, false)]
    [InlineData(UpdateOnly | PolicyNoFail, false, ResultCode.Ok, false)]
    [InlineData(UpdateOnly, true, ResultCode.Ok, true)]
    [InlineData(CreateOnly, false, ResultCode.Ok, true)]
    [InlineData(CreateOnly, true, ResultCode.BinExists, false)]
    [InlineData(CreateOnly | PolicyNoFail, true, ResultCode.Ok, false)]
    [InlineData(EvalNoFail, true, ResultCode.Ok, true)]
    public void Flags_say_what_a_write_may_do(int flags, bool isThere, ResultCode expected, bool changes)
    {
        var (code, outcome) = Modify(Sum, flags, isThere ? ParticleType.String : ParticleType.Null, With("a"));
        Assert.Equal(expected, code);
        Assert.Equal(changes, outcome.HasChanged);
    }

    [Theory]
    [InlineData(0, true, ResultCode.OpNotApplicable, false)]
    [InlineData(PolicyNoFail, true, ResultCode.Ok, false)]
    [InlineData(EvalNoFail, true, ResultCode.OpNotApplicable, false)]
    [InlineData(AllowDelete, true, ResultCode.Ok, true)]
    [InlineData(AllowDelete, false, ResultCode.Ok, false)]
    public void Nil_removes_the_bin_where_that_is_allowed(int flags, bool isThere, ResultCode expected, bool changes)
    {
        var (code, outcome) = Modify(null, flags, isThere ? ParticleType.String : ParticleType.Null, With("a"));
        Assert.Equal(expected, code);
        Assert.Equal(changes, outcome.HasChanged);
        Assert.Equal(ParticleType.Null, outcome.ValueType);
    }

    [Theory]
    [InlineData(0, ResultCode.OpNotApplicable)]
    [InlineData(PolicyNoFail, ResultCode.OpNotApplicable)]
    [InlineData(EvalNoFail, ResultCode.Ok)]
    public void A_write_of_unknown_leaves_the_bin(int flags, ResultCode expected)
    {
        var (code, outcome) = Modify(Sum, flags, ParticleType.Integer, With("b"));
        Assert.Equal(expected, code);
        Assert.False(outcome.HasChanged);
    }

    [Fact]
    public void A_value_keeps_its_type()
    {
        Assert.Equal(ParticleType.Bool, Modify(true, 0, ParticleType.Null, With("a")).Outcome.ValueType);
        Assert.Equal(ParticleType.List, Modify(Quote(1), 0, ParticleType.Null, With("a")).Outcome.ValueType);
        Assert.Equal(ParticleType.Map, Modify(new Pairs((1, 2)), 0, ParticleType.Null, With("a")).Outcome.ValueType);
        Assert.Equal(ParticleType.Double, Modify(1.5, 0, ParticleType.Null, With("a")).Outcome.ValueType);
    }

    [Fact]
    public void A_place_that_is_written_has_its_cells()
    {
        var (code, outcome) = Modify(new Place("{\"type\":\"Point\",\"coordinates\":[10,20]}"), 0, ParticleType.Null, With("a"));
        Assert.Equal(ResultCode.Ok, code);
        Assert.Equal(ParticleType.GeoJson, outcome.ValueType);
        Assert.Equal(1, GeoParticle.CellCount(outcome.NewValue.Bytes));
        Assert.Equal(ResultCode.GeoInvalid, Modify(new Place("{}"), 0, ParticleType.Null, With("a")).Code);
    }

    [Fact]
    public void An_operand_of_another_form_is_refused()
    {
        object?[] operands = [5, new object[] { 5 }, new object[] { 5, 0, 0 }, new object[] { 5, 32 }, new object[] { 5, -1 },
            new object[] { 5, "x" }, new object[] { new object[] { 99 }, 0 }, new object[] { 5, CreateOnly | UpdateOnly }];
        foreach (var operand in operands)
        {
            Assert.Equal(ResultCode.Parameter, ExpOps.Compile(Pack(operand), new ExpProgram()));
        }

        Assert.Equal(ResultCode.Ok, ExpOps.Compile(Pack(new object[] { 5, 31 & ~UpdateOnly }), new ExpProgram()));
    }

    [Fact]
    public void Programs_are_lent_and_come_back()
    {
        var scratch = new ExpScratch();
        var first = scratch.Rent();
        var second = scratch.Rent();
        Assert.NotSame(first, second);
        scratch.Return(first);
        Assert.Same(first, scratch.Rent());
    }

    private static TestRecord With(string bin) => new TestRecord().With(bin, 1);

    private static (ResultCode Code, OpOutcome Outcome) Read(object? expression, int flags, TestRecord record)
    {
        var (program, outcome) = Prepare(expression, flags);
        return (ExpOps.Read(program, record, new ExpScratch(), outcome), outcome);
    }

    private static (ResultCode Code, OpOutcome Outcome) Modify(object? expression, int flags, ParticleType bin, TestRecord record)
    {
        var (program, outcome) = Prepare(expression, flags);
        return (ExpOps.Modify(program, bin, record, new ExpScratch(), outcome), outcome);
    }

    private static (ExpProgram Program, OpOutcome Outcome) Prepare(object? expression, int flags)
    {
        var program = new ExpProgram();
        Assert.Equal(ResultCode.Ok, ExpOps.Compile(Pack(new object[] { expression!, flags }), program));
        var outcome = new OpOutcome(new GrowingBytes(1 << 20), new GrowingBytes(1 << 20));
        outcome.Begin();
        return (program, outcome);
    }
}

using Aerie.DataModel.Expressions;
using Aerie.Foundation;
using Aerie.TestKit;
using Xunit;
using static Aerie.Node.Tests.DataModel.Expressions.Exp;

namespace Aerie.Node.Tests.DataModel.Expressions;

/// What is refused before any record is seen.
[Evidence("EXP-04")]
public sealed class ExpCompilerTests
{
    private static readonly (string Says, object? Expression)[] Refused =
    [
        ("a code that means nothing", new object[] { 99L }),
        ("a code of programs", new object[] { 128L }),
        ("a negative code", new object[] { -1L }),
        ("a text for a code", new object[] { "eq", 1, 2 }),
        ("an empty list", Array.Empty<object>()),
        ("integer and float are not compared", Eq(1, 1.0)),
        ("a bin and a literal of other types", Eq(Int("i"), "x")),
        ("places are not compared", Eq(new Place("{}"), new Place("{}"))),
        ("sketches are not compared", Eq(Bin(ExpType.Hll, "h"), Bin(ExpType.Hll, "h"))),
        ("a comparison of one", Op(ExpCode.Equal, 1)),
        ("a comparison of three", Op(ExpCode.Equal, 1, 1, 1)),
        ("and of integers", Op(ExpCode.And, true, 1)),
        ("and of nothing", Op(ExpCode.And)),
        ("not of two", Op(ExpCode.Not, true, true)),
        ("not of a text", Op(ExpCode.Not, "x")),
        ("add of integer and float", Op(ExpCode.Add, 1, 1.0)),
        ("add of texts", Op(ExpCode.Add, "a")),
        ("abs of two", Op(ExpCode.Absolute, 1, 2)),
        ("pow of integers", Op(ExpCode.Power, 2, 2)),
        ("mod of floats", Op(ExpCode.Modulo, 2.0, 2.0)),
        ("floor of an integer", Op(ExpCode.Floor, 1)),
        ("to_int of an integer", Op(ExpCode.ToInteger, 1)),
        ("to_float of a float", Op(ExpCode.ToFloat, 1.0)),
        ("int_and of floats", Op(ExpCode.BitAnd, 1.0, 1.0)),
        ("a shift without a count", Op(ExpCode.ShiftLeft, 1)),
        ("a scan for an integer", Op(ExpCode.ScanLeft, 1, 1)),
        ("a modulus of zero", Op(ExpCode.DigestModulo, 0)),
        ("a modulus below zero", Op(ExpCode.DigestModulo, -3)),
        ("metadata with an argument", Op(ExpCode.LastUpdate, 1)),
        ("a key of a type that keys do not have", Op(ExpCode.Key, (long)ExpType.Float)),
        ("a bin of no type", Op(ExpCode.Bin, 0L, new Name("a"))),
        ("a bin of an unknown type", Op(ExpCode.Bin, 10L, new Name("a"))),
        ("a bin without a name", Op(ExpCode.Bin, 2L, new Name(""))),
        ("a bin with a long name", Op(ExpCode.Bin, 2L, new Name("0123456789abcdef"))),
        ("a bin whose name is a number", Op(ExpCode.Bin, 2L, 5)),
        ("a pattern that is broken", Regex("(a", Text("s"))),
        ("a pattern on an integer", Regex("a", Int("i"))),
        ("cond without a default", Op(ExpCode.Condition, true, 1)),
        ("cond with values of two types", Op(ExpCode.Condition, true, 1, 2.0)),
        ("cond on an integer", Op(ExpCode.Condition, 1, 1, 1)),
        ("a variable that is not defined", Var("x")),
        ("a variable outside its let", Op(ExpCode.Add, Let("x", 1, 2), Var("x"))),
        ("a variable in its own value", Let("x", Var("x"), 1)),
        ("a variable of another type than wanted", Let("x", 1, Op(ExpCode.Not, Var("x")))),
        ("let without a body", Op(ExpCode.Let, new Name("x"), 1)),
        ("a quoted integer", Op(ExpCode.Quote, 1)),
        ("in_list in an integer", Op(ExpCode.InList, 1, Int("i"))),
        ("map_keys of a list", Op(ExpCode.MapKeys, List("l"))),
        ("infinity by itself", Infinity),
        ("a blob that says it is a map", new Raw([0xA1, 19])),
        ("a blob that only one language reads", new Raw([0xA2, 7, 1])),
        ("a loop variable outside a path", Op(ExpCode.LoopVariable, 2L, 1L)),
        ("result_remove outside a path", Op(ExpCode.ResultRemove)),
        ("a call of an unknown module", Call(ExpType.Integer, 9, [16], List("l"))),
        ("a call of an unknown type", Op(ExpCode.Call, 44L, 0L, new object[] { 16 }, List("l"))),
        ("a call without an operation", Call(ExpType.Integer, 0, [], List("l"))),
        ("a call without a target", Op(ExpCode.Call, 2L, 0L, new object[] { 16 })),
        ("a call with a broken expression in it", Call(ExpType.Integer, 0, [19, 7, new object[] { 99 }], List("l"))),
        ("a call with half a context", Call(ExpType.Integer, 0, [0xFF, new object[] { 0x10, 0 }], List("l"))),
    ];

    public static TheoryData<string> Names => [.. Refused.Select(row => row.Says)];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_malformed_expression_is_an_error_of_parameters(string says) =>
        Assert.Equal(ResultCode.Parameter, Evaluated.Compiled(Refused.Single(row => row.Says == says).Expression));

    [Fact]
    public void A_filter_must_be_a_condition()
    {
        Assert.Equal(ResultCode.Parameter, ExpCompiler.CompileFilter(Pack(5), new ExpProgram()));
        Assert.Equal(ResultCode.Parameter, ExpCompiler.CompileFilter(Pack(Int("i")), new ExpProgram()));
        Assert.Equal(ResultCode.Ok, ExpCompiler.CompileFilter(Pack(Bin(ExpType.Bool, "b")), new ExpProgram()));
        Assert.Equal(ResultCode.Ok, ExpCompiler.CompileFilter(Pack(Exp.Unknown), new ExpProgram()));
    }

    [Fact]
    public void Unknown_fits_wherever_a_type_is_wanted()
    {
        Assert.Equal(ResultCode.Ok, Evaluated.Compiled(Op(ExpCode.Add, 1, Exp.Unknown)));
        Assert.Equal(ResultCode.Ok, Evaluated.Compiled(Eq(Exp.Unknown, "x")));
        Assert.Equal(ResultCode.Ok, Evaluated.Compiled(Op(ExpCode.Condition, true, 1, Exp.Unknown)));
    }

    [Fact]
    public void Bytes_that_end_early_or_go_on_are_refused()
    {
        var packed = Pack(Op(ExpCode.And, Eq(Int("i"), 1), Regex("a", Text("s"))));
        for (var length = 0; length < packed.Length; length++)
        {
            Assert.Equal(ResultCode.Parameter, ExpCompiler.Compile(packed.AsSpan(0, length), new ExpProgram()));
        }

        Assert.Equal(ResultCode.Parameter, ExpCompiler.Compile([.. packed, 0xC0], new ExpProgram()));
        Assert.Equal(ResultCode.Ok, ExpCompiler.Compile(packed, new ExpProgram()));
    }

    [Fact]
    public void Depth_is_bounded_and_the_deepest_admitted_is_evaluated_on_a_small_stack()
    {
        Assert.Equal(ResultCode.Ok, ExpCompiler.Compile(Nested(ExpProgram.DepthMax - 1), new ExpProgram()));
        Assert.Equal(ResultCode.Parameter, ExpCompiler.Compile(Nested(ExpProgram.DepthMax), new ExpProgram()));
        Assert.Equal(ResultCode.Parameter, ExpCompiler.Compile(Nested(100_000), new ExpProgram()));

        object? comes = null;
        var thread = new Thread(() =>
            comes = Evaluated.Value(Nested(ExpProgram.DepthMax - 1), new TestRecord(), new ExpScratch()), 256 * 1024);
        thread.Start();
        thread.Join();
        Assert.Equal(false, comes);
    }

    [Fact]
    public void The_number_of_steps_is_bounded()
    {
        Assert.Equal(ResultCode.Ok, Evaluated.Compiled(Many(ExpCode.Add, Enumerable.Repeat<object?>(1, 10_000))));
        Assert.Equal(ResultCode.Parameter, Evaluated.Compiled(Many(ExpCode.Add, Enumerable.Repeat<object?>(1, 20_000))));
    }

    [Fact]
    public void The_length_is_bounded() =>
        Assert.Equal(ResultCode.Parameter, Evaluated.Compiled(Eq(Text("s"), new string('x', ExpProgram.LengthMax))));

    [Fact]
    public void The_number_of_variables_is_bounded()
    {
        object?[] Definitions(int count) => [.. Enumerable.Range(0, count).SelectMany(i => new object?[] { new Name($"v{i}"), 1 }), 5];
        Assert.Equal(ResultCode.Ok, Evaluated.Compiled(Many(ExpCode.Let, Definitions(ExpProgram.VariablesMax))));
        Assert.Equal(ResultCode.Parameter, Evaluated.Compiled(Many(ExpCode.Let, Definitions(ExpProgram.VariablesMax + 1))));
    }

    [Fact]
    public void The_same_bytes_are_compiled_once_and_others_anew()
    {
        var program = new ExpProgram();
        foreach (var value in (long[])[1, 1, 2, 1])
        {
            Assert.Equal(ResultCode.Ok, ExpCompiler.Compile(Pack(Op(ExpCode.Add, value, 1)), program));
            Assert.Equal(ResultCode.Ok, ExpEvaluation.EvaluateValue(program, new ExpScratch(), new TestRecord(), out var result));
            Assert.Equal(value + 1, Evaluated.Plain(result));
        }

        Assert.Equal(ResultCode.Parameter, ExpCompiler.CompileFilter(Pack(Op(ExpCode.Add, 1, 1)), program));
        Assert.Equal(ResultCode.Ok, ExpCompiler.Compile(Pack(Op(ExpCode.Add, 1, 1)), program));
    }

    [Fact]
    public void A_program_that_was_refused_is_not_compiled()
    {
        var program = new ExpProgram();
        ExpCompiler.Compile(Pack(true), program);
        Assert.True(program.IsCompiled);
        ExpCompiler.Compile(Pack(Op(ExpCode.And)), program);
        Assert.False(program.IsCompiled);
    }

    // not(not(…true)), as bytes: packing such a thing recurses
    private static byte[] Nested(int depth) =>
        [.. Enumerable.Repeat<byte[]>([0x92, (byte)ExpCode.Not], depth).SelectMany(head => head), 0xC3];
}

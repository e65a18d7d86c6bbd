using Aerie.DataModel;
using Aerie.DataModel.Bins;
using Aerie.DataModel.Expressions;
using Aerie.DataModel.Packed;
using Aerie.Foundation;
using Xunit;
using static Aerie.Node.Tests.DataModel.Expressions.Exp;

namespace Aerie.Node.Tests.DataModel.Expressions;

/// Compiling and evaluating allocates nothing once memory has grown to its working size.
public sealed class ExpBudgetTests
{
    private static readonly object?[] Five = [.. Enumerable.Range(0, 5).Select(i => Op(ExpCode.Greater, Int("i"), (long)i))];

    private static readonly (string Says, object? Expression)[] Rows =
    [
        ("five comparisons", Many(ExpCode.And, Five)),
        ("five comparisons that change", Many(ExpCode.Or, Five)),
        ("a pattern", Regex("^[a-z]*(b|c)+$", Text("s"))),
        ("a variable that is kept", Let("x", Op(ExpCode.MapKeys, Map("m")), Op(ExpCode.InList, "b", Var("x")))),
        ("a list call", Eq(Call(ExpType.Integer, 0, [19, 7, Int("zero")], List("l")), 10)),
        ("a list that is changed", Op(ExpCode.Greater, Call(ExpType.Integer, 0, [16], Call(ExpType.List, 0x40, [1, 5], List("l"))), 3)),
        ("bits", Op(ExpCode.Greater, Call(ExpType.Integer, 1, [51, 0, 8], Bin(ExpType.Blob, "b")), 0)),
    ];

    public static TheoryData<string> Names => [.. Rows.Select(row => row.Says)];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_filter_allocates_nothing(string says)
    {
        var expression = Rows.Single(row => row.Says == says).Expression;
        var packed = Pack(expression);
        var opposite = Pack(Op(ExpCode.Not, expression)); // in turns, so that each is compiled anew
        var (program, scratch, record) = (new ExpProgram(), new ExpScratch(), new FixedRecord());
        void Once()
        {
            Assert.True(ExpCompiler.CompileFilter(packed, program) == ResultCode.Ok);
            Assert.True(ExpEvaluation.EvaluateMetadata(program, scratch, record) == Trilean.Unknown);
            Assert.True(ExpEvaluation.EvaluateFilter(program, scratch, record) == Trilean.True);
            Assert.True(ExpCompiler.CompileFilter(opposite, program) == ResultCode.Ok);
            Assert.True(ExpEvaluation.EvaluateFilter(program, scratch, record) == Trilean.False);
        }

        AssertAllocatesNothing(Once);
    }

    [Fact]
    public void An_operation_that_writes_allocates_nothing()
    {
        var operand = Pack(new object[] { Op(ExpCode.Add, Int("i"), 1), 0 });
        var (program, scratch, record) = (new ExpProgram(), new ExpScratch(), new FixedRecord());
        var outcome = new OpOutcome(new GrowingBytes(1 << 20), new GrowingBytes(1 << 20));
        AssertAllocatesNothing(() =>
        {
            outcome.Value.Clear();
            outcome.Begin();
            Assert.True(ExpOps.Compile(operand, program) == ResultCode.Ok);
            Assert.True(ExpOps.Modify(program, ParticleType.Integer, record, scratch, outcome) == ResultCode.Ok);
        });
    }

    private static void AssertAllocatesNothing(Action once)
    {
        for (var i = 0; i < 50; i++)
        {
            once();
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 200; i++)
        {
            once();
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    /// Bins by the first letter of their names, without a table.
    private readonly struct FixedRecord : IRecordView
    {
        public ReadOnlySpan<byte> SetName => "set"u8;

        public Digest Digest => default;

        public long LastUpdateTime => 0;

        public uint VoidTime => 0;

        public bool IsTombstone => false;

        public long Now => 0;

        public BinValue Key => default;

        public long RecordSize => 0;

        public bool TryBin(scoped ReadOnlySpan<byte> name, out BinValue value)
        {
            value = name[0] switch
            {
                (byte)'i' => new BinValue(ParticleType.Integer, [0, 0, 0, 0, 0, 0, 0, 9]),
                (byte)'z' => new BinValue(ParticleType.Integer, [0, 0, 0, 0, 0, 0, 0, 0]),
                (byte)'s' => new BinValue(ParticleType.String, "abcbc"u8),
                (byte)'l' => new BinValue(ParticleType.List, [0x93, 10, 20, 30]),
                (byte)'m' => new BinValue(ParticleType.Map, [0x82, 0xA2, 3, (byte)'a', 1, 0xA2, 3, (byte)'b', 2]),
                _ => new BinValue(ParticleType.Bytes, [0xFF]),
            };
            return true;
        }
    }
}

using Aerie.DataModel;
using Aerie.DataModel.Expressions;
using Aerie.Foundation;
using Xunit;
using static Aerie.Node.Tests.DataModel.Expressions.Exp;

namespace Aerie.Node.Tests.DataModel.Expressions;

/// Every code on values that show what it does. A row is named by what it says.
public sealed class ExpEvaluationTests
{
    private static readonly (string Says, object? Expression, object? Comes)[] Values =
    [
        ("a literal integer is itself", -5, -5L),
        ("a literal float is itself", 2.5, 2.5),
        ("a literal text is itself", "abc", "abc"),
        ("an empty literal text is itself", "", ""),
        ("a literal blob is itself", new byte[] { 1, 2 }, new byte[] { 1, 2 }),
        ("true is true", true, true),
        ("nil is nil", null, null),
        ("a literal map is packed", new Pairs(("a", 1)), Pack(new Pairs(("a", 1)))),
        ("a quoted list is packed", Quote(1, "x", null), Pack(new object?[] { 1, "x", null })),
        ("a literal GeoJSON has an empty head", new Place("{}"), new byte[] { 0, 0, 0, (byte)'{', (byte)'}' }),
        ("unknown is unknown", Unknown, Evaluated.Unknown),

        ("an integer bin is read", Int("i"), 7L),
        ("a float bin is read", Float("f"), 1.5),
        ("a text bin is read", Text("s"), "hello"),
        ("a bin of another type is unknown", Int("s"), Evaluated.Unknown),
        ("a missing bin is unknown", Int("none"), Evaluated.Unknown),
        ("a boolean bin is read", Bin(ExpType.Bool, "yes"), true),
        ("a blob bin is read", Bin(ExpType.Blob, "b"), new byte[] { 1, 2, 3 }),
        ("the type of a bin is its particle type", BinType("s"), 3L),
        ("the type of a missing bin is zero", BinType("none"), 0L),
    ];

    private static readonly (string Says, object? Expression, object? Comes)[] Comparisons =
    [
        ("seven equals seven", Eq(Int("i"), 7), true),
        ("seven does not equal eight", Eq(Int("i"), 8), false),
        ("ne is the opposite of eq", Op(ExpCode.NotEqual, Int("i"), 8), true),
        ("greater", Op(ExpCode.Greater, Int("i"), 7), false),
        ("greater or equal", Op(ExpCode.GreaterOrEqual, Int("i"), 7), true),
        ("less", Op(ExpCode.Less, -1, 0), true),
        ("less or equal", Op(ExpCode.LessOrEqual, 1, 0), false),
        ("texts compare by bytes", Op(ExpCode.Less, "abc", "abd"), true),
        ("a shorter text comes first", Op(ExpCode.Less, "ab", "abc"), true),
        ("bytes are unsigned", Op(ExpCode.Greater, new byte[] { 200 }, new byte[] { 100 }), true),
        ("floats compare", Op(ExpCode.Greater, Float("f"), 1.0), true),
        ("not a number equals nothing", Eq(double.NaN, double.NaN), false),
        ("not a number differs from itself", Op(ExpCode.NotEqual, double.NaN, double.NaN), true),
        ("booleans compare", Op(ExpCode.Less, false, true), true),
        ("nil equals nil", Eq(null, null), true),
        ("lists compare", Op(ExpCode.Less, Quote(1, 2), Quote(1, 3)), true),
        ("maps compare", Eq(new Pairs(("a", 1)), new Pairs(("a", 1))), true),
        ("unknown equals nothing", Eq(Unknown, Unknown), Evaluated.Unknown),
        ("what is compared to unknown is unknown", Eq(Int("none"), 1), Evaluated.Unknown),

        ("and of true ones", Op(ExpCode.And, true, true), true),
        ("and with a false one", Op(ExpCode.And, true, false), false),
        ("false decides and, whatever is unknown", Op(ExpCode.And, Unknown, false), false),
        ("and with an unknown one", Op(ExpCode.And, true, Unknown), Evaluated.Unknown),
        ("or with a true one, whatever is unknown", Op(ExpCode.Or, Unknown, true), true),
        ("or with an unknown one", Op(ExpCode.Or, false, Unknown), Evaluated.Unknown),
        ("or of false ones", Op(ExpCode.Or, false, false), false),
        ("not", Op(ExpCode.Not, false), true),
        ("not of unknown", Op(ExpCode.Not, Unknown), Evaluated.Unknown),
        ("exclusive of one", Op(ExpCode.Exclusive, false, true, false), true),
        ("exclusive of two", Op(ExpCode.Exclusive, true, true), false),
        ("exclusive of none", Op(ExpCode.Exclusive, false, false), false),
        ("exclusive with an unknown one", Op(ExpCode.Exclusive, true, Unknown), Evaluated.Unknown),

        ("add", Op(ExpCode.Add, Int("i"), 3, 5), 15L),
        ("add of one", Op(ExpCode.Add, Int("i")), 7L),
        ("add of floats", Op(ExpCode.Add, 1.5, 2.25), 3.75),
        ("add wraps", Op(ExpCode.Add, long.MaxValue, 1), long.MinValue),
        ("sub", Op(ExpCode.Subtract, 1, 2, 3), -4L),
        ("sub of one changes the sign", Op(ExpCode.Subtract, Int("i")), -7L),
        ("mul", Op(ExpCode.Multiply, 2, 3, 4), 24L),
        ("div", Op(ExpCode.Divide, 100, 5, 4), 5L),
        ("div of one is the reciprocal", Op(ExpCode.Divide, 4.0), 0.25),
        ("div truncates", Op(ExpCode.Divide, -7, 2), -3L),
        ("div by zero is unknown", Op(ExpCode.Divide, 1, 0), Evaluated.Unknown),
        ("div by a float zero is infinite", Op(ExpCode.Divide, 1.0, 0.0), double.PositiveInfinity),
        ("the least integer by minus one wraps", Op(ExpCode.Divide, long.MinValue, -1), long.MinValue),
        ("pow", Op(ExpCode.Power, 5.0, 2.0), 25.0),
    ];

    private static readonly (string Says, object? Expression, object? Comes)[] Others =
    [
        ("log", Op(ExpCode.Log, 8.0, 2.0), 3.0),
        ("mod", Op(ExpCode.Modulo, 10, 3), 1L),
        ("mod takes the sign of the first", Op(ExpCode.Modulo, -10, 3), -1L),
        ("mod by zero is unknown", Op(ExpCode.Modulo, 1, 0), Evaluated.Unknown),
        ("mod of the least integer by minus one", Op(ExpCode.Modulo, long.MinValue, -1), 0L),
        ("abs", Op(ExpCode.Absolute, -5), 5L),
        ("abs of a float", Op(ExpCode.Absolute, -5.5), 5.5),
        ("floor", Op(ExpCode.Floor, 8.953), 8.0),
        ("ceil", Op(ExpCode.Ceiling, 8.953), 9.0),
        ("to_int truncates", Op(ExpCode.ToInteger, -2.9), -2L),
        ("to_int beyond integers is unknown", Op(ExpCode.ToInteger, 1e19), Evaluated.Unknown),
        ("to_int of the least integer", Op(ExpCode.ToInteger, (double)long.MinValue), long.MinValue),
        ("to_int of no number is unknown", Op(ExpCode.ToInteger, double.NaN), Evaluated.Unknown),
        ("to_float", Op(ExpCode.ToFloat, 2), 2.0),
        ("int_and", Op(ExpCode.BitAnd, 0xAAAA, 0xFF00), 0xAA00L),
        ("int_or", Op(ExpCode.BitOr, 0, 0xFF00, 1), 0xFF01L),
        ("int_xor", Op(ExpCode.BitXor, 1, 0xFF), 0xFEL),
        ("int_not", Op(ExpCode.BitNot, 1), -2L),
        ("lshift", Op(ExpCode.ShiftLeft, 1, 2), 4L),
        ("lshift by the width leaves nothing", Op(ExpCode.ShiftLeft, 1, 64), 0L),
        ("rshift fills with zeros", Op(ExpCode.ShiftRight, -2, 62), 3L),
        ("arshift fills with the sign", Op(ExpCode.ShiftRightSigned, -2, 62), -1L),
        ("arshift by more than the width leaves the sign", Op(ExpCode.ShiftRightSigned, -2, 1000), -1L),
        ("count", Op(ExpCode.BitCount, 0xFFFF), 16L),
        ("lscan", Op(ExpCode.ScanLeft, 1, true), 63L),
        ("lscan for zeros", Op(ExpCode.ScanLeft, 0, false), 0L),
        ("lscan that finds none", Op(ExpCode.ScanLeft, 0, true), -1L),
        ("rscan", Op(ExpCode.ScanRight, 0xFFFF, true), 63L),
        ("rscan for zeros", Op(ExpCode.ScanRight, 0xFFFF, false), 47L),
        ("min", Op(ExpCode.Minimum, 5, 2, 9), 2L),
        ("max of floats", Op(ExpCode.Maximum, 5.0, 6.0, 2.0), 6.0),
        ("arithmetic on unknown is unknown", Op(ExpCode.Add, 1, Int("none")), Evaluated.Unknown),

        ("the first true condition decides", Op(ExpCode.Condition, false, 1, true, 2, true, 3, 4), 2L),
        ("without a true one the last value stands", Op(ExpCode.Condition, false, 1, false, 2, 9), 9L),
        ("an unknown condition makes all unknown", Op(ExpCode.Condition, Eq(Int("none"), 5), 1, true, 2, 3), Evaluated.Unknown),
        ("values not chosen are not evaluated", Op(ExpCode.Condition, true, 1, Op(ExpCode.Divide, 1, 0)), 1L),
        ("a variable stands for a bin", Let("x", Int("i"), Op(ExpCode.Add, Var("x"), Var("x"))), 14L),
        ("a variable stands for a result", Let("x", Op(ExpCode.Add, Int("i"), 1), Op(ExpCode.Multiply, Var("x"), Var("x"))), 64L),
        ("an inner variable hides an outer one", Let("x", 1, Let("x", 2, Var("x"))), 2L),
        ("a variable may use those before it",
            Op(ExpCode.Let, new Name("a"), Op(ExpCode.Add, 1, 1), new Name("b"), Op(ExpCode.Add, Var("a"), 1), Var("b")), 3L),
        ("a variable keeps a list", Let("x", Op(ExpCode.MapKeys, Map("m")), Var("x")), Pack(new object[] { "a", "b" })),
        ("an unknown variable is unknown where it is used", Let("x", Op(ExpCode.Divide, 1, 0), 5), 5L),
        ("an unknown variable that is used", Let("x", Op(ExpCode.Divide, 1, 0), Var("x")), Evaluated.Unknown),

        ("in_list finds", Op(ExpCode.InList, Text("s"), Quote("x", "hello")), true),
        ("in_list does not find", Op(ExpCode.InList, 5, Quote("5", 5.0)), false),
        ("in_list finds in a bin", Op(ExpCode.InList, 2, List("l")), true),
        ("in_list finds a list", Op(ExpCode.InList, Quote(1), Quote(new object[] { 1 }, 2)), true),
        ("in_list finds nil", Op(ExpCode.InList, null, Quote(1, null)), true),
        ("map_keys", Op(ExpCode.MapKeys, Map("m")), Pack(new object[] { "a", "b" })),
        ("map_values", Op(ExpCode.MapValues, Map("m")), Pack(new object[] { 1, 2 })),
        ("map_keys leave the mark out", Op(ExpCode.MapKeys, Map("ordered")), Pack(new object[] { "a" })),
        ("regex", Regex("^h.l+o$", Text("s")), true),
        ("regex that does not match", Regex("x", Text("s")), false),
        ("regex on unknown", Regex("x", Text("none")), Evaluated.Unknown),
    ];

    private static readonly (string Says, object? Expression, object? Comes)[] Rows = [.. Values, .. Comparisons, .. Others];

    public static TheoryData<string> Names => [.. Rows.Select(row => row.Says)];

    [Theory]
    [MemberData(nameof(Names))]
    public void An_expression_comes_to_its_value(string says)
    {
        var row = Rows.Single(row => row.Says == says);
        Assert.Equal(row.Comes, Evaluated.Value(row.Expression, Record()));
    }

    [Fact]
    public void Every_code_has_a_rule_and_a_text()
    {
        foreach (var code in Enum.GetValues<ExpCode>().Where(code => code <= ExpCode.Call))
        {
            Assert.Equal(code, ExpRule.Find((long)code)?.Code);
        }

        Assert.Equal(ExpRule.All.Length, ExpRule.All.ToArray().Select(rule => rule.Name).Distinct().Count());
    }

    [Fact]
    public void Times_are_nanoseconds_since_1970_and_lives_are_seconds()
    {
        const long now = CitrusTime.EpochUnixMilliseconds + 100_000;
        var record = new TestRecord { LastUpdateTime = now - 2_500, VoidTime = 160, Now = now };
        Assert.Equal((now - 2_500) * 1_000_000, Evaluated.Value(Op(ExpCode.LastUpdate), record));
        Assert.Equal(2_500L, Evaluated.Value(Op(ExpCode.SinceUpdate), record));
        Assert.Equal((CitrusTime.EpochUnixMilliseconds + 160_000) * 1_000_000, Evaluated.Value(Op(ExpCode.VoidTime), record));
        Assert.Equal(60L, Evaluated.Value(Op(ExpCode.TimeToLive), record));
    }

    [Fact]
    public void A_record_that_lives_for_ever_has_minus_one_for_its_end()
    {
        var record = new TestRecord { VoidTime = CitrusTime.NeverExpires, Now = CitrusTime.EpochUnixMilliseconds + 1 };
        Assert.Equal(-1L, Evaluated.Value(Op(ExpCode.VoidTime), record));
        Assert.Equal(-1L, Evaluated.Value(Op(ExpCode.TimeToLive), record));
    }

    [Fact]
    public void Metadata_is_read_without_bins()
    {
        var digest = new Digest([.. new byte[16], 7, 1, 0, 0]);
        var record = new TestRecord { Set = "users", Digest = digest, IsTombstone = true, RecordSize = 321 };
        Assert.Equal("users", Evaluated.Value(Op(ExpCode.SetName), record));
        Assert.Equal(263L % 100, Evaluated.Value(Op(ExpCode.DigestModulo, 100), record));
        Assert.Equal(true, Evaluated.Value(Op(ExpCode.IsTombstone), record));
        Assert.Equal(321L, Evaluated.Value(Op(ExpCode.RecordSize), record));
        Assert.Equal(321L, Evaluated.Value(Op(ExpCode.DeviceSize), record));
        Assert.Equal(321L, Evaluated.Value(Op(ExpCode.MemorySize), record));
        Assert.Equal(0, record.BinsAskedFor);
    }

    [Fact]
    public void A_key_is_read_by_its_type()
    {
        var record = new TestRecord { UserKey = (ParticleType.String, "k1"u8.ToArray()) };
        Assert.Equal(true, Evaluated.Value(Op(ExpCode.KeyExists), record));
        Assert.Equal("k1", Evaluated.Value(Op(ExpCode.Key, (long)ExpType.String), record));
        Assert.Equal(Evaluated.Unknown, Evaluated.Value(Op(ExpCode.Key, (long)ExpType.Integer), record));
        Assert.Equal(false, Evaluated.Value(Op(ExpCode.KeyExists), new TestRecord()));
        Assert.Equal(Evaluated.Unknown, Evaluated.Value(Op(ExpCode.Key, (long)ExpType.String), new TestRecord()));
    }

    [Fact]
    public void The_metadata_phase_touches_no_bin_and_decides_what_it_can()
    {
        var record = Record();
        object known = Op(ExpCode.Greater, Op(ExpCode.RecordSize), 0);
        object set = Eq(Op(ExpCode.SetName), "users");
        object bin = Eq(Int("i"), 7);
        Assert.Equal(Trilean.True, Evaluated.Metadata(set, record));
        Assert.Equal(Trilean.False, Evaluated.Metadata(Op(ExpCode.And, bin, Op(ExpCode.Not, set)), record));
        Assert.Equal(Trilean.True, Evaluated.Metadata(Op(ExpCode.Or, bin, set), record));
        Assert.Equal(Trilean.Unknown, Evaluated.Metadata(Op(ExpCode.And, bin, set), record));
        Assert.Equal(Trilean.Unknown, Evaluated.Metadata(Op(ExpCode.KeyExists), record));
        Assert.Equal(Trilean.Unknown, Evaluated.Metadata(Eq(BinType("i"), 1), record));
        Assert.Equal(Trilean.Unknown, Evaluated.Metadata(known, record));
        Assert.Equal(0, record.BinsAskedFor);
        Assert.Equal(Trilean.True, Evaluated.Filter(Op(ExpCode.And, bin, set, known), record));
    }

    [Fact]
    public void A_language_blob_has_no_type_but_a_number()
    {
        var record = new TestRecord().With("j", ParticleType.JavaBlob, [1]);
        Assert.Equal(7L, Evaluated.Value(BinType("j"), record));
        Assert.Equal(Evaluated.Unknown, Evaluated.Value(Bin(ExpType.Blob, "j"), record));
    }

    [Fact]
    public void A_program_serves_one_expression_after_the_other()
    {
        var program = new ExpProgram();
        var scratch = new ExpScratch();
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(ResultCode.Ok, ExpCompiler.Compile(Pack(Let("x", Op(ExpCode.Add, i, 1), Var("x"))), program));
            Assert.Equal(ResultCode.Ok, ExpEvaluation.EvaluateValue(program, scratch, Record(), out var result));
            Assert.Equal(i + 1L, Evaluated.Plain(result));
        }
    }

    [Fact]
    public void A_program_does_not_need_the_bytes_that_it_came_from()
    {
        var packed = Pack(Eq(Text("s"), "hello"));
        var program = new ExpProgram();
        ExpCompiler.Compile(packed, program);
        Array.Clear(packed);
        Assert.Equal(Trilean.True, ExpEvaluation.EvaluateFilter(program, new ExpScratch(), Record()));
    }

    private static TestRecord Record() => new TestRecord { Set = "users", RecordSize = 100 }
        .With("i", 7).With("f", 1.5).With("s", "hello").With("yes", true).With("b", new byte[] { 1, 2, 3 })
        .With("l", new object?[] { 1, 2, 3 }).With("m", new Pairs(("a", 1), ("b", 2)))
        .With("ordered", ParticleType.Map, [0x82, 0xC7, 0x00, 0x01, 0xC0, .. Pack("a"), 0x05]);
}

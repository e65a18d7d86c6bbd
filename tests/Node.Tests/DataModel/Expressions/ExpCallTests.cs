using Aerie.DataModel;
using Aerie.DataModel.Expressions;
using Aerie.Foundation;
using Xunit;
using static Aerie.Node.Tests.DataModel.Expressions.Exp;

namespace Aerie.Node.Tests.DataModel.Expressions;

/// Calls of operations of lists, maps, bits and HLLs, as clients pack them.
public sealed class ExpCallTests
{
    private const long Cdt = 0;
    private const long Bits = 1;
    private const long Hll = 2;
    private const long Modify = 0x40;

    private const int Count = 5;
    private const int Value = 7;
    private const int Exists = 13;

    private static readonly (string Says, object? Expression, object? Comes)[] Rows =
    [
        ("size of a list", Call(ExpType.Integer, Cdt, [16], List("l")), 3L),
        ("an element by index", Call(ExpType.Integer, Cdt, [19, Value, 1], List("l")), 20L),
        ("an element of another type is unknown", Call(ExpType.String, Cdt, [19, Value, 1], List("l")), Evaluated.Unknown),
        ("an index that is an expression", Call(ExpType.Integer, Cdt, [19, Value, Int("one")], List("l")), 20L),
        ("an index that is unknown", Call(ExpType.Integer, Cdt, [19, Value, Int("none")], List("l")), Evaluated.Unknown),
        ("a list that is not there", Call(ExpType.Integer, Cdt, [16], List("none")), Evaluated.Unknown),
        ("an index beyond the list", Call(ExpType.Integer, Cdt, [19, Value, 9], List("l")), Evaluated.Unknown),
        ("values by a quoted list", Call(ExpType.Integer, Cdt, [23, Count, Quote(10, 30, 50)], List("l")), 2L),
        ("values by a list bin", Call(ExpType.Integer, Cdt, [23, Count, List("l")], List("l")), 3L),
        ("a quoted list among other arguments", Call(ExpType.Integer, Cdt, [25, Count, Quote(1), Quote(9)], List("l")), 0L),
        ("whether there is one", Call(ExpType.Bool, Cdt, [22, Exists, 20], List("l")), true),
        ("an interval up to infinity", Call(ExpType.Integer, Cdt, [25, Count, 15, Infinity], List("l")), 2L),
        ("inside a context", Call(ExpType.Integer, Cdt, [0xFF, new object[] { 0x10, -1 }, new object[] { 19, Value, 0 }], List("nested")),
            7L),
        ("an argument inside a context",
            Call(ExpType.Integer, Cdt, [0xFF, new object[] { 0x10, -1 }, new object[] { 19, Value, Int("one") }], List("nested")), 8L),
        ("an append changes what the call comes to", Call(ExpType.List, Cdt | Modify, [1, 40], List("l")),
            Pack(new object[] { 10, 20, 30, 40 })),
        ("calls inside each other",
            Call(ExpType.Integer, Cdt, [16],
                Call(ExpType.List, Cdt | Modify, [1, 1], Call(ExpType.List, Cdt | Modify, [1, 2], List("l")))), 5L),
        ("a call as an argument", Call(ExpType.Integer, Cdt, [19, Value, Call(ExpType.Integer, Cdt, [16], List("nested"))], List("l")),
            30L),
        ("items of a call as an argument",
            Call(ExpType.List, Cdt | Modify, [2, Call(ExpType.List, Cdt, [23, Value, Quote(10, 20)], List("l"))], Quote(1)),
            Pack(new object[] { 1, 10, 20 })),
        ("a map by key", Call(ExpType.Integer, Cdt, [97, Value, "b"], Map("m")), 2L),
        ("a key that is not there", Call(ExpType.Integer, Cdt, [97, Value, "z"], Map("m")), Evaluated.Unknown),
        ("a put changes what the call comes to", Call(ExpType.Map, Cdt | Modify, [67, "b", 5, 0], Map("m")),
            Pack(new Pairs(("a", 1), ("b", 5)))),
        ("a read code in a modification", Call(ExpType.List, Cdt | Modify, [16], List("l")), Evaluated.Unknown),
        ("a modification in a read", Call(ExpType.List, Cdt, [1, 5], List("l")), Evaluated.Unknown),
        ("an operation of maps on a list", Call(ExpType.Integer, Cdt, [96], List("l")), Evaluated.Unknown),
        ("bits are counted", Call(ExpType.Integer, Bits, [51, 0, 32], Bin(ExpType.Blob, "b")), 4L),
        ("bits are set", Call(ExpType.Blob, Bits | Modify, [3, 0, 8, new byte[] { 0xFF }, 0], Bin(ExpType.Blob, "b")),
            new byte[] { 0xFF, 1, 2, 3 }),
        ("bits beyond the blob", Call(ExpType.Integer, Bits, [51, 0, 64], Bin(ExpType.Blob, "b")), Evaluated.Unknown),
        ("a sketch of nothing counts nothing", Call(ExpType.Integer, Hll, [50], Call(ExpType.Hll, Hll | Modify, [0, 4, 0], null)), 0L),
        ("a sketch counts what was added",
            Call(ExpType.Integer, Hll, [50], Call(ExpType.Hll, Hll | Modify, [1, Quote("a", "b", "a"), 12, -1, 0], null)), 2L),
        ("a text is no sketch", Call(ExpType.Integer, Hll, [50], Text("s")), Evaluated.Unknown),
    ];

    public static TheoryData<string> Names => [.. Rows.Select(row => row.Says)];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_call_comes_to_its_value(string says)
    {
        var (_, expression, comes) = Rows.Single(row => row.Says == says);
        Assert.Equal(comes, Evaluated.Value(expression, Record()));
    }

    [Fact]
    public void A_point_is_compared_with_a_region_in_either_order()
    {
        const string circle = "{\"type\":\"AeroCircle\",\"coordinates\":[[103.875,1.297],10000]}";
        const string other = "{\"type\":\"AeroCircle\",\"coordinates\":[[9.78,53.55],50000]}";
        var record = new TestRecord()
            .With("p", new Place("{\"type\":\"Point\",\"coordinates\":[103.913,1.308]}")).With("r", new Place(circle)).With("broken",
                new Place("{"));
        var point = Bin(ExpType.Geo, "p");
        Assert.Equal(true, Evaluated.Value(Op(ExpCode.Geo, point, new Place(circle)), record));
        Assert.Equal(true, Evaluated.Value(Op(ExpCode.Geo, new Place(circle), point), record));
        Assert.Equal(true, Evaluated.Value(Op(ExpCode.Geo, Bin(ExpType.Geo, "r"), point), record));
        Assert.Equal(false, Evaluated.Value(Op(ExpCode.Geo, point, new Place(other)), record));
        Assert.Equal(Evaluated.Unknown, Evaluated.Value(Op(ExpCode.Geo, Bin(ExpType.Geo, "broken"), new Place(other)), record));
        Assert.Equal(ResultCode.Parameter, Evaluated.Compiled(Op(ExpCode.Geo, point, new Place("{}"))));
    }

    [Fact]
    public void A_call_does_not_change_the_record()
    {
        var record = Record();
        Evaluated.Value(Call(ExpType.List, Cdt | Modify, [11], List("l")), record);
        Assert.Equal(Pack(new object[] { 10, 20, 30 }), record.Bins["l"].Value);
    }

    [Fact]
    public void Too_much_work_is_unknown_and_ends_in_time()
    {
        var large = new TestRecord().With("l", Enumerable.Repeat<object?>(new string('x', 10_000), 100).ToArray());
        var each = Call(ExpType.Integer, Cdt, [22, Count, -1], List("l"));
        Assert.Equal(Evaluated.Unknown, Evaluated.Value(Many(ExpCode.Add, Enumerable.Repeat<object?>(each, 100)), large));
        Assert.Equal(0L, Evaluated.Value(Many(ExpCode.Add, Enumerable.Repeat<object?>(each, 15)), large));
    }

    [Fact]
    public void Results_that_grow_beyond_bounds_are_unknown()
    {
        var record = new TestRecord().With("l", Enumerable.Range(0, 10).Select(_ => (object?)new string('x', 100_000)).ToArray());
        object? doubled = List("l");
        for (var i = 0; i < 6; i++)
        {
            doubled = Call(ExpType.List, Cdt | Modify, [2, doubled], doubled);
        }

        Assert.Equal(Evaluated.Unknown, Evaluated.Value(doubled, record));
    }

    [Fact]
    public void Calls_may_stand_as_deep_as_anything_else()
    {
        object? deep = List("l");
        for (var i = 0; i < ExpProgram.DepthMax - 2; i++)
        {
            deep = Call(ExpType.List, Cdt | Modify, [1, i], deep);
        }

        object? comes = null;
        var thread = new Thread(() => comes = Evaluated.Value(Call(ExpType.Integer, Cdt, [16], deep), Record()), 256 * 1024);
        thread.Start();
        thread.Join();
        Assert.Equal(3L + ExpProgram.DepthMax - 2, comes);
    }

    private static TestRecord Record() => new TestRecord()
        .With("one", 1).With("s", "text").With("b", new byte[] { 0, 1, 2, 3 })
        .With("l", new object?[] { 10, 20, 30 }).With("nested", new object?[] { 1, new object[] { 7, 8, 9 } })
        .With("m", new Pairs(("a", 1), ("b", 2)));
}

using Aerie.DataModel;
using Aerie.DataModel.Bins;
using Aerie.DataModel.Cdt;
using Aerie.DataModel.Expressions;
using Aerie.DataModel.Packed;
using Aerie.DataModel.Paths;
using Aerie.Foundation;
using Aerie.Node.Tests.DataModel.Expressions;
using Xunit;
using static Aerie.Node.Tests.DataModel.Expressions.Exp;

namespace Aerie.Node.Tests.DataModel.Paths;

public sealed class PathTests
{
    private const int Tree = 0;
    private const int Values = 1;
    private const int Keys = 2;
    private const int KeysAndValues = 3;
    private const int Modify = 4;
    private const int NoFail = 0x10;

    private const int Children = 0x04;
    private const int AndFilter = 0x204;
    private const int KeysIn = 0x2A;
    private const int ListIndex = 0x10;
    private const int MapKey = 0x22;

    private static readonly Pairs Days = new(
        ("Day1", new Pairs(("book", 14.99), ("ferry", 5.0))),
        ("Day2", new Pairs(("food", 34.0), ("game", 12.99))),
        ("Day3", new Pairs(("plants", 19.99), ("stickers", 2.0))));

    private static readonly Pairs Mixed = new(("a", 1), ("ab", new Pairs(("bb", 12))), ("b", 2), ("c", true), ("d", new byte[] { 49, 50 }),
        ("e", null));

    private static readonly Pairs Shop = new(("book", new object[]
    {
        new Pairs(("price", 10.0), ("title", "Sayings")), new Pairs(("price", 20.5), ("title", "Sword")), new Pairs(("title", "none")),
    }));

    private static readonly object[] AtLeast20 = Op(ExpCode.GreaterOrEqual, Loop(ExpType.Float), 20.0);

    private static readonly (string Says, object Bin, object[] Steps, int Flags, object? Comes)[] Selections =
    [
        ("all children of a list", new object[] { 1, "x", null! }, [Children, true], Values, new object?[] { 1, "x", null }),
        ("all values of a map", Mixed, [Children, true], Values, Mixed.Items.Select(item => item.Value).ToArray()),
        ("children of children", new object[] { new object[] { 1, 2 }, new Pairs(("k", 3)) }, [Children, true, Children, true], Values,
            new object[] { 1, 2, 3 }),
        ("keys", Days, [Children, true, Children, true], Keys, new object[] { "book", "ferry", "food", "game", "plants", "stickers" }),
        ("keys and values", Days, [MapKey, "Day2", Children, true], KeysAndValues, new object[] { "food", 34.0, "game", 12.99 }),
        ("elements of lists have no keys", new object[] { 1, 2 }, [Children, true], Keys, Array.Empty<object>()),
        ("values on a condition", Days, [Children, true, Children, AtLeast20], Values, new object[] { 34.0 }),
        ("the tree on a condition keeps the way", Days, [Children, true, Children, AtLeast20], Tree,
            new Pairs(("Day1", new Pairs()), ("Day2", new Pairs(("food", 34.0))), ("Day3", new Pairs()))),
        ("the tree on a key", Days, [Children, true, Children, Eq(Loop(ExpType.String, 0), "book")], Tree,
            new Pairs(("Day1", new Pairs(("book", 14.99))), ("Day2", new Pairs()), ("Day3", new Pairs()))),
        ("the tree on an index", new object[] { new Pairs(("a", 1)), new Pairs(("b", 2)) }, [Children, Eq(Loop(ExpType.Integer, 2), 0)],
            Tree,
            new object[] { new Pairs(("a", 1)) }),
        ("the key of a list's element is its index", new object[] { "x", "y" }, [Children, Eq(Loop(ExpType.Integer, 0), 1)], Values,
            new object[] { "y" }),
        ("by plain steps", Shop, [MapKey, "book", Children, true, MapKey, "price"], Values, new object[] { 10.0, 20.5 }),
        ("the tree by plain steps", Shop, [MapKey, "book", ListIndex, -2, MapKey, "title"], Tree,
            new Pairs(("book", new object[] { new Pairs(("title", "Sword")) }))),
        ("a way that leads nowhere", Shop, [MapKey, "toys", Children, true], Values, Array.Empty<object>()),
        ("a tree that leads nowhere", Shop, [MapKey, "toys", Children, true], Tree, new Pairs()),
        ("pairs by a list of keys", Days.Items[0].Value!, [KeysIn, new object[] { "ferry", "x", "book", "book" }], Tree,
            Days.Items[0].Value),
        ("values by a list of keys", new Pairs(("a", 1.5), ("b", 3.0), ("c", 4.5)), [KeysIn, new object[] { "c", "a" }], Values,
            new object[] { 1.5, 4.5 }),
        ("by a list of keys and a condition", new Pairs(("a", 1.5), ("b", 3.0), ("c", 4.5)),
            [KeysIn, new object[] { "a", "c" }, AndFilter, Op(ExpCode.Greater, Loop(ExpType.Float), 3.0)], Tree, new Pairs(("c", 4.5))),
        ("by an empty list of keys", new Pairs(("a", 1)), [KeysIn, Array.Empty<object>()], Values, Array.Empty<object>()),
        ("by two conditions", new object[] { 1, 2, 3, 4 },
            [Children, Op(ExpCode.Greater, Loop(ExpType.Integer), 1), AndFilter, Op(ExpCode.Less, Loop(ExpType.Integer), 4)], Values,
                new object[] { 2, 3 }),
        ("a condition on one element", new object[] { 1, 2 }, [ListIndex, 1, AndFilter, Op(ExpCode.Less, Loop(ExpType.Integer), 2)], Values,
            Array.Empty<object>()),
        ("another type is unknown, and false where that may be", Mixed, [Children, true, Children, Eq(Loop(ExpType.String), "a")],
            Values | NoFail,
            Array.Empty<object>()),
        ("integers among others", Mixed, [Children, Op(ExpCode.GreaterOrEqual, Loop(ExpType.Integer), 2)], Values | NoFail,
            new object[] { 2 }),
        ("a boolean among others", Mixed, [Children, Eq(Loop(ExpType.Bool), true)], Values | NoFail, new object[] { true }),
        ("a blob among others", Mixed, [Children, Eq(Loop(ExpType.Blob), new byte[] { 49, 50 })], Values | NoFail,
            new object[] { new byte[] { 49, 50 } }),
        ("nil among others", Mixed, [Children, Eq(Loop(ExpType.Nil), null)], Values | NoFail, new object?[] { null }),
        ("maps by what is in them", Mixed,
            [Children, Op(ExpCode.GreaterOrEqual, Call(ExpType.Integer, 0, [97, 7, "bb"], Loop(ExpType.Map)), 10)], Values | NoFail,
            new object[] { new Pairs(("bb", 12)) }),
        ("lists by their size", new object[] { new object[] { 1, 2, 3 }, new object[] { 6 } },
            [Children, Op(ExpCode.GreaterOrEqual, Call(ExpType.Integer, 0, [16], Loop(ExpType.List)), 2)], Values,
                new object[] { new object[] { 1, 2, 3 } }),
        ("a condition on another bin", new object[] { 1, 5 }, [Children, Op(ExpCode.Greater, Loop(ExpType.Integer), Int("limit"))], Values,
            new object[] { 5 }),
        ("a path inside a condition", new object[] { new object[] { 1, 9 }, new object[] { 2 } },
            [Children, Eq(Call(ExpType.Integer, 0, [16],
                Path(ExpType.List, 0, [Children, Op(ExpCode.Greater, Loop(ExpType.Integer), 5)], Values, Loop(ExpType.List))), 1)],
            Values, new object[] { new object[] { 1, 9 } }),
        ("scalars on the way are passed over where that may be", new object[] { 1, new object[] { 2 } }, [Children, true, Children, true],
            Tree | NoFail, new object[] { new object[] { 2 } }),
    ];

    private static readonly (string Says, object Bin, object[] Steps, int Flags, object? Becomes, object? Comes)[] Changes =
    [
        ("all values become one", new Pairs(("a", 1.5), ("b", 3.0)), [Children, true], Modify, 14.0, new Pairs(("a", 14.0), ("b", 14.0))),
        ("all elements become one", new object[] { 1, new object[] { 2 } }, [Children, true], Modify, "x", new object[] { "x", "x" }),
        ("elements go", Shop, [Children, true], Modify, Op(ExpCode.ResultRemove), new Pairs()),
        ("elements go on the last level", Days, [Children, true, Children, true], Modify, Op(ExpCode.ResultRemove),
            new Pairs(("Day1", new Pairs()), ("Day2", new Pairs()), ("Day3", new Pairs()))),
        ("some elements go", new object[] { 1, 2, 3 }, [Children, Op(ExpCode.Greater, Loop(ExpType.Integer), 1)], Modify,
            Op(ExpCode.ResultRemove),
            new object[] { 1 }),
        ("elements go or change", new object[] { 1, 2, 3 }, [Children, true], Modify,
            Op(ExpCode.Condition, Eq(Loop(ExpType.Integer), 2), Op(ExpCode.ResultRemove), Op(ExpCode.Add, Loop(ExpType.Integer), 10)),
                new object[] { 11, 13 }),
        ("elements are multiplied", new object[] { new object[] { 2.0, 4.0 } }, [Children, true, Children, true], Modify,
            Op(ExpCode.Multiply, Loop(ExpType.Float), 1.5), new object[] { new object[] { 3.0, 6.0 } }),
        ("by plain steps, and the rest stays", Shop, [MapKey, "book", ListIndex, 0, MapKey, "price"], Modify, 1.0,
            new Pairs(("book", new object[]
            {
                new Pairs(("price", 1.0), ("title", "Sayings")), new Pairs(("price", 20.5), ("title", "Sword")),
                    new Pairs(("title", "none")),
            }))),
        ("by key", new Pairs(("a", 1), ("b", 2)), [Children, true], Modify,
            Op(ExpCode.Condition, Eq(Loop(ExpType.String, 0), "a"), "pass", "fail"), new Pairs(("a", "pass"), ("b", "fail"))),
        ("by index", new object[] { 7, 8, 9 }, [Children, true], Modify, Eq(Loop(ExpType.Integer, 2), 1),
            new object[] { false, true, false }),
        ("lists become what they hold", new object[] { new object[] { 1 }, new object[] { 2, 3 } }, [Children, true], Modify,
            Call(ExpType.List, 0x40, [1, 0], Loop(ExpType.List)), new object[] { new object[] { 1, 0 }, new object[] { 2, 3, 0 } }),
        ("unknown leaves elements where that may be", new object[] { 1, "x", 3 }, [Children, true], Modify | NoFail,
            Op(ExpCode.Add, Loop(ExpType.Integer), 1), new object[] { 2, "x", 4 }),
        ("what is no container stays where that may be", new object[] { 1, new object[] { 2 } }, [Children, true, Children, true],
            Modify | NoFail,
            0, new object[] { 1, new object[] { 0 } }),
        ("a step that does not fit leaves all where that may be", new object[] { 1, 2 }, [MapKey, "a"], Modify | NoFail, 0, null),
        ("a way that leads nowhere changes nothing", Shop, [MapKey, "toys"], Modify, 0, null),
    ];

    public static TheoryData<string> SelectionNames => [.. Selections.Select(row => row.Says)];

    public static TheoryData<string> ChangeNames => [.. Changes.Select(row => row.Says)];

    [Theory]
    [MemberData(nameof(SelectionNames))]
    public void A_path_selects(string says)
    {
        var (_, bin, steps, flags, comes) = Selections.Single(row => row.Says == says);
        var (code, outcome) = Run(bin, new object[] { 0xFE, steps, flags }, modifies: false);
        Assert.Equal(ResultCode.Ok, code);
        Assert.Equal(ExpText.Of(Pack(Op(ExpCode.Quote, comes))),
            ExpText.Of(Pack(Op(ExpCode.Quote, new Raw(outcome.NewReply.Bytes.ToArray())))));
        Assert.Equal(comes is Pairs ? ParticleType.Map : ParticleType.List, outcome.ReplyType);
        Assert.False(outcome.HasChanged);

        var type = comes is Pairs ? ExpType.Map : ExpType.List;
        Assert.Equal(Pack(comes), Evaluated.Value(Path(type, 0, steps, flags, BinOf(bin)), Record(bin)));
    }

    [Theory]
    [MemberData(nameof(ChangeNames))]
    public void A_path_modifies(string says)
    {
        var (_, bin, steps, flags, becomes, comes) = Changes.Single(row => row.Says == says);
        var (code, outcome) = Run(bin, new object[] { 0xFE, steps, flags, becomes! }, modifies: true);
        Assert.Equal(ResultCode.Ok, code);
        Assert.Equal(comes is not null, outcome.HasChanged);
        if (comes is not null)
        {
            Assert.Equal(Pack(comes), outcome.NewValue.Bytes.ToArray());
        }

        var type = bin is Pairs ? ExpType.Map : ExpType.List;
        Assert.Equal(Pack(comes ?? bin), Evaluated.Value(Path(type, 0x40, steps, flags, BinOf(bin), becomes), Record(bin)));
    }

    [Fact]
    public void Without_leave_to_fail_another_type_ends_the_path()
    {
        object[][] paths = [[Children, true, Children, true], [MapKey, "a", Children, true], [Children, Eq(Loop(ExpType.String), "a")],
            [ListIndex, 0]];
        foreach (var steps in paths)
        {
            Assert.Equal(ResultCode.OpNotApplicable, Run(Mixed, new object[] { 0xFE, steps, Values }, modifies: false).Code);
            Assert.Equal(Evaluated.Unknown, Evaluated.Value(Path(ExpType.List, 0, steps, Values, Map("bin")), Record(Mixed)));
        }

        var add = new object[] { 0xFE, new object[] { Children, true }, Modify, Op(ExpCode.Add, Loop(ExpType.Integer), 1) };
        Assert.Equal(ResultCode.OpNotApplicable, Run(new object[] { "x" }, add, modifies: true).Code);
        Assert.Equal(ResultCode.OpNotApplicable,
            Run("text", new object[] { 0xFE, new object[] { Children, true }, Values }, modifies: false).Code);
    }

    [Fact]
    public void A_bin_that_is_not_there_has_no_answer()
    {
        var (code, outcome) = Run(null, new object[] { 0xFE, new object[] { Children, true }, Values }, modifies: false);
        Assert.Equal(ResultCode.Ok, code);
        Assert.Equal(ParticleType.Null, outcome.ReplyType);
    }

    [Fact]
    public void A_malformed_path_is_an_error_of_parameters()
    {
        object[][] reads =
        [
            [0xFE, Array.Empty<object>(), Values], [0xFE, new object[] { Children }, Values], [0xFE, new object[] { Children, 5 }, Values],
            [0xFE, new object[] { AndFilter, true }, Values], [0xFE, new object[] { 0x99, 1 }, Values],
                [0xFE, new object[] { 0x50, 1 }, Values],
            [0xFE, new object[] { KeysIn, "a" }, Values], [0xFE, new object[] { Children, true }, 5],
                [0xFE, new object[] { Children, true }, 0x20],
            [0xFE, new object[] { Children, true }], [0xFE, new object[] { Children, true }, Modify], [0xFE, 1, Values],
            [0xFE, new object[] { Children, true }, Values, 1], [0xFE, new object[] { Children, Op(ExpCode.ResultRemove) }, Values],
            [19, new object[] { Children, true }, Values],
        ];
        Assert.All(reads, call => Assert.Equal(ResultCode.Parameter, PathCommand.Compile(Pack(call), modifies: false, new ExpProgram())));

        object[][] changes =
        [
            [0xFE, new object[] { Children, true }, Values], [0xFE, new object[] { Children, true }, Modify],
            [0xFE, new object[] { Children, true }, Values, 1], [0xFE, new object[] { Children, true }, Modify, new object[] { 99 }],
        ];
        Assert.All(changes, call => Assert.Equal(ResultCode.Parameter, PathCommand.Compile(Pack(call), modifies: true, new ExpProgram())));
        Assert.Equal(ResultCode.Parameter, Evaluated.Compiled(Path(ExpType.List, 0x40, [Children, true], Values, List("bin"))));
        Assert.Equal(ResultCode.Parameter, Evaluated.Compiled(Path(ExpType.List, 1, [Children, true], Values, List("bin"))));
        Assert.Equal(ResultCode.Parameter,
            ExpCompiler.Compile(Pack(new object[] { 0xFE, new object[] { Children, true }, Values }), new ExpProgram()));
    }

    [Fact]
    public void An_ordered_list_stays_in_order_and_an_ordered_map_stays_marked()
    {
        byte[] list = [0x94, 0xC7, 0, 1, 1, 2, 3];
        var negated = new object[] { 0xFE, new object[] { Children, true }, Modify, Op(ExpCode.Subtract, Loop(ExpType.Integer)) };
        Assert.Equal([0x94, 0xC7, 0, 1, 0xFD, 0xFE, 0xFF],
            Run(list, ParticleType.List, negated, modifies: true).Outcome.NewValue.Bytes.ToArray());
        byte[] map = [0x83, 0xC7, 0, 1, 0xC0, 1, 5, 2, 6];
        Assert.Equal([0x83, 0xC7, 0, 1, 0xC0, 1, 0xFB, 2, 0xFA],
            Run(map, ParticleType.Map, negated, modifies: true).Outcome.NewValue.Bytes.ToArray());
        var keys = new object[] { 0xFE, new object[] { KeysIn, new object[] { 2, 7, 0 } }, Tree };
        Assert.Equal([0x82, 0xC7, 0, 1, 0xC0, 2, 6], Run(map, ParticleType.Map, keys, modifies: false).Outcome.NewReply.Bytes.ToArray());
    }

    [Fact]
    public void The_index_of_a_large_map_is_kept_in_bins_and_shown_to_nobody()
    {
        byte[] Wire(int add) =>
            [0xDE, 0, 101, 0xC7, 0, 1, 0xC0, .. Enumerable.Range(0, 100).SelectMany(i => new[] { (byte)i, (byte)(i / 10 + add) })];
        var stored = Stored(Wire(0));
        Assert.NotEqual(Wire(0), stored);

        var all = new object[] { 0xFE, new object[] { Children, true }, Tree };
        Assert.Equal(Wire(0), Run(stored, ParticleType.Map, all, modifies: false).Outcome.NewReply.Bytes.ToArray());
        var add = new object[] { 0xFE, new object[] { Children, true }, Modify, Op(ExpCode.Add, Loop(ExpType.Integer), 5) };
        Assert.Equal(Stored(Wire(5)), Run(stored, ParticleType.Map, add, modifies: true).Outcome.NewValue.Bytes.ToArray());

        var record = new TestRecord().With("bin", ParticleType.Map, stored);
        var (program, scratch) = (new ExpProgram(), new ExpScratch());
        var outcome = new OpOutcome(new GrowingBytes(1 << 20), new GrowingBytes(1 << 20));
        Assert.Equal(ResultCode.Ok, ExpOps.Compile(Pack(new object[] { Map("bin"), 0 }), program));
        outcome.Begin();
        Assert.Equal(ResultCode.Ok, ExpOps.Read(program, record, scratch, outcome));
        Assert.Equal(Wire(0), outcome.NewReply.Bytes.ToArray());
        outcome.Begin();
        Assert.Equal(ResultCode.Ok, ExpOps.Modify(program, ParticleType.Null, record, scratch, outcome));
        Assert.Equal(stored, outcome.NewValue.Bytes.ToArray());
        Assert.Equal((byte[])[0x91, .. Wire(0)], Evaluated.Value(Call(ExpType.List, 0x40, [1, Map("bin")], Quote()), record));
    }

    private static byte[] Stored(byte[] wire)
    {
        var target = new GrowingBytes(1 << 20);
        Assert.Equal(ResultCode.Ok, CdtWire.Read(wire, ParticleType.Map, new CdtScratch(), target, out var asGiven));
        Assert.False(asGiven);
        return target.Read(0, target.Length).ToArray();
    }

    [Fact]
    public void Conditions_see_the_variables_around_the_path()
    {
        var above = Path(ExpType.List, 0, [Children, Op(ExpCode.Greater, Loop(ExpType.Integer), Var("x"))], Values, List("bin"));
        var let = Let("x", Op(ExpCode.Add, Int("limit"), 1), Call(ExpType.Integer, 0, [16], above));
        Assert.Equal(2L, Evaluated.Value(let, Record(new object[] { 3, 4, 5, 6 })));
    }

    [Fact]
    public void Loop_variables_around_a_path_come_back()
    {
        var inner = Path(ExpType.List, 0, [Children, true], Values, Quote(7, 8));
        var sum = Op(ExpCode.Add, Call(ExpType.Integer, 0, [16], inner), Loop(ExpType.Integer));
        var (_, outcome) = Run(new object[] { 10, 20 }, new object[] { 0xFE, new object[] { Children, true }, Modify, sum },
            modifies: true);
        Assert.Equal(Pack(new object[] { 12, 22 }), outcome.NewValue.Bytes.ToArray());
    }

    [Fact]
    public void Deep_paths_are_bounded_and_the_deepest_is_taken_on_a_small_stack()
    {
        object deep = 1;
        var steps = new List<object>();
        for (var i = 0; i < ExpProgram.DepthMax - 2; i++)
        {
            deep = new object[] { deep };
            steps.AddRange([Children, true]);
        }

        ResultCode code = default;
        var thread = new Thread(() => code = Run(deep, new object[] { 0xFE, steps.ToArray(), Modify, 2 }, modifies: true).Code, 256 * 1024);
        thread.Start();
        thread.Join();
        Assert.Equal(ResultCode.Ok, code);
        steps.AddRange(Enumerable.Repeat<object[]>([Children, true], 2).SelectMany(step => step));
        Assert.Equal(ResultCode.Parameter,
            PathCommand.Compile(Pack(new object[] { 0xFE, steps.ToArray(), Values }), modifies: false, new ExpProgram()));
    }

    [Fact]
    public void A_result_that_would_be_too_deep_is_refused()
    {
        object deep = 1;
        for (var i = 0; i < 200; i++)
        {
            deep = new object[] { deep };
        }

        var record = Record(new object[] { deep });
        var twice = Op(ExpCode.Quote, deep);
        var steps = Enumerable.Repeat<object[]>([Children, true], 100).SelectMany(step => step).ToArray();
        var (program, scratch, outcome) = Prepare(new object[] { 0xFE, steps, Modify, twice }, modifies: true);
        Assert.True(record.TryBin("bin"u8, out var bin));
        Assert.Equal(ResultCode.Parameter, PathCommand.Run(program, bin, record, scratch, outcome));
    }

    [Fact]
    public void A_path_allocates_nothing()
    {
        var call = Pack(new object[] { 0xFE, new object[] { Children, true, Children, AtLeast20 }, Tree });
        var (program, scratch, outcome) = Prepare(call, modifies: false);
        var record = Record(Days);
        var before = 0L;
        for (var i = 0; i < 300; i++)
        {
            before = i == 100 ? GC.GetAllocatedBytesForCurrentThread() : before;
            outcome.Reply.Clear();
            outcome.Begin();
            Assert.True(PathCommand.Run(program, new BinValue(ParticleType.Map, record.Bins["bin"].Value), record, scratch,
                outcome) == ResultCode.Ok);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static object[] Loop(ExpType type, int part = 1) => Op(ExpCode.LoopVariable, (long)type, part);

    private static object[] BinOf(object bin) => bin is Pairs ? Map("bin") : List("bin");

    private static object[] Path(ExpType type, long module, object[] steps, int flags, object? target, object? becomes = null) =>
        Call(type, module, (flags & Modify) != 0 ? [0xFE, steps, flags, becomes] : [0xFE, steps, flags], target);

    private static TestRecord Record(object bin) => new TestRecord().With("limit", 3).With("bin", bin);

    private static (ResultCode Code, OpOutcome Outcome) Run(object? bin, object[] call, bool modifies)
    {
        var record = bin is null ? new TestRecord() : Record(bin);
        var (program, scratch, outcome) = Prepare(call, modifies);
        record.TryBin("bin"u8, out var value);
        return (PathCommand.Run(program, value, record, scratch, outcome), outcome);
    }

    private static (ResultCode Code, OpOutcome Outcome) Run(byte[] bin, ParticleType type, object[] call, bool modifies)
    {
        var (program, scratch, outcome) = Prepare(call, modifies);
        return (PathCommand.Run(program, new BinValue(type, bin), new TestRecord(), scratch, outcome), outcome);
    }

    private static (ExpProgram Program, ExpScratch Scratch, OpOutcome Outcome) Prepare(object call, bool modifies)
    {
        var program = new ExpProgram();
        Assert.Equal(ResultCode.Ok, PathCommand.Compile(call as byte[] ?? Pack(call), modifies, program));
        var outcome = new OpOutcome(new GrowingBytes(1 << 20), new GrowingBytes(1 << 20));
        outcome.Begin();
        return (program, new ExpScratch(), outcome);
    }
}

using Aerie.DataModel.Expressions;
using Xunit;
using static Aerie.Node.Tests.DataModel.Expressions.Exp;

namespace Aerie.Node.Tests.DataModel.Expressions;

public sealed class ExpTextTests
{
    private static readonly (object? Expression, string Text)[] Rows =
    [
        (Op(ExpCode.And, Eq(Int("a"), 5), Op(ExpCode.Not, Op(ExpCode.KeyExists))), "and(eq(bin_int(\"a\"), 5), not(key_exists()))"),
        (Regex("^a\"b", Text("s"), 3), "regex(3, \"^a\\\"b\", bin_str(\"s\"))"),
        (Let("x", 2.0, Op(ExpCode.Add, Var("x"), 0.5)), "let(\"x\" = 2.0, add(var(\"x\"), 0.5))"),
        (Op(ExpCode.Condition, true, "y", Exp.Unknown), "cond(true, \"y\", unknown())"),
        (Op(ExpCode.InList, null, Quote(1, new object[] { "z" })), "in_list(nil, [1, [\"z\"]])"),
        (Op(ExpCode.MapKeys, new Pairs(("k", new byte[] { 1, 255 }))), "map_keys({\"k\": blob'01FF'})"),
        (Op(ExpCode.Key, (long)ExpType.Blob), "key_blob()"),
        (BinType("b"), "bin_type(\"b\")"),
        (Call(ExpType.Integer, 0, [19, 7, 2], List("l")), "cdt_int([19, 7, 2], bin_list(\"l\"))"),
        (Call(ExpType.List, 0x40, [0xFF, new object[] { 0x10, 2 }, new object[] { 1, Quote(9) }], List("l")),
            "cdt_modify_list(at [16, 2] [1, [9]], bin_list(\"l\"))"),
        (Call(ExpType.List, 0, [0xFE, new object[] { 0x22, "k", 4, Eq(Op(ExpCode.LoopVariable, 2L, 1L), 3) }, 1], Map("m")),
            "cdt_list([254, path(0x22: \"k\", 0x04: eq(loop_var_int(value), 3)), 1], bin_map(\"m\"))"),
        (new object[] { 99L, 1 }, "code_99(1)"),
        (Infinity, "inf"),
    ];

    [Fact]
    public void An_expression_is_shown_in_the_words_of_clients() =>
        Assert.All(Rows, row => Assert.Equal(row.Text, ExpText.Of(Pack(row.Expression))));

    [Fact]
    public void Broken_bytes_are_shown_as_far_as_they_go()
    {
        Assert.Equal("eq(bin_int(\"a\"),  …broken at byte 7", ExpText.Of(Pack(Eq(Int("a"), 5)).AsSpan()[..^1]));
        Assert.Equal("5 …and 1 bytes more", ExpText.Of([5, 5]));
        Assert.Contains("broken", ExpText.Of([.. Enumerable.Repeat<byte>(0x91, 100_000)]));
        Assert.Contains("broken", ExpText.Of([.. Enumerable.Repeat<byte[]>([0x92, 18], 100_000).SelectMany(head => head)]));
    }
}

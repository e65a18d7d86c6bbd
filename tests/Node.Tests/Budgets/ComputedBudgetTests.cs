using Aerie.DataModel;
using Aerie.DataModel.Expressions;
using Aerie.Foundation;
using Aerie.Node.Tests.DataModel.Cdt;
using Aerie.Node.Tests.DataModel.Expressions;
using Aerie.Node.Tests.DataModel.Operations;
using Aerie.Protocol;
using Aerie.TestKit;
using Xunit;

namespace Aerie.Node.Tests.Budgets;

/// What works inside a record, through the whole node: lists, maps, bits, sketches, expressions and functions allocate nothing
/// once they are warm.
public sealed class ComputedBudgetTests
{
    private const int Times = 1_000;
    private const int BatchTimes = 100;
    private const int Rows = 50;

    private const string Module = """
        function three_bins(rec, by) rec.c = rec.a + rec.b * by; aerospike:update(rec); return rec.c end
        function spend(rec, by) local l = rec.l; l[1] = by; rec.l = l; aerospike:update(rec); return 1 end
        """;

    public static TheoryData<string> Operations =>
    [
        "map get by key", "map put by key", "map increment by key", "map get of a range", "list append", "list get", "list get from within",
        "bits set", "bits get", "sketch add", "sketch count", "expression read", "expression write", "path select", "ten operations",
        "function of three bins", "function on a list",
    ];

    [Theory, MemberData(nameof(Operations))]
    public void An_operation_allocates_nothing(string operation) => Measure(RequestOf(operation).Bytes(), Times);

    [Theory]
    [InlineData("get"), InlineData("exists"), InlineData("put"), InlineData("delete that is refused"), InlineData("function")]
    public void A_filter_allocates_nothing(string command)
    {
        var request = command switch
        {
            "get" => WireRequest.Get("k0"),
            "exists" => WireRequest.Exists("k0"),
            "put" => WireRequest.Put("k0", "x", "y"),
            "function" => Call("k0", "three_bins"),
            _ => WireRequest.Delete("k0"),
        };
        Measure(request.Field(FieldId.Filter, command[0] == 'd' ? RefusingFilter : Filter).Bytes(), Times);
    }

    [Theory, InlineData(1), InlineData(2)]
    public void A_batch_of_calls_allocates_nothing(int loops)
    {
        var batch = new WireBatch();
        for (var i = 0; i < Rows; i++)
        {
            batch.Call($"k{i}", "m", i % 2 == 0 ? "three_bins" : "spend", [0x91, 5]);
        }

        Measure(batch.Bytes(), BatchTimes, loops);
    }

    [Fact]
    public void A_batch_of_operations_allocates_nothing()
    {
        byte[] fields = [.. WireBatchField.FieldBytes(FieldId.Namespace, "test"u8), .. WireBatchField.FieldBytes(FieldId.Set, "s"u8)];
        var call = PackedText.Pack("[67, \"k7\", 5, 1]");
        byte[] op = [0, 0, 0, (byte)(5 + call.Length), (byte)OpCode.CdtModify, (byte)ParticleType.Bytes, 0, 1, (byte)'m', .. call];
        var batch = new WireBatchField().Row(WireRequest.DigestOf("k0"), Info1.None, Info2.Write, fields, 2, op, 1);
        for (var i = 1; i < Rows; i++)
        {
            batch.Again(WireRequest.DigestOf($"k{i}"));
        }

        Measure(batch.Request().Bytes(), BatchTimes);
    }

    private static void Measure(byte[] request, int times, int loops = 1)
    {
        using var node = new NodeUnderTest(loops: loops);
        node.Node.Udfs!.Register("m", System.Text.Encoding.UTF8.GetBytes(Module));
        var conversation = new Conversation(node, request, int.MaxValue);
        for (var i = 0; i < Rows; i++)
        {
            Assert.Equal(ResultCode.Ok, Ask(node, conversation.Peer, Record($"k{i}")).Result);
        }

        // A budget of what is refused would say nothing.
        var replies = WireReply.ReadAll(node.Ask(conversation.Peer, request));
        Assert.All(replies, reply => Assert.True(reply.Result is ResultCode.Ok or ResultCode.FilteredOut, $"{reply.Result}"));
        conversation.HoldBudget(times, 0);
    }

    private static WireReply Ask(NodeUnderTest node, SimulatedPeer peer, WireRequest request) =>
        WireReply.Read(node.Ask(peer, request.Bytes()));

    private static WireRequest Record(string key)
    {
        var map = PackedText.Pack($"k{{{string.Join(", ", Enumerable.Range(0, 10).Select(i => $"\"k{i}\": {i}"))}}}");
        return WireRequest.Write(key)
            .Op(OpCode.Write, "a", ParticleType.Integer, WireRequest.Integer(7))
            .Op(OpCode.Write, "b", ParticleType.Integer, WireRequest.Integer(5))
            .Op(OpCode.Write, "c", ParticleType.Integer, WireRequest.Integer(0))
            .Op(OpCode.Write, "t", ParticleType.String, "text"u8)
            .Op(OpCode.Write, "m", ParticleType.Map, map)
            .Op(OpCode.Write, "l", ParticleType.List, PackedText.Pack("[1, 2, 3, 4, [5, 6], 7]"))
            .Op(OpCode.Write, "x", ParticleType.Bytes, new byte[64])
            .Op(OpCode.HllModify, "h", ParticleType.Bytes, PackedCall.Of(1, new object[] { "one", "two" }, 8));
    }

    private static WireRequest RequestOf(string operation) => operation switch
    {
        "map get by key" => Read("m", OpCode.CdtRead, PackedText.Pack("[97, 7, \"k7\"]")),
        "map put by key" => Write("m", OpCode.CdtModify, PackedText.Pack("[67, \"k7\", 9, 1]")),
        "map increment by key" => Write("m", OpCode.CdtModify, PackedText.Pack("[73, \"k7\", 1, 1]")),
        "map get of a range" => Read("m", OpCode.CdtRead, PackedText.Pack("[103, 8, \"k2\", \"k6\"]")),
        "list append" => AppendAndRemove(WireRequest.Write("k0")),
        "list get" => Read("l", OpCode.CdtRead, PackedText.Pack("[17, 1]")),
        "list get from within" => Read("l", OpCode.CdtRead, PackedText.Pack("[0xFF, [0x10, 4], [17, 1]]")),
        "bits set" => Write("x", OpCode.BitsModify, PackedCall.Of(3, 13, 3, new byte[] { 0xE0 })),
        "bits get" => Read("x", OpCode.BitsRead, PackedCall.Of(50, 9, 5)),
        "sketch add" => Write("h", OpCode.HllModify, PackedCall.Of(1, new object[] { "three", "four" }, 8)),
        "sketch count" => Read("h", OpCode.HllRead, PackedCall.Of(50)),
        "expression read" => Read("e", OpCode.ExpressionRead, Exp.Pack(new object[] { Sum, 0L })),
        "expression write" => Write("c", OpCode.ExpressionModify, Exp.Pack(new object[] { Sum, 0L })),
        "path select" => Read("m", OpCode.CdtRead, Exp.Pack(new object?[] { 0xFEL, new object[] { 0x22L, "k7" }, 0L })),
        "ten operations" => TenOperations(),
        "function of three bins" => Call("k0", "three_bins"),
        "function on a list" => Call("k0", "spend"),
        _ => throw new ArgumentException(operation),
    };

    private static WireRequest TenOperations() => AppendAndRemove(WireRequest.Write("k0").Flags(Info1.Read).Flags(Info2.RespondAllOps)
        .Op(OpCode.Write, "b", ParticleType.Integer, WireRequest.Integer(5))
        .Op(OpCode.Add, "a", ParticleType.Integer, WireRequest.Integer(1))
        .Op(OpCode.Append, "t", ParticleType.String, default)
        .Op(OpCode.CdtModify, "m", ParticleType.Bytes, PackedText.Pack("[73, \"k1\", 1, 1]"))
        .Op(OpCode.CdtRead, "m", ParticleType.Bytes, PackedText.Pack("[97, 7, \"k7\"]"))
        .Op(OpCode.BitsModify, "x", ParticleType.Bytes, PackedCall.Of(3, 13, 3, new byte[] { 0xE0 }))
        .Op(OpCode.HllModify, "h", ParticleType.Bytes, PackedCall.Of(1, new object[] { "three" }, 8))
        .Op(OpCode.ExpressionModify, "c", ParticleType.Bytes, Exp.Pack(new object[] { Sum, 0L })));

    // Two operations, so that the list stays as long as it is.
    private static WireRequest AppendAndRemove(WireRequest request) => request
        .Op(OpCode.CdtModify, "l", ParticleType.Bytes, PackedText.Pack("[1, 8]"))
        .Op(OpCode.CdtModify, "l", ParticleType.Bytes, PackedText.Pack("[7, -1]"));

    private static WireRequest Read(string bin, OpCode code, byte[] call) =>
        new WireRequest().Flags(Info1.Read).Record("k0", "s").Op(code, bin, ParticleType.Bytes, call);

    private static WireRequest Write(string bin, OpCode code, byte[] call) =>
        WireRequest.Write("k0").Flags(Info1.Read).Op(code, bin, ParticleType.Bytes, call);

    private static WireRequest Call(string key, string function) => new WireRequest().Flags(Info2.Write).Record(key, "s")
        .Field(FieldId.UdfModule, "m"u8).Field(FieldId.UdfFunction, System.Text.Encoding.UTF8.GetBytes(function))
        .Field(FieldId.UdfArguments, [0x91, 5]);

    private static object[] Sum => Exp.Op(ExpCode.Add, Exp.Int("a"), Exp.Int("b"), 3L);

    private static byte[] Filter => Exp.Pack(Exp.Op(
        ExpCode.And,
        Exp.Op(ExpCode.Greater, Exp.Int("a"), 0L),
        Exp.Op(ExpCode.Less, Exp.Int("b"), 100L),
        Exp.Eq(Exp.Text("t"), "text"),
        Exp.Op(ExpCode.NotEqual, Exp.Int("b"), 6L),
        Exp.Op(ExpCode.GreaterOrEqual, Exp.Op(ExpCode.Add, Exp.Int("a"), Exp.Int("b")), 1L)));

    private static byte[] RefusingFilter => Exp.Pack(Exp.Eq(Exp.Text("t"), "other"));
}

using Aerie.DataModel;
using Aerie.Node.Tests.Records.Coding;
using Aerie.Protocol;
using Aerie.TestKit;
using Xunit;

namespace Aerie.Node.Tests.Budgets;

/// Managed bytes that the node may allocate for each operation once it is warm, engine and harness included. What allocates
/// per request is collected per million requests, and every pause of the collector is a pause of all clients.
public sealed class AllocationBudgetTests
{
    private const int BatchRows = 100;
    private const int LongBatchRows = 5_000;

    /// A query makes its plan, its reply and what `query-show` keeps of it. Nothing of that may grow with its records.
    private const int QueryStart = 1_000;

    /// Operation, managed bytes for each, how often it is measured, loops of the node.
    public static TheoryData<string, int, int, int> Budgets => new()
    {
        { "get", 0, 2_000, 1 },
        { "get of named bins", 0, 2_000, 1 },
        { "get of a missing record", 0, 2_000, 1 },
        { "exists", 0, 2_000, 1 },
        { "put of a new record", 0, 2_000, 1 },
        { "put over a record", 0, 2_000, 1 },
        { "add and append", 0, 2_000, 1 },
        { "touch", 0, 2_000, 1 },
        { "put and delete", 0, 2_000, 1 },
        { "operate", 0, 2_000, 1 },
        { "get in pieces", 0, 2_000, 1 },
        { "pipelined gets", 0, 200, 1 },
        { "security message", 0, 2_000, 1 },
        { "batch read", 0, 200, 1 },
        { "batch write", 0, 200, 1 },
        { "long batch read", 0, 20, 1 },
        { "long batch read", 0, 20, 2 },
        { "scan", QueryStart, 20, 1 },
    };

    [Theory, MemberData(nameof(Budgets))]
    public void An_operation_allocates_no_more_than_its_budget(string operation, int bytesEach, int times, int loops)
    {
        using var node = new NodeUnderTest(loops: loops);
        Measure(node, operation, times, bytesEach);
    }

    private static void Measure(NodeUnderTest node, string operation, int times, int bytesEach)
    {
        var conversation = new Conversation(node, RequestOf(operation), operation == "get in pieces" ? 7 : int.MaxValue)
        {
            TakesNewRecords = operation == "put of a new record",
        };
        PutRecords(node, conversation.Peer, times < BatchRows ? LongBatchRows : BatchRows);
        conversation.HoldBudget(times, bytesEach);
    }

    [Theory]
    [InlineData("get", "compressed"), InlineData("get", "encrypted"), InlineData("get", "both")]
    [InlineData("put over a record", "compressed"), InlineData("put over a record", "encrypted"), InlineData("put over a record", "both")]
    [InlineData("operate", "both"), InlineData("put of a new record", "both"), InlineData("batch read", "both")]
    public void Codecs_allocate_nothing(string operation, string coding)
    {
        var lines = coding == "compressed" ? CodedNode.Compressed : coding == "encrypted" ? CodedNode.Encrypted : CodedNode.Both;
        using var node = CodedNode.Under($"{lines}\nflush-size 8M");
        Measure(node, operation, 500, 0);
    }

    [Fact]
    public void An_allocation_of_one_object_in_all_the_operations_is_seen()
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        GC.KeepAlive(new object());
        Assert.True(GC.GetAllocatedBytesForCurrentThread() > before);
    }

    private static void PutRecords(NodeUnderTest node, SimulatedPeer peer, int count)
    {
        var puts = Enumerable.Range(0, count)
            .Select(i => WireRequest.Put($"k{i}", "a", "one").Op(OpCode.Write, "n", ParticleType.Integer, One).Bytes());
        foreach (var some in puts.Chunk(500))
        {
            node.Ask(peer, some.SelectMany(put => put).ToArray());
        }
    }

    private static byte[] One => WireRequest.Integer(1);

    private static byte[] RequestOf(string operation) => operation switch
    {
        "get" or "get in pieces" => WireRequest.Get("k1").Bytes(),
        "get of named bins" => new WireRequest().Flags(Info1.Read).Record("k1", "s").Op(OpCode.Read, "n").Op(OpCode.Read, "none").Bytes(),
        "get of a missing record" => WireRequest.Get("none").Bytes(),
        "exists" => WireRequest.Exists("k1").Bytes(),
        "put of a new record" or "put over a record" => WireRequest.Put("k1", "a", "two").SendKey("k1").Bytes(),
        "add and append" => WireRequest.Write("k1").Op(OpCode.Add, "n", ParticleType.Integer, One)
            .Op(OpCode.Append, "a", ParticleType.String, default).Bytes(),
        "touch" => WireRequest.Write("k1").Op(OpCode.Touch, "").Bytes(),
        "put and delete" => [.. WireRequest.Put("k1", "a", "two").Bytes(), .. WireRequest.Delete("k1").Bytes()],
        "operate" => WireRequest.Write("k1").Flags(Info1.Read).Flags(Info2.RespondAllOps)
            .Op(OpCode.Write, "b", ParticleType.Bytes, "xyz"u8).Op(OpCode.Add, "n", ParticleType.Integer, One)
            .Op(OpCode.Read, "b").Op(OpCode.Read, "n").Bytes(),
        "pipelined gets" => [.. Enumerable.Range(0, 100).SelectMany(i => WireRequest.Get($"k{i}").Bytes())],
        "security message" => [2, 2, 0, 0, 0, 0, 0, 16, .. new byte[16]],
        "batch read" => Batch(BatchRows, Info1.Read | Info1.GetAll, Info2.None, [], 0),
        "long batch read" => Batch(LongBatchRows, Info1.Read | Info1.GetAll, Info2.None, [], 0),
        "batch write" => Batch(BatchRows, Info1.None, Info2.Write, AddOp, 1),
        "scan" => new WireRequest().Flags(Info1.Read).Field(FieldId.Namespace, "test"u8).Field(FieldId.Set, "s"u8).Bytes(),
        _ => throw new ArgumentException(operation),
    };

    private static byte[] AddOp => [0, 0, 0, 13, (byte)OpCode.Add, (byte)ParticleType.Integer, 0, 1, (byte)'n', .. One];

    private static byte[] Batch(int rows, Info1 info1, Info2 info2, byte[] ops, ushort opCount)
    {
        var batch = new WireBatchField();
        byte[] fields = [.. WireBatchField.FieldBytes(FieldId.Namespace, "test"u8), .. WireBatchField.FieldBytes(FieldId.Set, "s"u8)];
        batch.Row(WireRequest.DigestOf("k0"), info1, info2, fields, 2, ops, opCount);
        for (var i = 1; i < rows; i++)
        {
            batch.Again(WireRequest.DigestOf($"k{i}"));
        }

        return batch.Request().Bytes();
    }
}

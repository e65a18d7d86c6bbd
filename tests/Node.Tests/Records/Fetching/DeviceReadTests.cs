using Aerie.DataModel;
using Aerie.Foundation;
using Aerie.Protocol;
using Aerie.Server.Metrics;
using Aerie.TestKit;
using Xunit;

namespace Aerie.Node.Tests.Records.Fetching;

/// Commands on records that lie on a device alone.
public sealed class DeviceReadTests : IDisposable
{
    private const int Records = 300;

    private readonly NodeOnDevice _node = Filled();

    public void Dispose() => _node.Dispose();

    public static TheoryData<string> Requests =>
    [
        "get", "get named", "get none", "get with key", "get with another key", "exists", "exists with key", "put", "put with another key",
        "replace", "create", "generation", "add and append", "operate", "touch", "delete", "delete with key", "delete with another key",
        "delete for good", "remove the last bin", "batch of reads", "batch of writes", "batch that ends", "scan", "scan of a bin",
        "scan without bins", "scan of few",
    ];

    [Theory, MemberData(nameof(Requests))]
    public void Whatever_is_asked_gets_the_same_bytes_as_when_all_is_in_memory(string name)
    {
        using var inMemory = Filled();
        var request = RequestOf(name);
        var expected = NodeOnDevice.Messages(inMemory.Node.Ask(inMemory.Peer, request));
        _node.Backing.Evict();
        Assert.Equal(expected, NodeOnDevice.Messages(_node.Node.Ask(_node.Peer, request)));
        Assert.Equal(0, inMemory.DeviceReads);
        foreach (var counter in Enum.GetValues<NamespaceCounter>().Where(counter => counter < NamespaceCounter.DeviceReads))
        {
            Assert.Equal((counter, inMemory.Counter(counter)), (counter, _node.Counter(counter)));
        }

        var all = new WireQuery().Bytes();
        Assert.Equal(
            NodeOnDevice.Messages(inMemory.Node.Ask(inMemory.Peer, all)), NodeOnDevice.Messages(_node.Node.Ask(_node.Peer, all)));
        Assert.Equal(0, _node.InFlight);
    }

    [Fact]
    public void A_background_query_writes_what_must_be_read_first()
    {
        _node.Backing.Evict();
        var append = WireQuery.Background().Id(7).Op(OpCode.Append, "a", ParticleType.String, "!"u8);
        Assert.Equal(ResultCode.Ok, WireReply.Read(_node.Node.Ask(_node.Peer, append.Bytes())).Result);
        _node.Node.RunUntil(() => _node.Counter(NamespaceCounter.PiQueryOpsBgComplete) == 1);
        Assert.Equal(Records, _node.Counter(NamespaceCounter.OpsSubWriteSuccess));
        Assert.True(_node.DeviceReads > 0);
        for (var i = 0; i < Records; i++)
        {
            Assert.EndsWith("!", _node.Read(WireRequest.Get($"k{i}"))["a"].Text, StringComparison.Ordinal);
        }
    }

    [Theory, InlineData("exists"), InlineData("generation"), InlineData("create"), InlineData("delete"), InlineData("get none")]
    public void What_the_index_can_answer_does_not_wait_for_the_device(string name)
    {
        _node.Backing.Evict();
        _node.HoldReads();
        Assert.NotEmpty(_node.Node.Ask(_node.Peer, RequestOf(name)));
        Assert.Equal(0, _node.InFlight);
    }

    [Fact]
    public void While_reads_hang_everybody_else_is_served()
    {
        _node.Backing.Evict();
        _node.HoldReads();
        _node.Put("new", "here");
        string[] names = ["get", "put", "delete with key", "batch of reads", "scan"];
        var waiting = names.Select(name => _node.Send(RequestOf(name))).ToList();
        Assert.All(waiting, peer => Assert.Equal(0, peer.Available));
        Assert.Equal("here", _node.Read(WireRequest.Get("new"))["a"].Text);
        Assert.Equal("here", _node.Read(WireRequest.Get("new"))["a"].Text);
        _node.LetReadsEnd();
        Assert.All(waiting, peer => Assert.True(peer.Available > 0));
    }

    [Fact]
    public void Many_who_ask_for_one_record_share_one_read()
    {
        _node.Backing.Evict();
        _node.HoldReads();
        var peers = Enumerable.Range(0, 20).Select(_ => _node.Send(RequestOf("get"))).ToList();
        Assert.Equal(1, _node.InFlight);
        peers[3].Vanish();
        _node.LetReadsEnd();
        peers.RemoveAt(3);
        Assert.All(peers, peer => Assert.Equal("value 1", WireReply.Read(peer.ReadAll())["a"].Text));
        Assert.Equal(1, _node.DeviceReads);
    }

    [Fact]
    public void A_record_that_was_rewritten_while_it_was_read_is_read_again()
    {
        _node.Backing.Evict();
        _node.HoldReads();
        var single = _node.Send(RequestOf("get"));
        var batch = _node.Send(RequestOf("batch of reads"));
        _node.Read(WireRequest.Delete("k1"));
        _node.Put("k1", "rewritten");
        _node.Backing.Evict();
        var before = _node.DeviceReads;
        _node.LetReadsEnd();
        Assert.Equal("rewritten", WireReply.Read(single.ReadAll())["a"].Text);
        Assert.Contains(WireReply.ReadAll(batch.ReadAll()), reply => reply.Ops.Count > 0 && reply["a"].Text == "rewritten");
        Assert.True(_node.DeviceReads > before + 1);
    }

    [Fact]
    public void A_record_that_was_deleted_while_it_was_read_is_not_found()
    {
        _node.Backing.Evict();
        _node.HoldReads();
        var reader = _node.Send(RequestOf("get"));
        _node.Read(WireRequest.Delete("k1"));
        _node.LetReadsEnd();
        Assert.Equal(ResultCode.NotFound, WireReply.Read(reader.ReadAll()).Result);
    }

    [Fact, Evidence("EXP-03")]
    public void A_condition_that_the_index_decides_does_not_read_the_device()
    {
        const byte VoidTime = 68;
        byte[] byTime = [0x93, 1, 0x91, VoidTime, 0x7F];
        foreach (var write in (bool[])[false, true])
        {
            _node.Backing.Evict();
            var before = _node.DeviceReads;
            var request = (write ? WireRequest.Put("k1", "a", "x") : WireRequest.Get("k1")).Field(FieldId.Filter, byTime);
            Assert.Equal(ResultCode.FilteredOut, _node.Read(request).Result);
            Assert.Equal(before, _node.DeviceReads);
        }
    }

    [Fact]
    public void Clients_that_vanish_leave_nothing_behind()
    {
        _node.Backing.Evict();
        _node.HoldReads();
        foreach (var name in new[] { "get", "put", "batch of reads", "batch of writes", "scan" })
        {
            _node.Send(RequestOf(name)).Vanish();
        }

        _node.Node.Settle();
        Assert.True(_node.InFlight > 0);
        Assert.Equal(0, _node.Node.Node.Loops[0].Parked.Count);
        _node.LetReadsEnd();
        Assert.Equal(0, _node.InFlight);
        Assert.Equal(0, _node.Node.Node.Loops[0].Buffers.Outstanding);
    }

    [Fact]
    public void A_node_that_ends_in_the_middle_of_reads_returns_their_buffers()
    {
        _node.Backing.Evict();
        _node.HoldReads();
        _node.Send(RequestOf("get"));
        _node.Send(RequestOf("batch of reads"));
        _node.Send(RequestOf("scan"));
        Assert.True(_node.InFlight > 0); // the rest is checked when the node is disposed
    }

    [Fact]
    public void What_the_device_cannot_read_fails_alone()
    {
        _node.Backing.Evict();
        _node.Backing.Medium.Fail(DiskOperation.Read, times: 1);
        Assert.Equal(ResultCode.Unknown, _node.Read(WireRequest.Get("k1")).Result);
        Assert.Equal(1, _node.Counter(NamespaceCounter.DeviceReadErrors));
        Assert.Equal(1, _node.Counter(NamespaceCounter.ClientReadError));
        Assert.Equal("value 1", _node.Read(WireRequest.Get("k1"))["a"].Text);
        _node.Backing.Medium.Corrupt(PlaceOf("k1") + 50, 1, seed: 1);
        Assert.Equal(ResultCode.Unknown, _node.Read(WireRequest.Get("k1")).Result);
        Assert.Equal(ResultCode.Unknown, _node.Read(WireRequest.Put("k1", "b", "x")).Result);
        Assert.Equal(3, _node.Counter(NamespaceCounter.DeviceReadErrors));
        var rows = WireReply.ReadAll(_node.Node.Ask(_node.Peer, RequestOf("batch of reads")));
        Assert.Single(rows, row => row.Result == ResultCode.Unknown);
        Assert.Equal(Records - 1, WireReply.ReadAll(_node.Node.Ask(_node.Peer, new WireQuery().Bytes())).Count - 1);
    }

    [Fact]
    public void Waiting_for_a_device_ends_with_the_time_that_the_client_gave()
    {
        _node.Backing.Evict();
        _node.HoldReads();
        var reader = _node.Send(WireRequest.Get("k1").Timeout(50).Bytes());
        var writer = _node.Send(WireRequest.Put("k2", "b", "x").Timeout(50).Bytes());
        var batch = _node.Send(Batch(Info1.Read | Info1.GetAll, Info2.None, [], 0, timeout: 50));
        _node.Node.Clock.Advance(TimeSpan.FromMilliseconds(60));
        _node.Node.Settle();
        Assert.Equal(ResultCode.Timeout, WireReply.Read(reader.ReadAll()).Result);
        Assert.Equal(ResultCode.Timeout, WireReply.Read(writer.ReadAll()).Result);
        Assert.Equal(ResultCode.Timeout, WireReply.ReadAll(batch.ReadAll())[^1].Result);
        Assert.Equal(1, _node.Counter(NamespaceCounter.ClientReadTimeout));
        Assert.Equal(1, _node.Counter(NamespaceCounter.ClientWriteTimeout));
        _node.LetReadsEnd();
        Assert.Equal("value 1", _node.Read(WireRequest.Get("k1"))["a"].Text);
        Assert.Single(_node.Read(WireRequest.Get("k2")).Ops);
    }

    [Fact]
    public void A_command_keeps_its_record_while_its_image_is_read()
    {
        var (first, second) = TwoAppendsInTurn();
        Assert.Equal(1, _node.InFlight);
        Assert.False(_node.Records.TryHold(WireRequest.DigestOf("k1"))); // the first one owns it now
        _node.LetReadsEnd();
        Assert.Equal(ResultCode.Ok, WireReply.Read(first.ReadAll()).Result);
        Assert.Equal(ResultCode.Ok, WireReply.Read(second.ReadAll()).Result);
        Assert.Equal("value 1bc", _node.Read(WireRequest.Get("k1"))["a"].Text);
        Assert.True(_node.Records.TryHold(WireRequest.DigestOf("k1")));
    }

    [Fact]
    public void An_owner_that_vanishes_while_its_image_is_read_lets_the_next_one_go()
    {
        var (first, second) = TwoAppendsInTurn();
        first.Vanish();
        _node.Node.Settle();
        _node.LetReadsEnd();
        Assert.Equal(ResultCode.Ok, WireReply.Read(second.ReadAll()).Result);
        Assert.Equal("value 1c", _node.Read(WireRequest.Get("k1"))["a"].Text);
        Assert.True(_node.Records.TryHold(WireRequest.DigestOf("k1")));
    }

    // Both wait for k1; the first is let go and finds that its image must be read, which it is not yet.
    private (SimulatedPeer First, SimulatedPeer Second) TwoAppendsInTurn()
    {
        var digest = WireRequest.DigestOf("k1");
        Assert.True(_node.Records.TryHold(digest));
        var first = _node.Send(Append("b"));
        var second = _node.Send(Append("c"));
        _node.Backing.Evict();
        _node.HoldReads();
        _node.Records.Release(_node.Node.Node.Loops[0].Worker, digest);
        _node.Node.Settle();
        return (first, second);
    }

    internal static NodeOnDevice Filled(int loops = 1)
    {
        var node = new NodeOnDevice(loops);
        for (var i = 0; i < Records; i++)
        {
            node.Put($"k{i}", $"value {i}");
        }

        return node;
    }

    private long PlaceOf(string key)
    {
        var digest = WireRequest.DigestOf(key);
        using var gate = _node.Records.Index.Enter(digest.Partition);
        Assert.True(_node.Records.Index.TryFind(digest, out var handle));
        return _node.Records.Log.PlaceOf(new Aerie.Storage.RecordLocation(_node.Records.Index[handle].Place)).Offset;
    }

    private static byte[] Append(string text) =>
        WireRequest.Write("k1").Op(OpCode.Append, "a", ParticleType.String, System.Text.Encoding.UTF8.GetBytes(text)).Bytes();

    private static byte[] RequestOf(string name) => name switch
    {
        "get" => WireRequest.Get("k1").Bytes(),
        "get named" => new WireRequest().Flags(Info1.Read).Record("k1", "s").Op(OpCode.Read, "a").Op(OpCode.Read, "none").Bytes(),
        "get none" => WireRequest.Get("none").Bytes(),
        "get with key" => WireRequest.Get("k1").SendKey("k1").Bytes(),
        "get with another key" => WireRequest.Get("k1").SendKey("k2").Bytes(),
        "exists" => WireRequest.Exists("k1").Bytes(),
        "exists with key" => WireRequest.Exists("k1").SendKey("k1").Bytes(),
        "put" => WireRequest.Put("k1", "b", "x").Bytes(),
        "put with another key" => WireRequest.Put("k1", "b", "x").SendKey("k2").Bytes(),
        "replace" => WireRequest.Put("k1", "b", "x").Flags(Info3.CreateOrReplace).Bytes(),
        "create" => WireRequest.Put("k1", "b", "x").Flags(Info2.CreateOnly).Bytes(),
        "generation" => WireRequest.Put("k1", "b", "x").Flags(Info2.GenerationEqual).Generation(9).Bytes(),
        "add and append" => WireRequest.Write("k1").Op(OpCode.Append, "a", ParticleType.String, "x"u8)
            .Op(OpCode.Add, "n", ParticleType.Integer, WireRequest.Integer(1)).Bytes(),
        "operate" => WireRequest.Write("k1").Flags(Info1.Read)
            .Op(OpCode.Append, "a", ParticleType.String, "x"u8).Op(OpCode.Read, "a").Bytes(),
        "touch" => WireRequest.Write("k1").Op(OpCode.Touch, "").Bytes(),
        "delete" => WireRequest.Delete("k1").Bytes(),
        "delete with key" => WireRequest.Delete("k1").SendKey("k1").Bytes(),
        "delete with another key" => WireRequest.Delete("k1").SendKey("k2").Bytes(),
        "delete for good" => WireRequest.Delete("k1").Flags(Info2.DurableDelete).Bytes(),
        "remove the last bin" => WireRequest.Write("k1").Op(OpCode.Write, "a").Bytes(),
        "batch of reads" => Batch(Info1.Read | Info1.GetAll, Info2.None, [], 0),
        "batch of writes" => Batch(Info1.None, Info2.Write, AppendOp, 1),
        "batch that ends" => Batch(Info1.None, Info2.Write, AddOp, 1, BatchFlags.None), // a text cannot be added to
        "scan" => new WireQuery().Bytes(),
        "scan of a bin" => new WireQuery().Bins("a").Bytes(),
        "scan without bins" => new WireQuery().Flags(Info1.NoBinData).Bytes(),
        "scan of few" => new WireQuery().MaxRecords(10).Bytes(),
        _ => throw new ArgumentException(name),
    };

    private static byte[] AppendOp => [0, 0, 0, 6, (byte)OpCode.Append, (byte)ParticleType.String, 0, 1, (byte)'a', (byte)'x'];

    private static byte[] AddOp =>
        [0, 0, 0, 13, (byte)OpCode.Add, (byte)ParticleType.Integer, 0, 1, (byte)'a', .. WireRequest.Integer(1)];

    // All records, some of them twice.
    internal static byte[] Batch(
        Info1 info1, Info2 info2, byte[] ops, ushort opCount, BatchFlags flags = BatchFlags.RespondAllKeys, uint timeout = 1000)
    {
        var batch = new WireBatchField(flags);
        byte[] fields = [.. WireBatchField.FieldBytes(FieldId.Namespace, "test"u8), .. WireBatchField.FieldBytes(FieldId.Set, "s"u8)];
        batch.Row(WireRequest.DigestOf("k0"), info1, info2, fields, 2, ops, opCount);
        for (var i = 1; i < Records; i++)
        {
            batch.Again(WireRequest.DigestOf($"k{(i % 10 == 0 ? i - 5 : i)}"));
        }

        return batch.Request().Timeout(timeout).Bytes();
    }
}

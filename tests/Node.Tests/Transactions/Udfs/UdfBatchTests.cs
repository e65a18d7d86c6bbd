using Aerie.Foundation;
using Aerie.Protocol;
using Aerie.Server.Metrics;
using Aerie.TestKit;
using Xunit;

namespace Aerie.Node.Tests.Transactions.Udfs;

/// Functions in rows of batches and in background queries, where they take long or meet each other.
public sealed class UdfBatchTests : IDisposable
{
    private const string Text = """
        function add(rec, n)
          rec['n'] = (rec['n'] or 0) + n
          if aerospike:exists(rec) then aerospike:update(rec) else aerospike:create(rec) end
          return rec['n']
        end
        function spin(rec) while true do end end
        function slow_add(rec, n)
          for i = 1, 300000 do n = n + 0 end
          return add(rec, n)
        end
        """;

    private static readonly byte[] One = [0x91, 1];

    private readonly UdfHarness _udf = new(Text);

    private NodeUnderTest Node => _udf.Node;

    public void Dispose() => _udf.Dispose();

    [Fact, Evidence("UDF-LIMIT-01")]
    public void Others_are_served_while_a_function_of_a_batch_runs()
    {
        var batcher = _udf.Connect();
        batcher.Send(new WireBatch().Call("a", "m", "add", One).Call("b", "m", "spin", []).Call("c", "m", "add", One).Bytes());
        _udf.Turn(3);
        Assert.Equal(ResultCode.Ok, _udf.Ask(WireRequest.Put("other", "a", "x")).Result);
        Node.Clock.Advance(TimeSpan.FromSeconds(2)); // a function has one, when its client does not say
        Assert.Equal([ResultCode.Ok, ResultCode.UdfExecution, ResultCode.Ok], Results(batcher, 3));
        Assert.Equal(2, _udf.Count(NamespaceCounter.BatchSubUdfComplete));
        Assert.Equal(1, _udf.Count(NamespaceCounter.BatchSubUdfError));
    }

    [Fact]
    public void A_function_of_a_batch_gets_the_time_that_the_client_gives_the_batch()
    {
        var batcher = _udf.Connect();
        batcher.Send(new WireBatch { Timeout = 5_000 }.Call("b", "m", "spin", []).Bytes());
        _udf.Turn(3);
        Node.Clock.Advance(TimeSpan.FromSeconds(4));
        _udf.Turn(100);
        Assert.Equal(0, batcher.Available);
        Node.Clock.Advance(TimeSpan.FromSeconds(2));
        Node.RunUntil(() => batcher.Available > 0);
        Assert.Equal(ResultCode.Timeout, WireReply.ReadAll(batcher.ReadAll())[^1].Result);
        Assert.Equal(ResultCode.Ok, _udf.Ask(UdfHarness.Call("b", "add", One)).Result);
    }

    [Theory, InlineData(false), InlineData(true), Evidence("UDF-REC-03")]
    public void A_row_waits_for_the_function_that_has_its_record(bool callsFunction)
    {
        _udf.Ask(UdfHarness.Call("k", "add", One));
        var (slow, batcher) = (_udf.Connect(), _udf.Connect());
        slow.Send(UdfHarness.Call("k", "spin").Timeout(500).Bytes());
        _udf.Turn(2);
        var batch = new WireBatch();
        batch = callsFunction ? batch.Call("k", "m", "add", One) : batch.Put("k", "a", "x");
        batcher.Send(batch.Call("other", "m", "add", One).Bytes());
        _udf.Turn(50);
        Assert.Equal(0, batcher.Available);
        Node.Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal([ResultCode.Ok, ResultCode.Ok], Results(batcher, 2));
        Assert.Equal(callsFunction ? 2 : 1, _udf.Ask(WireRequest.Get("k"))["n"].Number);
    }

    [Fact]
    public void Who_waits_for_a_record_of_a_batch_goes_on_when_its_function_is_through()
    {
        _udf.Ask(UdfHarness.Call("k", "add", One));
        var batcher = _udf.Connect();
        batcher.Send(new WireBatch().Call("k", "m", "slow_add", One).Call("k", "m", "slow_add", One).Bytes());
        _udf.Turn(3);
        Assert.Equal(3, _udf.Ask(UdfHarness.Call("k", "add", One))["SUCCESS"].Number); // between the two
        Assert.Equal([ResultCode.Ok, ResultCode.Ok], Results(batcher, 2));
        Assert.Equal(4, _udf.Ask(WireRequest.Get("k"))["n"].Number);
    }

    [Theory, InlineData("spin"), InlineData("add")]
    public void A_client_that_vanishes_with_its_batch_leaves_the_record_free(string function)
    {
        _udf.Ask(UdfHarness.Call("k", "add", One));
        var (owner, batcher) = (_udf.Connect(), _udf.Connect());
        if (function != "spin")
        {
            owner.Send(UdfHarness.Call("k", "spin").Timeout(500).Bytes()); // the row stands in its queue then
            _udf.Turn(3);
        }

        batcher.Send(new WireBatch().Call("k", "m", function, One).Bytes());
        _udf.Turn(4);
        batcher.Vanish();
        _udf.Turn(4);
        Node.Clock.Advance(TimeSpan.FromSeconds(function == "spin" ? 0 : 1));
        Assert.Equal(2, _udf.Ask(UdfHarness.Call("k", "add", One))["SUCCESS"].Number);
        Assert.Equal(0, Node.Node.Loops[0].Parked.Count);
    }

    [Fact]
    public void A_peer_that_does_not_read_its_batch_keeps_nobody_from_the_record()
    {
        _udf.Ask(UdfHarness.Call("k", "add", One));
        _udf.Ask(WireRequest.Put("large", "a", new string('x', 20_000)));
        var batcher = _udf.Connect();
        batcher.ReceiveWindow = 100;
        batcher.Send(new WireBatch().Read("large").Call("k", "m", "slow_add", One).Read("large").Call("k", "m", "slow_add", One).Bytes());
        _udf.Turn(3);
        Assert.Equal(3, _udf.Ask(UdfHarness.Call("k", "add", One))["SUCCESS"].Number);
        _udf.Turn(200);
        Assert.Equal(3, _udf.Ask(WireRequest.Get("k"))["n"].Number); // the rows behind wait for the peer
        batcher.ReceiveWindow = 1 << 20;
        Node.RunUntil(() => _udf.Count(NamespaceCounter.BatchSubUdfComplete) == 2);
        Assert.Equal(4, _udf.Ask(WireRequest.Get("k"))["n"].Number);
    }

    [Fact]
    public void Large_batches_of_slow_functions_that_meet_on_several_loops_count_exactly()
    {
        const int Rows = 6_000;
        const int Records = 7;
        using var udf = new UdfHarness(Text, loops: 3);
        var peers = Enumerable.Range(0, 3).Select(_ => udf.Connect()).ToList();
        foreach (var peer in peers)
        {
            var batch = new WireBatch();
            for (var row = 0; row < Rows; row++)
            {
                batch.Call($"k{row % Records}", "m", row % 1_500 == 0 ? "slow_add" : "add", One);
            }

            peer.Send(batch.Bytes());
        }

        var received = peers.ConvertAll(_ => new List<byte>());
        udf.Node.RunUntil(() =>
        {
            for (var i = 0; i < peers.Count; i++)
            {
                received[i].AddRange(peers[i].ReadAll());
            }

            return udf.Count(NamespaceCounter.BatchSubUdfComplete) == peers.Count * Rows;
        });
        udf.Node.Settle();
        Assert.Equal(0, udf.Count(NamespaceCounter.BatchSubUdfError));
        var sum = Enumerable.Range(0, Records).Sum(i => udf.Ask(WireRequest.Get($"k{i}"))["n"].Number);
        Assert.Equal(peers.Count * Rows, sum);
    }

    [Fact, Evidence("UDF-REC-03")]
    public void Others_are_served_while_a_background_query_runs_a_slow_function_and_it_waits_for_records()
    {
        for (var i = 0; i < 40; i++)
        {
            _udf.Ask(UdfHarness.Call($"k{i}", "add", One));
        }

        var owner = _udf.Connect();
        owner.Send(UdfHarness.Call("k7", "spin").Timeout(500).Bytes());
        _udf.Turn(3);
        _udf.Ask(new WireRequest().Flags(Info2.Write).Field(FieldId.Namespace, "test"u8).Field(FieldId.UdfOp, [2])
            .Field(FieldId.UdfModule, "m"u8).Field(FieldId.UdfFunction, "slow_add"u8).Field(FieldId.UdfArguments, One));
        for (var i = 0; i < 40; i++)
        {
            Assert.Equal(ResultCode.Ok, _udf.Ask(WireRequest.Get($"k{i}")).Result);
        }

        Assert.Equal(0, _udf.Count(NamespaceCounter.PiQueryUdfBgComplete));
        Node.RunUntil(() =>
        {
            Node.Clock.Advance(TimeSpan.FromMilliseconds(1));
            return _udf.Count(NamespaceCounter.PiQueryUdfBgComplete) == 1;
        });
        Assert.Equal(40, _udf.Count(NamespaceCounter.UdfSubUdfComplete));
        Assert.All(Enumerable.Range(0, 40), i => Assert.Equal(2, _udf.Ask(WireRequest.Get($"k{i}"))["n"].Number));
    }

    // Rows in the order of their places.
    private List<ResultCode> Results(SimulatedPeer peer, int count)
    {
        var bytes = new List<byte>();
        IReadOnlyList<WireReply> replies = [];
        Node.RunUntil(() =>
        {
            bytes.AddRange(peer.ReadAll());
            replies = WireReply.ReadAll([.. bytes]);
            return replies.Count > count;
        });
        Assert.Equal(ResultCode.Ok, replies[^1].Result);
        return [.. replies.SkipLast(1).OrderBy(reply => reply.Header.Timeout).Select(reply => reply.Result)];
    }
}

using Aerie.Foundation;
using Aerie.Protocol;
using Aerie.Server.Metrics;
using Aerie.TestKit;
using Xunit;

namespace Aerie.Node.Tests.Batch;

/// Batches that take many turns, on one loop and spread over several.
public sealed class LargeBatchTests
{
    private const int Keys = 500;

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Every_key_of_fifty_thousand_is_answered_once_while_single_reads_go_through(int loops)
    {
        using var node = Loaded(loops);
        var (batch, single) = (node.Connect(), node.Connect());
        batch.ReceiveWindow = int.MaxValue;
        batch.Send(ManyReads(50_000));
        var received = new List<byte>();
        var singles = 0;
        node.RunUntil(() =>
        {
            Collect(batch, received);
            if (single.Available == 0 && received.Count > 0 && !EndsWithLast(received))
            {
                single.Send(WireRequest.Get("k1").Bytes());
                node.Turn();
                node.Turn(); // received and answered, whatever the batch is doing
                Assert.Equal(ResultCode.Ok, WireReply.Read(single.ReadAll()).Result);
                singles++;
            }

            return EndsWithLast(received);
        });

        Assert.True(singles > 10, $"only {singles} single reads went through");
        AssertEachOnce(received, 50_000);
        Assert.Equal(50_000, node.Node.Namespaces.All[0].Counters.Sum(NamespaceCounter.BatchSubReadSuccess));
        Close(node, batch, single);
    }

    [Fact]
    public void A_large_batch_of_writes_reaches_every_record()
    {
        using var node = new NodeUnderTest(loops: 3);
        var client = node.Connect();
        client.ReceiveWindow = int.MaxValue;
        var batch = new WireBatch();
        batch.Put("k0", "v", "x");
        for (var i = 1; i < 9000; i++)
        {
            batch.Repeat($"k{i}");
        }

        client.Send(batch.Bytes());
        AssertEachOnce(ReadToEnd(node, client), 9000);
        Assert.Equal(9000, node.Node.Namespaces.All[0].Objects);
        Close(node, client);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void A_client_that_vanishes_in_the_middle_leaves_nothing_behind(int loops)
    {
        using var node = Loaded(loops);
        var request = ManyReads(10_000);
        for (var turns = 1; turns < 12; turns++)
        {
            var client = node.Connect();
            client.Send(request);
            for (var turn = 0; turn < turns; turn++)
            {
                node.Turn();
            }

            client.Vanish();
            node.RunUntil(() => node.Node.IsQuiet);
        }

        var next = node.Connect();
        Assert.Equal(2, WireReply.ReadAll(node.Ask(next, new WireBatch().Read("k1").Bytes())).Count);
        Close(node, next);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void A_client_that_does_not_read_holds_little_memory(int loops)
    {
        using var node = Loaded(loops);
        var client = node.Connect();
        client.ReceiveWindow = 1000;
        client.Send(ManyReads(40_000));
        for (var turn = 0; turn < 500; turn++)
        {
            node.Turn();
        }

        Assert.True(node.Node.Loops.Sum(loop => loop.Buffers.Outstanding) < 16);
        client.ReceiveWindow = int.MaxValue;
        AssertEachOnce(ReadToEnd(node, client), 40_000);
        Close(node, client);
    }

    [Fact]
    public void A_client_that_reads_nothing_for_half_a_minute_is_given_up()
    {
        using var node = Loaded(1);
        var client = node.Connect();
        client.ReceiveWindow = 1000;
        client.Send(ManyReads(40_000));
        node.Settle();
        node.Clock.Advance(TimeSpan.FromSeconds(20));
        node.Settle();
        Assert.False(client.IsClosedByServer);
        node.Clock.Advance(TimeSpan.FromSeconds(20));
        node.Settle();
        Assert.True(client.IsClosedByServer);
        Assert.True(node.Node.IsQuiet);
        Assert.Equal(1, node.Node.Counters.Sum(NodeCounter.BatchIndexError));
    }

    [Fact]
    public void A_batch_whose_client_has_given_up_ends_with_a_timeout()
    {
        using var node = Loaded(1);
        var client = node.Connect();
        client.ReceiveWindow = int.MaxValue;
        client.Send(ManyReads(30_000, timeout: 100));
        node.RunUntil(() => client.Available > 0);
        node.Clock.Advance(TimeSpan.FromSeconds(1));
        var replies = WireReply.ReadAll([.. ReadToEnd(node, client)]);
        Assert.Equal(ResultCode.Timeout, replies[^1].Result);
        Assert.True(replies.Count < 30_000);
        Assert.Equal(1, node.Node.Counters.Sum(NodeCounter.BatchIndexTimeout));
        Close(node, client);
    }

    [Fact]
    public void A_warm_batch_allocates_nothing()
    {
        using var node = Loaded(1);
        var client = node.Connect();
        client.ReceiveWindow = int.MaxValue;
        var request = ManyReads(10_000);
        var into = new byte[4 * 1024 * 1024];
        for (var i = 0; i < 3; i++)
        {
            RunOnce();
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        RunOnce();
        var perKey = (GC.GetAllocatedBytesForCurrentThread() - before) / 10_000.0;
        Assert.True(perKey < 0.01, $"{perKey} bytes per key");
        Close(node, client);

        void RunOnce()
        {
            client.Send(request);
            for (var turn = 0; turn < 80; turn++)
            {
                node.Node.Loops[0].Turn(0);
            }

            client.Read(into);
        }
    }

    private static NodeUnderTest Loaded(int loops)
    {
        var node = new NodeUnderTest(loops: loops);
        var client = node.Connect();
        for (var i = 0; i < Keys; i++)
        {
            client.Send(WireRequest.Put($"k{i}", "v", $"value {i}").Bytes());
        }

        node.Settle();
        Close(node, client);
        return node;
    }

    private static byte[] ManyReads(int count, uint timeout = 0)
    {
        var batch = WireBatch.ReadsOf(Enumerable.Range(0, count).Select(i => $"k{i % Keys}"));
        batch.Timeout = timeout;
        return batch.Bytes();
    }

    private static List<byte> ReadToEnd(NodeUnderTest node, SimulatedPeer client)
    {
        var received = new List<byte>();
        node.RunUntil(() =>
        {
            Collect(client, received);
            return EndsWithLast(received);
        });
        return received;
    }

    private static void Collect(SimulatedPeer client, List<byte> received)
    {
        if (client.Available > 0)
        {
            received.AddRange(client.ReadAll());
        }
    }

    private static bool EndsWithLast(List<byte> received) =>
        received.Count >= MessageHeader.Length && received[^MessageHeader.Length] == MessageHeader.Length
        && received[^(MessageHeader.Length - 3)] == (byte)Info3.Last;

    private static void AssertEachOnce(List<byte> received, int count)
    {
        var replies = WireReply.ReadAll([.. received]);
        Assert.Equal(count + 1, replies.Count);
        Assert.Equal(ResultCode.Ok, replies[^1].Result);
        var seen = new bool[count];
        foreach (var reply in replies.Take(count))
        {
            Assert.Equal(ResultCode.Ok, reply.Result);
            Assert.False(seen[reply.Header.Timeout]);
            seen[reply.Header.Timeout] = true;
        }
    }

    private static void Close(NodeUnderTest node, params SimulatedPeer[] clients)
    {
        foreach (var client in clients)
        {
            client.Close();
        }

        node.RunUntil(() => node.Node.IsQuiet);
    }
}

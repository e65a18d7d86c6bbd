using Aerie.Foundation;
using Aerie.Io;
using Aerie.Protocol;
using Aerie.Server.Metrics;
using Aerie.TestKit;
using Xunit;

namespace Aerie.Node.Tests.Service;

/// Connections come, are limited, are spread over loops, grow idle and are drained.
public sealed class ConnectionTests
{
    private static readonly byte[] Get = WireRequest.Get("k").Bytes();

    [Fact]
    public void Above_the_limit_a_connection_is_closed_at_once_until_another_goes()
    {
        using var node = new NodeUnderTest(ServiceConfiguration.With("proto-fd-max 3"));
        var clients = Enumerable.Range(0, 3).Select(_ => node.Connect()).ToList();
        node.Settle();
        var refused = node.Connect();
        node.Settle();
        Assert.True(refused.IsClosedByServer);
        Assert.All(clients, client => Assert.Equal(ResultCode.NotFound, Ask(node, client)));

        clients[0].Close();
        node.Settle();
        Assert.Equal(ResultCode.NotFound, Ask(node, node.Connect()));
        Assert.Equal(3, node.Node.Loops[0].OpenConnections);
    }

    [Fact]
    public void A_connection_idle_for_too_long_is_closed_and_counted()
    {
        using var node = new NodeUnderTest(ServiceConfiguration.With("proto-fd-idle-ms 5000"));
        var idle = node.Connect();
        var active = node.Connect();
        node.Settle();
        for (var second = 0; second < 4; second++)
        {
            node.Clock.Advance(TimeSpan.FromSeconds(1));
            Ask(node, active);
        }

        Assert.False(idle.IsClosedByServer);
        node.Clock.Advance(TimeSpan.FromSeconds(2));
        Ask(node, active);
        node.Clock.Advance(TimeSpan.FromSeconds(1));
        node.Settle();
        Assert.True(idle.IsClosedByServer);
        Assert.False(active.IsClosedByServer);
        Assert.Equal(1, node.Node.Counters.Sum(NodeCounter.ReapedFds));
    }

    [Fact]
    public void Loops_share_connections_and_records()
    {
        using var node = new NodeUnderTest(loops: 2);
        var clients = Enumerable.Range(0, 10).Select(_ => node.Connect()).ToList();
        node.Settle();
        Assert.Equal([5, 5], node.Node.Loops.Select(loop => loop.OpenConnections)); // also when all come at once
        for (var i = 0; i < clients.Count; i++)
        {
            node.Ask(clients[i], WireRequest.Put($"k{i}", "a", $"v{i}").Bytes());
        }

        for (var i = 0; i < clients.Count; i++)
        {
            var read = WireReply.Read(node.Ask(clients[(i + 1) % clients.Count], WireRequest.Get($"k{i}").Bytes()));
            Assert.Equal($"v{i}", read["a"].Text);
        }

        Assert.All(node.Node.Loops, loop => Assert.Equal(0, loop.Buffers.Outstanding));
    }

    [Fact]
    public void A_draining_node_answers_what_has_arrived_and_takes_no_more()
    {
        using var node = new NodeUnderTest(loops: 2);
        var busy = Enumerable.Range(0, 40).Select(_ => node.Connect()).ToList();
        var idle = node.Connect();
        var half = node.Connect();
        node.Settle();
        busy.ForEach(client => client.Send(Get));
        half.Send(Get.AsSpan(0, 20));
        Drain(node);
        node.RunUntil(() => node.Node.IsQuiet);

        Assert.All(busy, client => Assert.Equal(ResultCode.NotFound, WireReply.Read(client.ReadAll()).Result));
        Assert.All(busy, client => Assert.True(client.IsClosedByServer));
        Assert.True(idle.IsClosedByServer);
        Assert.True(half.IsClosedByServer);
        Assert.Throws<IoException>(() => node.Connect());
    }

    [Fact]
    public void A_draining_node_finishes_long_replies()
    {
        using var node = new NodeUnderTest();
        var writer = node.Connect();
        for (var i = 0; i < 3000; i++)
        {
            node.Ask(writer, WireRequest.Put($"k{i}", "a", new string('x', 100)).Bytes());
        }

        var reader = node.Connect();
        reader.ReceiveWindow = 10_000;
        reader.Send(new WireRequest().Flags(Info1.Read).Field(FieldId.Namespace, "test"u8).Bytes());
        node.Turn();
        Drain(node);
        var bytes = new List<byte>();
        node.RunUntil(() =>
        {
            bytes.AddRange(reader.ReadAll());
            return node.Node.IsQuiet && reader.Available == 0;
        });
        node.Settle();
        bytes.AddRange(reader.ReadAll());
        var replies = WireReply.ReadAll(bytes.ToArray());
        Assert.Equal(3000, replies.Count(reply => reply.Ops.Count == 1));
        Assert.Equal(Info3.Last, replies[^1].Header.Info3);
    }

    private static ResultCode Ask(NodeUnderTest node, SimulatedPeer client) => WireReply.Read(node.Ask(client, Get)).Result;

    private static void Drain(NodeUnderTest node)
    {
        foreach (var loop in node.Node.Loops)
        {
            loop.Post(static drained => drained.BeginDrain());
        }
    }
}

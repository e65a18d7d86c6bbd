using Aerie.Foundation;
using Aerie.Memory;
using Aerie.Protocol;
using Aerie.TestKit;
using Xunit;

namespace Aerie.Node.Tests.Service;

/// Clients that ask more than they read, send less than they announce, or go away in the middle of either: the memory that
/// they cost is bounded, and others notice nothing.
public sealed class BackPressureTests : IDisposable
{
    private const int RecordLength = 100_000;
    private const int Gets = 1_000;

    private readonly NodeUnderTest _node = new();
    private readonly SimulatedPeer _other;

    public BackPressureTests() => _other = _node.Connect();

    private BufferPool Buffers => _node.Node.Loops[0].Buffers;

    public void Dispose()
    {
        _other.Close();
        _node.Settle();
        Assert.Equal(0, Buffers.Outstanding);
        _node.Dispose();
    }

    [Fact, Evidence("WIRE-CONN-02")]
    public void A_client_that_does_not_read_holds_little_memory_and_gets_all_its_replies_when_it_does()
    {
        PutRecords(RecordLength);
        var slow = _node.Connect();
        slow.ReceiveWindow = 64 * 1024;
        SendGets(slow);
        var most = Settle();
        Assert.InRange(most, 0, 2 * 1024 * 1024);
        Assert.Equal(ResultCode.NotFound, WireReply.Read(_node.Ask(_other, WireRequest.Get("none").Bytes())).Result);
        Assert.InRange(most, 0, 2 * 1024 * 1024);
        AssertRepliesInOrder(slow, RecordLength);
        slow.Close();
    }

    [Theory, InlineData(RecordLength), InlineData(1024 * 1024 - 1000)]
    public void A_client_that_reads_is_answered_in_shares_between_the_requests_of_others(int length)
    {
        PutRecords(length);
        var greedy = _node.Connect();
        greedy.ReceiveWindow = int.MaxValue;
        greedy.Send(Pipelined(60));
        _other.Send(WireRequest.Get("none").Bytes());
        _node.Turn();
        _node.Turn();
        Assert.True(_other.Available > 0);
        Assert.InRange(greedy.Available, 1, 60 * length / 2); // the greedy one is far from its end
        Assert.InRange(Settle(), 0, 4L * 1024 * 1024);
        greedy.Close();
    }

    [Fact, Evidence("WIRE-CONN-03")]
    public void A_client_that_vanishes_in_the_middle_of_a_message_or_of_its_replies_leaves_nothing_behind()
    {
        PutRecords(RecordLength);
        Assert.Equal(0, Buffers.Outstanding);
        var message = WireRequest.Put("half", "a", new string('x', RecordLength)).Bytes();
        foreach (var sent in new[] { 1, 8, 30, 4096, 50_000, message.Length - 1 })
        {
            var half = _node.Connect();
            half.SendInPieces(message.AsSpan(0, sent), 3000);
            _node.Settle();
            Assert.Equal(1, Buffers.Outstanding);
            half.Vanish();
            _node.Settle();
            Assert.Equal(0, Buffers.Outstanding);
        }

        var deaf = _node.Connect();
        deaf.ReceiveWindow = 1000;
        SendGets(deaf);
        _node.Settle();
        Assert.True(Buffers.Outstanding > 0);
        deaf.Vanish();
        _node.Settle();
        Assert.Equal(0, Buffers.Outstanding);
        Assert.Equal(ResultCode.NotFound, WireReply.Read(_node.Ask(_other, WireRequest.Get("half").Bytes())).Result);
    }

    [Fact]
    public void Thousands_of_half_messages_cost_a_small_buffer_each()
    {
        const int clients = 10_000;
        var message = WireRequest.Put("k", "a", "value").Bytes();
        var half = Enumerable.Range(0, clients).Select(_ => _node.Connect()).ToList();
        _node.Settle();
        half.ForEach(client => client.Send(message.AsSpan(0, message.Length / 2)));
        _node.Settle();
        Assert.InRange(Buffers.BytesHeld, 0, clients * 8L * 1024);

        foreach (var client in half)
        {
            client.Send(message.AsSpan(message.Length / 2));
        }

        _node.Settle();
        Assert.All(half, client => Assert.Equal(ResultCode.Ok, WireReply.Read(client.ReadAll()).Result));
        Assert.Equal(0, Buffers.Outstanding);
        half.ForEach(client => client.Close());
    }

    [Theory, InlineData(1), InlineData(13), InlineData(4095), InlineData(4096), InlineData(4097), InlineData(65_536), InlineData(100_000)]
    public void A_large_message_may_come_in_pieces_of_any_size_with_others_behind_it(int piece)
    {
        var length = piece < 100 ? 10_000 : 300_000;
        byte[] bytes = [.. WireRequest.Put("k", "a", new string('x', length)).Bytes(), .. WireRequest.Get("k").Bytes()];
        bytes = [.. bytes, .. bytes];
        var client = _node.Connect();
        client.SendInPieces(bytes, piece);
        _node.Settle();
        var replies = WireReply.ReadAll(client.ReadAll());
        Assert.Equal([0, 1, 0, 1], replies.Select(reply => reply.Ops.Count));
        Assert.Equal([1u, 1u, 2u, 2u], replies.Select(reply => reply.Header.Generation));
        client.Close();
    }

    [Fact, Evidence("WIRE-HDR-02")]
    public void Replies_come_in_the_order_of_requests_also_around_a_long_one()
    {
        PutRecords(10);
        var fields = WireBatchField.FieldBytes(FieldId.Namespace, "test"u8);
        var batch = new WireBatchField().Row(WireRequest.DigestOf("k0"), Info1.Read | Info1.GetAll, Info2.None, fields, 1, [], 0);
        for (var i = 1; i < 5000; i++)
        {
            batch.Again(WireRequest.DigestOf($"k{i % 10}"));
        }

        byte[] bytes =
        [
            .. WireRequest.Get("none").Bytes(), .. batch.Request().Bytes(), .. WireRequest.Exists("k3").Bytes(),
            .. batch.Request().Bytes(), .. WireRequest.Get("none").Bytes(),
        ];
        foreach (var piece in new[] { bytes.Length, 1000 })
        {
            var client = _node.Connect();
            client.SendInPieces(bytes, piece);
            _node.Settle();
            var replies = WireReply.ReadAll(client.ReadAll());
            Assert.Equal(2 * 5001 + 3, replies.Count);
            Assert.Equal(ResultCode.NotFound, replies[0].Result);
            Assert.Equal(Info3.Last, replies[5001].Header.Info3);
            Assert.Equal((ResultCode.Ok, 0), (replies[5002].Result, replies[5002].Ops.Count));
            Assert.Equal(Info3.Last, replies[^2].Header.Info3);
            Assert.Equal(ResultCode.NotFound, replies[^1].Result);
            client.Close();
        }
    }

    private void PutRecords(int length)
    {
        for (var i = 0; i < 10; i++)
        {
            _node.Ask(_other, WireRequest.Put($"k{i}", "a", new string('x', length + i)).Bytes());
        }
    }

    private static void SendGets(SimulatedPeer client) => client.SendInPieces(Pipelined(Gets), 64 * 1024);

    private static byte[] Pipelined(int gets) =>
        [.. Enumerable.Range(0, gets).SelectMany(i => WireRequest.Get($"k{i % 10}").Bytes())];

    // Turns until nothing happens; returns the most memory that the buffers took.
    private long Settle()
    {
        var most = 0L;
        for (var quiet = 0; quiet < 5;)
        {
            var before = _node.Node.Loops[0].IoCounters.BytesSent;
            _node.Turn();
            most = Math.Max(most, Buffers.BytesHeld);
            quiet = _node.Node.Loops[0].IoCounters.BytesSent == before ? quiet + 1 : 0;
        }

        return most;
    }

    // The records differ in length, so that the frames tell their order.
    private void AssertRepliesInOrder(SimulatedPeer client, int length)
    {
        var received = new byte[2 * (length + 1000)];
        var filled = 0;
        for (var i = 0; i < Gets; i++)
        {
            var frame = 0;
            _node.RunUntil(() =>
            {
                filled += client.Read(received.AsSpan(filled));
                frame = filled < ProtoHeader.Length ? int.MaxValue : ProtoHeader.Length + (int)ProtoHeader.Read(received).BodyLength;
                return filled >= frame;
            });
            Assert.Equal(ProtoHeader.Length + MessageHeader.Length + Op.HeaderLength + 1 + length + (i % 10), frame);
            received.AsSpan(frame, filled - frame).CopyTo(received);
            filled -= frame;
        }

        Assert.Equal(0, filled);
    }
}

using Aerie.Foundation;
using Aerie.Protocol;
using Aerie.Server.Records.Fetching;
using Aerie.TestKit;
using Xunit;

namespace Aerie.Node.Tests.Records.Fetching;

/// Many reads of a device at once, and what they cost.
public sealed class DeviceLoadTests
{
    private const int ManyRecords = 5_000;

    private static readonly string Page = new('p', 4096);

    [Fact]
    public void Reads_beyond_the_limit_wait_for_their_turn()
    {
        using var node = new NodeOnDevice();
        const int count = ImageReads.ReadsMax + 100;
        for (var i = 0; i < count; i++)
        {
            node.Put($"k{i}", Page);
        }

        node.Backing.Evict();
        node.HoldReads();
        var peers = Enumerable.Range(0, count).Select(_ => node.Node.Connect()).ToList();
        for (var i = 0; i < count; i++)
        {
            peers[i].Send(WireRequest.Get($"k{i}").Bytes());
        }

        node.Node.Settle();
        Assert.Equal(ImageReads.ReadsMax, node.InFlight);
        Assert.Equal(100, node.Node.Node.Loops[0].Reads.Waiting);
        peers[^1].Vanish(); // one that has not been begun
        node.Node.Settle();
        node.LetReadsEnd();
        Assert.All(peers.SkipLast(1), peer => Assert.Equal(Page, WireReply.Read(peer.ReadAll())["a"].Text));
        Assert.Equal(count - 1, node.DeviceReads);
    }

    [Theory, InlineData(1), InlineData(2)]
    public void A_large_batch_is_read_by_all_loops(int loops)
    {
        using var node = new NodeOnDevice(loops);
        Fill(node);
        node.Backing.Evict();
        var request = LargeBatch();
        var replies = WireReply.ReadAll(node.Node.Ask(node.Peer, request));
        Assert.Equal(ManyRecords + 1, replies.Count);
        Assert.Equal(Enumerable.Range(0, ManyRecords), replies.SkipLast(1).Select(reply => (int)reply.Header.Timeout).Order());
        Assert.All(replies.SkipLast(1), reply => Assert.Equal($"value {reply.Header.Timeout}", reply["a"].Text));
    }

    [Fact]
    public void A_large_batch_whose_client_vanishes_leaves_nothing_on_any_loop()
    {
        using var node = new NodeOnDevice(loops: 2);
        Fill(node);
        node.Backing.Evict();
        node.HoldReads();
        var peer = node.Send(LargeBatch());
        Assert.True(node.InFlight > 0);
        peer.Vanish();
        node.Node.Settle();
        node.LetReadsEnd();
        Assert.All(node.Node.Node.Loops, loop => Assert.Equal(0, loop.Buffers.Outstanding));
        Assert.True(node.Node.Node.Loops.All(loop => loop.Reads.InFlight == 0));
    }

    [Theory, InlineData("get", 1_000), InlineData("batch", 20)]
    public void Reading_from_a_device_allocates_nothing(string operation, int times)
    {
        using var node = DeviceReadTests.Filled();
        node.Backing.Evict();
        var request = operation == "get"
            ? WireRequest.Get("k1").Bytes()
            : DeviceReadTests.Batch(Info1.Read | Info1.GetAll, Info2.None, [], 0);
        var conversation = new Budgets.Conversation(node.Node, request, int.MaxValue);
        for (var i = 0; i < times; i++)
        {
            conversation.Once();
        }

        var (reads, before) = (node.DeviceReads, GC.GetAllocatedBytesForCurrentThread());
        for (var i = 0; i < times; i++)
        {
            conversation.Once();
        }

        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(node.DeviceReads >= reads + times);
        Assert.Equal(0, allocated);
        conversation.Peer.Close();
        node.Node.Settle();
    }

    private static void Fill(NodeOnDevice node)
    {
        var puts = Enumerable.Range(0, ManyRecords).Select(i => WireRequest.Put($"k{i}", "a", $"value {i}").Bytes());
        foreach (var some in puts.Chunk(500))
        {
            node.Node.Ask(node.Peer, [.. some.SelectMany(put => put)]);
        }
    }

    private static byte[] LargeBatch()
    {
        var batch = new WireBatchField();
        byte[] fields = [.. WireBatchField.FieldBytes(FieldId.Namespace, "test"u8), .. WireBatchField.FieldBytes(FieldId.Set, "s"u8)];
        batch.Row(WireRequest.DigestOf("k0"), Info1.Read | Info1.GetAll, Info2.None, fields, 2, [], 0);
        for (var i = 1; i < ManyRecords; i++)
        {
            batch.Again(WireRequest.DigestOf($"k{i}"));
        }

        return batch.Request().Bytes();
    }
}

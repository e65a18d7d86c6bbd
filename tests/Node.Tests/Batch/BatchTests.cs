using Aerie.DataModel;
using Aerie.Foundation;
using Aerie.Protocol;
using Aerie.Server.Metrics;
using Aerie.TestKit;
using Xunit;

namespace Aerie.Node.Tests.Batch;

/// Batches as exact messages against a whole node in the simulated world.
public class BatchTests : IDisposable
{
    private readonly NodeUnderTest _node;
    private readonly SimulatedPeer _client;

    public BatchTests()
        : this(new NodeUnderTest())
    {
    }

    protected BatchTests(NodeUnderTest node)
    {
        _node = node;
        _client = node.Connect();
    }

    public void Dispose()
    {
        GC.SuppressFinalize(this);
        _client.Close();
        _node.Settle();
        _node.Dispose();
    }

    [Fact]
    public void Each_key_is_answered_under_its_index_and_an_empty_message_ends_the_stream()
    {
        Put("a", "1");
        Put("c", "3");
        var replies = Ask(new WireBatch().Read("a").Read("b").Read("c"));
        Assert.Equal([ResultCode.Ok, ResultCode.NotFound, ResultCode.Ok, ResultCode.Ok], replies.Select(reply => reply.Result));
        Assert.Equal([0u, 1u, 2u], replies.Take(3).Select(reply => reply.Header.Timeout));
        Assert.Equal("1", replies[0]["v"].Text);
        Assert.Equal("3", replies[2]["v"].Text);
        Assert.Equal(1u, replies[2].Header.Generation);
        Assert.Equal(Info3.Last, replies[3].Header.Info3);
        Assert.Equal(1, Count(NodeCounter.BatchIndexComplete));
        Assert.Equal(2, Count(NamespaceCounter.BatchSubReadSuccess));
        Assert.Equal(1, Count(NamespaceCounter.BatchSubReadNotFound));
    }

    [Fact]
    public void The_bytes_of_a_reply_are_these()
    {
        var reply = _node.Ask(_client, new WireBatch { Flags = BatchFlags.None }.Read("nobody").Bytes());
        byte[] expected =
        [
            2, 3, 0, 0, 0, 0, 0, 44, // version, type, length of both messages
            22, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // not found, index 0
            22, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // last
        ];
        Assert.Equal(expected, reply);
    }

    [Fact]
    public void Reads_writes_and_deletes_mix()
    {
        Put("old", "1");
        Put("gone", "1");
        var replies = Ask(new WireBatch { FieldId = FieldId.BatchWithSet }
            .Put("new", "v", "2").Delete("gone").Exists("old").Read("old", "v", "missing").Delete("never"));
        Assert.Equal(
            [ResultCode.Ok, ResultCode.Ok, ResultCode.Ok, ResultCode.Ok, ResultCode.NotFound, ResultCode.Ok],
            replies.Select(reply => reply.Result));
        Assert.Empty(replies[2].Ops);
        Assert.Equal("1", Assert.Single(replies[3].Ops).Text);
        var after = Ask(new WireBatch().Read("new").Read("gone"));
        Assert.Equal("2", after[0]["v"].Text);
        Assert.Equal(ResultCode.NotFound, after[1].Result);
        Assert.Equal(1, Count(NamespaceCounter.BatchSubWriteSuccess));
        Assert.Equal(1, Count(NamespaceCounter.BatchSubDeleteSuccess));
    }

    [Fact]
    public void A_row_may_repeat_the_header_of_an_earlier_one()
    {
        Put("a", "1");
        Put("b", "2");
        var replies = Ask(new WireBatch().Read("a", "v").Repeat("b").Repeat("none").OldRead("a").Repeat("b"));
        Assert.Equal("2", replies[1]["v"].Text);
        Assert.Equal(ResultCode.NotFound, replies[2].Result);
        Assert.Equal("1", replies[3]["v"].Text);
        Assert.Equal("2", replies[4]["v"].Text);
    }

    [Fact]
    public void Without_respond_all_keys_the_rows_behind_an_error_are_left_alone()
    {
        Put("there", "1");
        var batch = new WireBatch { Flags = BatchFlags.InlineMemory };
        var replies = Ask(batch.Read("none").Put("there", "v", "2", Info2.CreateOnly).Put("later", "v", "3"));
        Assert.Equal([ResultCode.NotFound, ResultCode.RecordExists, ResultCode.Ok], replies.Select(reply => reply.Result));
        Assert.Equal(Info3.Last, replies[2].Header.Info3);
        Assert.Equal(ResultCode.NotFound, Ask(new WireBatch().Read("later"))[0].Result);
    }

    [Fact]
    public void With_respond_all_keys_every_row_is_carried_out()
    {
        Put("there", "1");
        var replies = Ask(new WireBatch()
            .Put("there", "v", "2", Info2.CreateOnly).Put("x", "v", "3", ns: "nowhere").Put("later", "v", "3"));
        Assert.Equal(
            [ResultCode.RecordExists, ResultCode.Namespace, ResultCode.Ok, ResultCode.Ok], replies.Select(reply => reply.Result));
    }

    [Fact]
    public void What_is_no_batch_is_refused_as_a_whole_and_the_connection_lives_on()
    {
        byte[][] refused =
        [
            new WireBatch().Bytes(),
            new WireBatch { CountClaimed = 2 }.Read("a").Bytes(),
            new WireBatch { CountClaimed = uint.MaxValue }.Read("a").Bytes(),
            new WireBatch().Repeat("a").Bytes(),
            new WireBatch { CountClaimed = 1 }.Raw(new byte[24]).Bytes(),
            new WireBatch { CountClaimed = 1 }.Raw([.. new byte[24], 0x80, 0, 0, 0, 0, 0]).Bytes(),
            new WireBatch { CountClaimed = 1 }.Raw([.. new byte[24], 0, 1, 0, 9, 0, 0, 0, 0]).Bytes(),
            new WireRequest().Flags(Info1.Batch).Bytes(),
            new WireRequest().Flags(Info1.Batch).Field(FieldId.Batch, []).Bytes(),
        ];
        foreach (var bytes in refused)
        {
            var reply = WireReply.ReadAll(_node.Ask(_client, bytes))[^1];
            Assert.Equal((ResultCode.Parameter, Info3.Last), (reply.Result, reply.Header.Info3));
        }

        Assert.Equal(refused.Length, Count(NodeCounter.BatchIndexError));
        Assert.Equal(2, Ask(new WireBatch().Read("a")).Count);
    }

    [Fact]
    public void Rows_in_front_of_a_malformed_one_are_answered()
    {
        Put("a", "1");
        var replies = Ask(new WireBatch { CountClaimed = 2 }.Read("a").Raw([.. new byte[24], 0x80, 0, 0, 0, 0, 0]));
        Assert.Equal([ResultCode.Ok, ResultCode.Parameter], replies.Select(reply => reply.Result));
        Assert.Equal(Info3.Last, replies[1].Header.Info3);
    }

    [Fact]
    public void A_filter_for_the_whole_batch_holds_for_every_row()
    {
        Put("a", "x");
        Assert.Equal([ResultCode.FilteredOut, ResultCode.NotFound, ResultCode.Ok], Ask([0x93, 1, 2, 3])); // 2 == 3
        Assert.Equal([ResultCode.Ok, ResultCode.NotFound, ResultCode.Ok], Ask([0x93, 1, 2, 2]));
        Assert.Equal([ResultCode.Parameter], Ask([0x93, 1, 2]));

        ResultCode[] Ask(byte[] filter)
        {
            var request = new WireRequest().Flags(Info1.Batch).Field(FieldId.Filter, filter)
                .Field(FieldId.Batch, new WireBatch().Read("a").Read("none").Field());
            return [.. WireReply.ReadAll(_node.Ask(_client, request.Bytes())).Select(reply => reply.Result)];
        }
    }

    [Fact]
    public void A_batch_of_large_records_comes_in_several_frames()
    {
        var value = new string('x', 30_000);
        for (var i = 0; i < 40; i++)
        {
            Put($"k{i}", value);
        }

        _client.ReceiveWindow = int.MaxValue;
        var bytes = _node.Ask(_client, WireBatch.ReadsOf(Enumerable.Range(0, 40).Select(i => $"k{i}")).Bytes());
        Assert.InRange(ProtoHeader.Read(bytes).BodyLength, 60_000, 100_000);
        var replies = WireReply.ReadAll(bytes);
        Assert.Equal(41, replies.Count);
        Assert.All(replies.Take(40), reply => Assert.Equal(30_000, reply["v"].Value.Length));
    }

    [Fact]
    public void A_client_that_asks_for_compression_gets_compressed_frames()
    {
        Put("a", new string('x', 5000));
        var bytes = _node.Ask(_client, new WireBatch { Info1 = Info1.Batch | Info1.CompressReply }.Read("a").Bytes());
        var frame = ProtoHeader.Read(bytes);
        Assert.Equal(ProtoType.CompressedMessage, frame.Type);
        Assert.Equal(bytes.Length - ProtoHeader.Length, frame.BodyLength);
        Assert.True(bytes.Length < 500);
    }

    private void Put(string key, string value) =>
        Assert.Equal(ResultCode.Ok, WireReply.Read(_node.Ask(_client, WireRequest.Put(key, "v", value).Bytes())).Result);

    private IReadOnlyList<WireReply> Ask(WireBatch batch) => WireReply.ReadAll(_node.Ask(_client, batch.Bytes()));

    private long Count(NodeCounter counter) => _node.Node.Counters.Sum(counter);

    private long Count(NamespaceCounter counter) => _node.Node.Namespaces.All[0].Counters.Sum(counter);
}

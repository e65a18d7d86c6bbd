using System.Text;
using Aerie.DataModel;
using Aerie.Foundation;
using Aerie.Protocol;
using Aerie.TestKit;
using Xunit;

namespace Aerie.Node.Tests.Records.Flushing;

public sealed class CommitTests
{
    private const string Commit = "commit-to-device true\nflush-max-ms 0";

    private readonly SimulatedDisk _disk = new();

    [Fact]
    public void A_write_is_answered_when_it_is_safe_and_not_before()
    {
        using (var node = new DeviceNode(_disk, Commit))
        {
            var peer = node.Under.Connect();
            peer.Send(Put("k"));
            TurnLoops(node);
            Assert.Equal(0, peer.Available);
            var rounds = node.Node.Flushers[0].Rounds;
            node.Under.Settle();
            Assert.Equal(ResultCode.Ok, Result(peer.ReadAll()));
            Assert.Equal(rounds + 1, node.Node.Flushers[0].Rounds);
        }

        _disk.Crash(5);
        using var again = new DeviceNode(_disk, Commit);
        Assert.True(again.Writer.Exists("k"));
    }

    [Fact]
    public void One_round_serves_all_who_wait()
    {
        using var node = new DeviceNode(_disk, Commit);
        var peers = Enumerable.Range(0, 20).Select(_ => node.Under.Connect()).ToArray();
        for (var i = 0; i < peers.Length; i++)
        {
            peers[i].Send(i % 2 == 0 ? Put($"k{i}") : [.. Put($"k{i}"), .. WireRequest.Delete($"k{i}").Bytes()]);
        }

        TurnLoops(node);
        var rounds = node.Node.Flushers[0].Rounds;
        node.Under.Settle();
        Assert.All(peers, peer => Assert.All(WireReply.ReadAll(peer.ReadAll()), reply => Assert.Equal(ResultCode.Ok, reply.Result)));
        Assert.Equal(rounds + 2, node.Node.Flushers[0].Rounds); // the deletes came behind their writes
        Assert.Equal(10, node.Records.Objects);
    }

    [Fact]
    public void A_truncation_is_answered_when_a_restart_knows_of_it_whatever_the_namespace_commits()
    {
        using (var node = new DeviceNode(_disk))
        {
            var peer = node.Under.Connect();
            Assert.Equal(ResultCode.Ok, Result(node.Under.Ask(peer, Put("k"))));
            node.Flush();
            node.Clock.Advance(TimeSpan.FromSeconds(1));
            peer.Send(Info("truncate-namespace:namespace=test"));
            TurnLoops(node);
            Assert.Equal(0, peer.Available);
            node.Under.Settle();
            Assert.Contains("\tok\n", Text(peer.ReadAll()), StringComparison.Ordinal);
        }

        _disk.Crash(7);
        using var again = new DeviceNode(_disk);
        Assert.False(again.Writer.Exists("k"));
    }

    [Fact]
    public void A_truncation_that_cannot_be_saved_is_answered_with_an_error_and_other_info_is_not_held_up()
    {
        using var node = new DeviceNode(_disk);
        var peer = node.Under.Connect();
        Assert.Equal(ResultCode.Ok, Result(node.Under.Ask(peer, Put("k"))));
        node.Medium.Fail(DiskOperation.Write);
        var answer = Text(node.Under.Ask(peer, Info("truncate-namespace:namespace=test")));
        Assert.StartsWith("truncate-namespace:namespace=test\tERROR:1:not saved, the storage fails", answer, StringComparison.Ordinal);
        Assert.Equal("build", Text(node.Under.Ask(peer, Info("build"))).Split('\t')[0]);
    }

    [Fact]
    public void Reads_do_not_wait()
    {
        using var node = new DeviceNode(_disk, Commit);
        var writer = node.Under.Connect();
        Assert.Equal(ResultCode.Ok, Result(node.Under.Ask(writer, Put("k"))));
        node.Medium.Fail(DiskOperation.Sync);
        var reader = node.Under.Connect();
        reader.Send(WireRequest.Get("k").Bytes());
        TurnLoops(node);
        Assert.Equal(ResultCode.Ok, Result(reader.ReadAll()));
    }

    [Fact]
    public void A_flush_that_fails_is_answered_with_an_error_stops_writes_and_ends_by_itself()
    {
        using var node = new DeviceNode(_disk, Commit);
        var peer = node.Under.Connect();
        Assert.Equal(ResultCode.Ok, Result(node.Under.Ask(peer, Put("a"))));
        node.Medium.Fail(DiskOperation.Write);
        Assert.Equal(ResultCode.Unknown, Result(node.Under.Ask(peer, Put("b"))));
        Assert.NotNull(node.Records.StorageFailure);
        Assert.Equal(ResultCode.OutOfSpace, Result(node.Under.Ask(peer, Put("c"))));
        Assert.Equal(ResultCode.Ok, Result(node.Under.Ask(peer, WireRequest.Get("a").Bytes())));
        for (var i = 0; i < 5; i++)
        {
            node.Clock.Advance(TimeSpan.FromSeconds(1.1));
            node.Under.Settle();
        }

        Assert.Equal(1, node.Logs.LinesWith("writes are stopped, the storage fails"));
        node.Medium.Heal();
        node.Clock.Advance(TimeSpan.FromSeconds(1.1));
        node.Under.Settle();
        Assert.Null(node.Records.StorageFailure);
        Assert.Equal(1, node.Logs.LinesWith("the storage takes writes again"));
        Assert.Equal(ResultCode.Ok, Result(node.Under.Ask(peer, Put("d"))));
    }

    [Fact]
    public void Who_leaves_while_its_write_is_not_safe_leaves_nothing_behind()
    {
        using var node = new DeviceNode(_disk, Commit);
        var peer = node.Under.Connect();
        peer.Send(Put("k"));
        TurnLoops(node);
        peer.Vanish();
        node.Under.Settle();
        Assert.Equal(ResultCode.Ok, Result(node.Under.Ask(node.Under.Connect(), Put("l"))));
    }

    [Theory]
    [InlineData(3)]
    [InlineData(1000)]
    public void A_batch_is_answered_when_its_writes_are_safe(int rows)
    {
        using var node = new DeviceNode(_disk, Commit);
        var peer = node.Under.Connect();
        var batch = new WireBatch();
        for (var i = 0; i < rows; i++)
        {
            batch.Put($"k{i}", "b", "v");
        }

        peer.Send(batch.Bytes());
        TurnLoops(node);
        Assert.Equal(0, peer.Available);
        node.Under.Settle();
        var replies = WireReply.ReadAll(peer.ReadAll());
        Assert.Equal(rows + 1, replies.Count);
        Assert.All(replies, reply => Assert.Equal(ResultCode.Ok, reply.Result));
        Assert.Equal(rows, node.Records.Objects);
        Assert.Equal(0, node.Records.Log.UnflushedBytes);
    }

    [Fact]
    public void Nothing_acknowledged_is_lost_when_the_power_fails()
    {
        const int Seed = 11;
        var random = new Random(Seed);
        var expected = new Dictionary<string, bool>(StringComparer.Ordinal);
        for (var life = 0; life < 4; life++)
        {
            using (var node = new DeviceNode(_disk, Commit))
            {
                foreach (var (key, exists) in expected)
                {
                    Assert.True(exists == node.Writer.Exists(key), $"{key} in life {life} (seed {Seed})");
                }

                var peer = node.Under.Connect();
                for (var i = 0; i < 60; i++)
                {
                    var key = $"k{random.Next(30)}";
                    var isDelete = random.Next(3) == 0;
                    var result = Result(node.Under.Ask(peer, isDelete ? WireRequest.Delete(key).Bytes() : Put(key)));
                    Assert.True(result is ResultCode.Ok or ResultCode.NotFound);
                    expected[key] = !isDelete;
                }

                peer.Send(Put("in doubt"));
                TurnLoops(node);
                expected.Remove("in doubt");
            }

            _disk.Crash(Seed + life);
        }
    }

    private static byte[] Put(string key) => WireRequest.Write(key).Op(OpCode.Write, "b", ParticleType.String, "v"u8).Bytes();

    private static byte[] Info(string command)
    {
        var body = Encoding.UTF8.GetBytes(command + "\n");
        var message = new byte[ProtoHeader.Length + body.Length];
        ProtoHeader.Write(message, ProtoType.Info, body.Length);
        body.CopyTo(message, ProtoHeader.Length);
        return message;
    }

    private static string Text(byte[] reply) => Encoding.UTF8.GetString(reply.AsSpan(ProtoHeader.Length));

    private static ResultCode Result(byte[] reply) => Assert.Single(WireReply.ReadAll(reply)).Result;

    private static void TurnLoops(DeviceNode node)
    {
        for (var i = 0; i < 10; i++)
        {
            node.Node.Loops[0].Turn(0);
        }
    }
}

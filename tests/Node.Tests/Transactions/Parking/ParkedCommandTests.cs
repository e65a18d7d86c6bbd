using System.Text;
using Aerie.DataModel;
using Aerie.Foundation;
using Aerie.Protocol;
using Aerie.Server.Metrics;
using Aerie.Server.Records;
using Aerie.TestKit;
using Xunit;

namespace Aerie.Node.Tests.Transactions.Parking;

public sealed class ParkedCommandTests : IDisposable
{
    private readonly NodeUnderTest _node = new(loops: 2);
    private readonly SimulatedPeer _first;
    private readonly Digest _digest = WireRequest.DigestOf("k");

    public ParkedCommandTests()
    {
        _first = Connect();
        Assert.Equal(ResultCode.Ok, Result(_node.Ask(_first, Append(""))));
        Assert.True(Records.TryHold(_digest));
    }

    private Namespace Records => _node.Node.Namespaces.All[0];

    private int Parked => _node.Node.Loops.Sum(loop => loop.Parked.Count);

    public void Dispose() => _node.Dispose();

    [Fact]
    public void Commands_run_in_the_order_in_which_they_came_each_on_its_own_loop()
    {
        var peers = Wait(10);
        Assert.All(_node.Node.Loops, loop => Assert.True(loop.Parked.Count > 0));
        Assert.Equal(ResultCode.Ok, Result(_node.Ask(_first, WireRequest.Exists("k").Bytes()))); // reads go on
        Release();
        Assert.All(peers, peer => Assert.Equal(ResultCode.Ok, Result(peer.ReadAll())));
        Assert.Equal("abcdefghij", Text());
        Assert.Equal(0, Parked);
        Assert.True(Records.TryHold(_digest)); // nobody owns it any more
    }

    [Fact]
    public void The_queue_of_a_record_has_a_limit()
    {
        var peers = Wait(20);
        Assert.Equal(ResultCode.KeyBusy, Result(_node.Ask(Connect(), Append("x"))));
        Assert.Equal(1, Records.Counters.Sum(NamespaceCounter.FailKeyBusy));
        Release();
        Assert.All(peers, peer => Assert.Equal(ResultCode.Ok, Result(peer.ReadAll())));
        Assert.Equal(20, Text().Length);
    }

    [Fact]
    public void Who_has_vanished_is_passed_over()
    {
        var peers = Wait(5);
        peers[0].Vanish();
        peers[2].Close();
        peers[4].Vanish();
        _node.Settle();
        Assert.Equal(2, Parked);
        Release();
        Assert.Equal("bd", Text());
        Assert.True(Records.TryHold(_digest));
    }

    [Fact]
    public void Who_vanishes_between_its_turn_and_its_run_lets_the_next_one_go()
    {
        var peers = Wait(3);
        Records.Release(_node.Node.Loops[0].Worker, _digest); // tells the first, which has not looked yet
        peers[0].Vanish();
        _node.Settle();
        Assert.EndsWith("bc", Text(), StringComparison.Ordinal);
        Assert.True(Records.TryHold(_digest));
    }

    [Fact]
    public void Waiting_ends_with_the_time_that_the_client_gave()
    {
        var patient = Wait(1, timeout: 5000)[0];
        var hasty = Wait(1, timeout: 50)[0];
        var usual = Wait(1, timeout: 0)[0];
        Pass(TimeSpan.FromMilliseconds(60));
        Assert.Equal(ResultCode.Timeout, Result(hasty.ReadAll()));
        Assert.Equal(0, usual.Available);
        Pass(TimeSpan.FromMilliseconds(1000));
        Assert.Equal(ResultCode.Timeout, Result(usual.ReadAll()));
        Assert.Equal(2, Records.Counters.Sum(NamespaceCounter.ClientWriteTimeout));
        Release();
        Assert.Equal(ResultCode.Ok, Result(patient.ReadAll()));
        Assert.Equal("a", Text());
        Assert.Equal(ResultCode.Ok, Result(_node.Ask(hasty, Append("z")))); // the connection is as good as before
    }

    [Fact]
    public void Later_messages_of_the_connection_stay_behind()
    {
        var peer = Connect();
        peer.Send([.. Append("x"), .. WireRequest.Get("k").Bytes(), .. Append("y")]);
        _node.Settle();
        Assert.Equal(0, peer.Available);
        Release();
        var replies = WireReply.ReadAll(peer.ReadAll());
        Assert.Equal(3, replies.Count);
        Assert.Equal("x", replies[1]["b"].Text);
        Assert.Equal("xy", Text());
    }

    [Fact]
    public void When_an_owner_deletes_the_record_the_others_start_over()
    {
        var deleter = Connect();
        deleter.Send(WireRequest.Delete("k").Bytes());
        _node.Settle();
        var peers = Wait(3);
        Release();
        Assert.Equal(ResultCode.Ok, Result(deleter.ReadAll()));
        Assert.All(peers, peer => Assert.Equal(ResultCode.Ok, Result(peer.ReadAll())));
        Assert.Equal("abc", string.Concat(Text().Order())); // a new record, by whoever was first
        Assert.Equal(0, Records.Holds.Waiting);
    }

    [Fact]
    public void Stopped_writes_do_not_keep_the_record()
    {
        var peers = Wait(2);
        Records.StopWrites = true;
        Release();
        Assert.All(peers, peer => Assert.Equal(ResultCode.OutOfSpace, Result(peer.ReadAll())));
        Assert.True(Records.TryHold(_digest));
    }

    [Fact]
    public void A_client_that_does_not_read_keeps_nobody_from_the_record()
    {
        var silent = Connect();
        silent.ReceiveWindow = 0;
        silent.Send([.. WireRequest.Get("k").Bytes()]);
        _node.Settle();
        var others = Wait(2);
        Release();
        Assert.All(others, peer => Assert.Equal(ResultCode.Ok, Result(peer.ReadAll())));
    }

    private static byte[] Append(string text, uint timeout = 1000) => WireRequest.Write("k")
        .Timeout(timeout)
        .Op(OpCode.Append, "b", ParticleType.String, Encoding.UTF8.GetBytes(text))
        .Bytes();

    private static ResultCode Result(byte[] reply) => WireReply.Read(reply).Result;

    private SimulatedPeer Connect()
    {
        var peer = _node.Connect();
        _node.Settle(); // taken over by its loop before it speaks
        return peer;
    }

    /// Clients that append a, b, c …, one after the other, and wait.
    private SimulatedPeer[] Wait(int count, uint timeout = 1000)
    {
        var before = Parked;
        var peers = Enumerable.Range(0, count).Select(_ => Connect()).ToArray();
        for (var i = 0; i < count; i++)
        {
            peers[i].Send(Append($"{(char)('a' + i)}", timeout));
            _node.Settle();
            Assert.Equal(0, peers[i].Available);
        }

        Assert.Equal(before + count, Parked);
        return peers;
    }

    private void Release()
    {
        Records.Release(_node.Node.HousekeepingWorker, _digest);
        _node.Settle();
    }

    private void Pass(TimeSpan time)
    {
        _node.Clock.Advance(time);
        _node.Settle();
    }

    private string Text() => WireReply.Read(_node.Ask(_first, WireRequest.Get("k").Bytes()))["b"].Text;
}

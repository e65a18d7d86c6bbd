using Aerie.DataModel;
using Aerie.Foundation;
using Aerie.Protocol;
using Aerie.TestKit;
using Xunit;

namespace Aerie.Node.Tests.Records.Flushing;

/// A device that does not keep up is one whose flusher nobody steps.
public sealed class BackPressureTests
{
    private static readonly byte[] Value = new byte[1_000_000];

    [Fact]
    public void Writes_wait_until_the_device_keeps_up_again_and_are_refused_beyond()
    {
        using var node = new DeviceNode(new SimulatedDisk(), "max-write-cache 64M", size: "512M");
        var count = 0;
        while (!node.Records.IsWriteCacheFull)
        {
            Assert.Equal(ResultCode.Ok, node.Writer.Put($"k{count++}", Value));
        }

        var single = node.Under.Connect();
        var batch = node.Under.Connect();
        var reader = node.Under.Connect();
        single.Send(Put("single"));
        batch.Send(new WireBatch().Read("k0").Put("row", "b", "v").Bytes());
        TurnLoops(node);
        Assert.Equal(0, single.Available);
        reader.Send(WireRequest.Exists("k0").Bytes());
        TurnLoops(node);
        Assert.Equal(ResultCode.Ok, Assert.Single(WireReply.ReadAll(reader.ReadAll())).Result);

        var refused = ResultCode.Ok;
        while (refused == ResultCode.Ok)
        {
            refused = node.Writer.Put($"k{count++}", Value); // who does not look at the mark
        }

        Assert.Equal(ResultCode.DeviceOverload, refused);
        node.Under.Settle(); // steps the flusher
        Assert.Equal(ResultCode.Ok, Assert.Single(WireReply.ReadAll(single.ReadAll())).Result);
        Assert.All(WireReply.ReadAll(batch.ReadAll()), reply => Assert.Equal(ResultCode.Ok, reply.Result));
        Assert.True(node.Writer.Exists("single"));
        Assert.Equal(0, node.Records.Log.WriteCachePercent);
        Assert.Equal(0, node.Node.Loops[0].Parked.Count);
    }

    [Fact]
    public void Waiting_ends_with_the_time_that_the_client_gave()
    {
        using var node = new DeviceNode(new SimulatedDisk(), "max-write-cache 64M", size: "512M");
        for (var i = 0; !node.Records.IsWriteCacheFull; i++)
        {
            node.Writer.Put($"k{i}", Value);
        }

        var peer = node.Under.Connect();
        peer.Send(WireRequest.Write("k").Timeout(50).Op(OpCode.Write, "b", ParticleType.String, "v"u8).Bytes());
        TurnLoops(node);
        Assert.Equal(0, peer.Available);
        node.Clock.Advance(TimeSpan.FromMilliseconds(60));
        TurnLoops(node);
        Assert.Equal(ResultCode.Timeout, Assert.Single(WireReply.ReadAll(peer.ReadAll())).Result);
        Assert.False(node.Writer.Exists("k"));
    }

    private static byte[] Put(string key) => WireRequest.Write(key).Op(OpCode.Write, "b", ParticleType.String, "v"u8).Bytes();

    private static void TurnLoops(DeviceNode node)
    {
        for (var i = 0; i < 10; i++)
        {
            node.Node.Loops[0].Turn(0);
        }
    }
}

using System.Buffers.Binary;
using System.IO.Compression;
using Aerie.Foundation;
using Aerie.Protocol;
using Aerie.TestKit;
using Xunit;

namespace Aerie.Node.Tests.Service;

/// Compressed messages from clients that mean it and from those that do not.
public sealed class CompressionTests : IDisposable
{
    private const int Long = 20_000;

    private readonly NodeUnderTest _node = new();
    private readonly SimulatedPeer _client;

    public CompressionTests() => _client = _node.Connect();

    public void Dispose()
    {
        _client.Close();
        _node.Settle();
        _node.Dispose();
    }

    [Fact, Evidence("WIRE-ZIP-01")]
    public void A_compressed_message_is_run_like_the_message_inside()
    {
        var put = Compressed(WireRequest.Put("k", "a", new string('x', Long)).Bytes());
        Assert.True(put.Length < Long / 10);
        Assert.Equal(ResultCode.Ok, WireReply.Read(_node.Ask(_client, put)).Result);
        Assert.Equal(Long, WireReply.Read(_node.Ask(_client, WireRequest.Get("k").Bytes()))["a"].Value.Length);
    }

    [Fact, Evidence("WIRE-ZIP-02")]
    public void A_reply_is_compressed_only_when_asked_for_and_when_that_makes_it_shorter()
    {
        _node.Ask(_client, WireRequest.Put("k", "a", new string('x', Long)).Bytes());
        _node.Ask(_client, WireRequest.Put("small", "a", "x").Bytes());
        Assert.Equal(ProtoType.Message, ProtoHeader.Read(_node.Ask(_client, WireRequest.Get("k").Bytes())).Type);
        var small = _node.Ask(_client, WireRequest.Get("small").Flags(Info1.CompressReply).Bytes());
        Assert.Equal(ProtoType.Message, ProtoHeader.Read(small).Type);

        var reply = _node.Ask(_client, WireRequest.Get("k").Flags(Info1.CompressReply).Bytes());
        Assert.Equal(ProtoType.CompressedMessage, ProtoHeader.Read(reply).Type);
        Assert.True(reply.Length < Long / 10);
        var inner = Inflated(reply);
        Assert.Equal(Long, WireReply.Read(inner)["a"].Value.Length);
    }

    /// What is wrong with the message: all of these close the connection and cost no memory.
    public static TheoryData<string, byte[]> Lies
    {
        get
        {
            var sound = Compressed(WireRequest.Get("k").Bytes());
            return new()
            {
                { "empty", Frame([]) },
                { "a length alone", Frame(new byte[8]) },
                { "the length is too small", WithLength(sound, 20) },
                { "the length is too large", WithLength(sound, 1000) },
                { "the length is no message's", WithLength(sound, 3) },
                { "the length is above the limit", WithLength(sound, ulong.MaxValue) },
                { "a bomb that says so", WithLength(sound, 128 * 1024 * 1024) },
                { "no zlib data", Frame([0, 0, 0, 0, 0, 0, 0, 60, .. "this is no zlib data, not at all"u8]) },
                { "cut in the middle", Frame(sound[ProtoHeader.Length..^10]) },
                { "compressed twice", Compressed(sound) },
                { "an info message inside", Compressed([2, 1, 0, 0, 0, 0, 0, 6, .. "build\n"u8]) },
                { "another version inside", Compressed([9, 3, .. WireRequest.Get("k").Bytes()[2..]]) },
                { "the message inside lies about its length", Compressed([.. WireRequest.Get("k").Bytes(), 1, 2, 3]) },
            };
        }
    }

    [Theory, MemberData(nameof(Lies)), Evidence("WIRE-ZIP-03")]
    public void What_is_not_what_it_says_closes_the_connection_and_leaves_nothing(string lie, byte[] message)
    {
        var hostile = _node.Connect();
        hostile.Send(message);
        var most = 0L;
        for (var i = 0; i < 10; i++)
        {
            _node.Turn();
            most = Math.Max(most, _node.Node.Loops[0].Buffers.BytesHeld);
        }

        Assert.True(hostile.IsClosedByServer, lie);
        Assert.True(most < 1024 * 1024, $"{lie}: {most} bytes");
        Assert.Equal(0, _node.Node.Loops[0].Buffers.Outstanding);
        Assert.Equal(ResultCode.NotFound, WireReply.Read(_node.Ask(_client, WireRequest.Get("k").Bytes())).Result);
    }

    [Fact]
    public void More_data_behind_the_announced_length_is_never_inflated()
    {
        var huge = new byte[100 * 1024 * 1024];
        WireRequest.Get("k").Bytes().CopyTo(huge, 0);
        var bomb = WithLength(Compressed(huge), (ulong)WireRequest.Get("k").Bytes().Length);
        var before = GC.GetAllocatedBytesForCurrentThread();
        _client.Send(bomb);
        _node.Settle();
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 8 * 1024 * 1024);
        Assert.True(_node.Node.Loops[0].Buffers.BytesHeld < 8 * 1024 * 1024);
    }

    private static byte[] Compressed(byte[] message)
    {
        using var data = new MemoryStream();
        using (var zlib = new ZLibStream(data, CompressionLevel.Optimal, leaveOpen: true))
        {
            zlib.Write(message);
        }

        var length = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(length, message.Length);
        return Frame([.. length, .. data.ToArray()]);
    }

    private static byte[] Inflated(byte[] frame)
    {
        using var zlib = new ZLibStream(new MemoryStream(frame[(ProtoHeader.Length + 8)..]), CompressionMode.Decompress);
        using var message = new MemoryStream();
        zlib.CopyTo(message);
        Assert.Equal(BinaryPrimitives.ReadInt64BigEndian(frame.AsSpan(ProtoHeader.Length)), message.Length);
        return message.ToArray();
    }

    private static byte[] Frame(byte[] body)
    {
        var frame = new byte[ProtoHeader.Length + body.Length];
        ProtoHeader.Write(frame, ProtoType.CompressedMessage, body.Length);
        body.CopyTo(frame, ProtoHeader.Length);
        return frame;
    }

    private static byte[] WithLength(byte[] frame, ulong length)
    {
        var changed = frame.ToArray();
        BinaryPrimitives.WriteUInt64BigEndian(changed.AsSpan(ProtoHeader.Length), length);
        return changed;
    }
}

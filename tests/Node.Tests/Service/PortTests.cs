using System.Text;
using Aerie.Foundation;
using Aerie.Protocol;
using Aerie.TestKit;
using Xunit;

namespace Aerie.Node.Tests.Service;

/// What each port lets in, and how it is framed.
public sealed class PortTests : IDisposable
{
    private static readonly byte[] Security = [2, 2, 0, 0, 0, 0, 0, 16, .. new byte[16]];
    private static readonly byte[] Info = [2, 1, 0, 0, 0, 0, 0, 6, .. "build\n"u8];

    private readonly NodeUnderTest _node = new(ServiceConfiguration.WithAllPorts(), info: static (_, _) => new EchoInfo());

    public void Dispose() => _node.Dispose();

    [Theory, Evidence("WIRE-SEC-01")]
    [InlineData(NodeUnderTest.Port)]
    [InlineData(ServiceConfiguration.AdminPort)]
    public void A_security_message_is_told_that_there_is_no_security(int port)
    {
        var client = _node.Connect(port);
        var reply = _node.Ask(client, Security);
        Assert.Equal([2, 2, 0, 0, 0, 0, 0, 16], reply[..8]);
        Assert.Equal((byte)ResultCode.SecurityNotEnabled, reply[9]);
        Assert.Equal(24, reply.Length);
        Assert.Equal(reply, _node.Ask(client, Security)); // the client goes on
    }

    [Theory]
    [InlineData(NodeUnderTest.Port)]
    [InlineData(ServiceConfiguration.AdminPort)]
    public void Info_is_answered_in_a_frame(int port)
    {
        var reply = _node.Ask(_node.Connect(port), Info);
        Assert.Equal(new ProtoHeader(2, ProtoType.Info, 9), ProtoHeader.Read(reply));
        Assert.Equal("[build\n]\n", Encoding.ASCII.GetString(reply.AsSpan(8)));
    }

    [Fact, Evidence("WIRE-ADMIN-01")]
    public void The_admin_port_answers_info_and_security_only_for_up_to_100_connections()
    {
        foreach (var type in new[] { ProtoType.Message, ProtoType.CompressedMessage, ProtoType.Xdr })
        {
            var client = _node.Connect(ServiceConfiguration.AdminPort);
            var message = WireRequest.Get("k").Bytes();
            message[1] = (byte)type;
            Assert.Empty(_node.Ask(client, message));
            Assert.True(client.IsClosedByServer);
        }

        var admins = Enumerable.Range(0, 100).Select(_ => _node.Connect(ServiceConfiguration.AdminPort)).ToList();
        _node.Settle();
        var refused = _node.Connect(ServiceConfiguration.AdminPort);
        _node.Settle();
        Assert.True(refused.IsClosedByServer);
        Assert.All(admins, admin => Assert.NotEmpty(_node.Ask(admin, Info)));
        Assert.NotEmpty(_node.Ask(_node.Connect(), Info)); // clients have a limit of their own
    }

    [Fact, Evidence("WIRE-TEXT-01")]
    public void The_text_port_answers_line_by_line_however_the_lines_come()
    {
        var client = _node.Connect(ServiceConfiguration.TextPort);
        Assert.Equal("[status]\n[]\n[build]\n", Text(_node.Ask(client, "status\r\n\nbuild\nhalf"u8)));
        client.SendInPieces(" a line\nnext\n"u8, 1);
        _node.Settle();
        Assert.Equal("[half a line]\n[next]\n", Text(client.ReadAll()));
    }

    [Fact]
    public void A_line_without_end_closes_the_text_port_s_connection()
    {
        var client = _node.Connect(ServiceConfiguration.TextPort);
        for (var i = 0; i < 10 && !client.IsClosedByServer; i++)
        {
            _node.Ask(client, new byte[4000]);
        }

        Assert.True(client.IsClosedByServer);
        Assert.Equal(0, _node.Node.Loops[0].Buffers.Outstanding);
    }

    [Theory, Evidence("WIRE-HDR-01"), Evidence("WIRE-HDR-03"), Evidence("LIMIT-MSG-01")]
    [InlineData("another version", new byte[] { 1, 3, 0, 0, 0, 0, 0, 22 })]
    [InlineData("an unknown type", new byte[] { 2, 9, 0, 0, 0, 0, 0, 0 })]
    [InlineData("a body above 128 MiB", new byte[] { 2, 3, 0, 0, 8, 0, 0, 1 })]
    public void A_frame_that_cannot_be_meant_closes_the_connection_after_the_replies_before_it(string what, byte[] header)
    {
        var client = _node.Connect();
        var replies = WireReply.ReadAll(_node.Ask(client, [.. WireRequest.Get("k").Bytes(), .. header]));
        Assert.Equal(ResultCode.NotFound, Assert.Single(replies).Result);
        Assert.True(client.IsClosedByServer, what);
    }

    [Fact]
    public void A_body_of_128_MiB_is_waited_for_without_lending_it_memory()
    {
        var client = _node.Connect();
        _node.Ask(client, [2, 3, 0, 0, 8, 0, 0, 0, 22]);
        Assert.False(client.IsClosedByServer);
        Assert.True(_node.Node.Loops[0].Buffers.BytesHeld < 256 * 1024);
        client.Close();
        _node.Settle();
    }

    private static string Text(byte[] bytes) => Encoding.ASCII.GetString(bytes);
}

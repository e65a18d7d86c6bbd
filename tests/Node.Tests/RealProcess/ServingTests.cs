using System.Net.Sockets;
using Aerie.Client;
using Aerie.Foundation;
using Aerie.TestKit;
using Xunit;

namespace Aerie.Node.Tests.RealProcess;

/// A node that serves on through what clients and operators do to it.
public sealed class ServingTests(RunningNode running) : IClassFixture<RunningNode>
{
    private NodeProgram Node => running.Program;

    [Fact]
    public void Connections_over_proto_fd_max_are_closed_and_the_others_served()
    {
        const int Clients = RunningNode.ConnectionsMax + 30;
        using var first = RunningNode.Client(Node.Port);
        Assert.True(Eventually.Holds(() => IsAlone(first), RunningNode.Patience), "clients of other tests are still there");
        var sockets = Enumerable.Range(0, Clients).Select(_ => RunningNode.Connect(Node.Port)).ToList();
        Assert.Equal(RunningNode.ConnectionsMax - 1, sockets.Count(RunningNode.IsAnswered));
        Node.WaitForLine("as many as proto-fd-max allows", RunningNode.Patience);
        sockets.ForEach(socket => socket.Dispose());
        Assert.True(Eventually.Holds(CanConnect, RunningNode.Patience));
    }

    [Fact]
    public void A_full_namespace_refuses_writes_until_something_is_deleted_and_reads_and_deletes_go_on()
    {
        const int RecordBytes = 100_000;
        using var client = RunningNode.Client(Node.Port);
        var bytes = new byte[RecordBytes];
        var refused = ResultCode.Ok;
        var written = 0L;
        for (; refused == ResultCode.Ok && written < 1000; written++)
        {
            refused = Put(written);
        }

        Assert.Equal(ResultCode.OutOfSpace, refused);
        Assert.Equal(RecordBytes, client.Get(KeyOf(0))!["b"].AsBytes().Length);
        for (var i = 0L; i < written - 1; i++)
        {
            Assert.True(client.Delete(KeyOf(i)));
        }

        Assert.True(Eventually.Holds(() => Put(0) == ResultCode.Ok, RunningNode.Patience));
        client.Put(new Key("test", "s", 1L), new Bin("a", 1L)); // the other namespace never noticed

        ResultCode Put(long number)
        {
            try
            {
                client.Put(KeyOf(number), new Bin("b", bytes));
                return ResultCode.Ok;
            }
            catch (AerieException failure) when (failure.Kind == FailureKind.Server)
            {
                return failure.Code;
            }
        }

        static Key KeyOf(long number) => new("full", "s", number);
    }

    [Fact]
    public void A_stopped_process_goes_on_where_it_was()
    {
        using var socket = RunningNode.Connect(Node.Port);
        Assert.True(RunningNode.IsAnswered(socket));
        Node.Signal("STOP");
        socket.Send(WireRequest.Exists("none").Bytes());
        Node.Signal("CONT");
        Assert.True(RunningNode.ReadFrame(socket));
        Assert.True(RunningNode.IsAnswered(socket));
    }

    [Fact]
    public void Hostile_clients_disturb_nobody()
    {
        using var client = RunningNode.Client(Node.Port);
        var random = new Random(1);
        for (var i = 0L; i < 300; i++)
        {
            Attack(random);
            var key = new Key("test", "hostile", i);
            client.Put(key, new Bin("n", i));
            Assert.Equal(i, client.Get(key)!["n"].AsLong());
        }

        Assert.True(Eventually.Holds(() => IsAlone(client), RunningNode.Patience));
        Assert.False(Node.HasExited);
    }

    // Random bytes, a header that announces much, half a message, a request whose answer nobody takes; then it vanishes.
    private void Attack(Random random)
    {
        using var socket = RunningNode.Connect(Node.Port);
        var bytes = random.Next(4) switch
        {
            0 => Noise(random),
            1 => [2, 3, 0, 0, 7, 255, 255, 255, 22],
            2 => WireRequest.Put("half", "a", "x").Bytes()[..^3],
            _ => WireRequest.Get("none").Bytes(),
        };
        socket.Send(bytes);
        socket.LingerState = new LingerOption(enable: random.Next(2) == 0, seconds: 0); // a reset instead of an end
    }

    private static byte[] Noise(Random random)
    {
        var bytes = new byte[random.Next(1, 2000)];
        random.NextBytes(bytes);
        return bytes;
    }

    // The node has noticed that those of other tests are gone.
    private static bool IsAlone(AerieClient client) => client.Info("statistics").Contains(";client_connections=1;");

    private bool CanConnect()
    {
        using var socket = RunningNode.Connect(Node.Port);
        return RunningNode.IsAnswered(socket);
    }
}

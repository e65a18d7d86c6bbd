using System.Net;
using System.Net.Sockets;
using Aerie.Client;
using Aerie.Protocol;
using Aerie.TestKit;
using Xunit;

namespace Aerie.Node.Tests.RealProcess;

/// How the process begins and ends: what stops its start, and what signals do.
public sealed class StartAndEndTests
{
    private static readonly string Space = NodeProgram.Namespace("test", "data-size 64M");

    public StartAndEndTests() => RunningNode.NeedsLauncher();

    [Fact]
    public void A_port_in_use_is_one_clear_line_and_an_exit_code()
    {
        using var other = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        var port = NodeProgram.FreePort(RunningNode.FirstPort);
        other.Bind(new IPEndPoint(IPAddress.Loopback, port));
        other.Listen();
        using var node = NodeProgram.Launch(NodeProgram.Configuration(port, Space, level: "warning"), port);
        Assert.Equal(2, node.WaitForExit(RunningNode.Patience));
        var line = Assert.Single(node.Lines);
        Assert.Contains($"cannot listen on 127.0.0.1 port {port}", line);
    }

    [Fact]
    public void All_problems_of_a_configuration_are_told_at_once()
    {
        var port = NodeProgram.FreePort(RunningNode.FirstPort);
        var wrong = NodeProgram.Namespace("test", "data-size lots", "defalt-ttl 7");
        using var node = NodeProgram.Launch(NodeProgram.Configuration(port, wrong, "proto-fd-max many"), port);
        Assert.Equal(1, node.WaitForExit(RunningNode.Patience));
        Assert.Contains(node.Lines, line => line.Contains("proto-fd-max"));
        Assert.Contains(node.Lines, line => line.Contains("defalt-ttl") && line.Contains("default-ttl"));
        Assert.Contains(node.Lines, line => line.Contains("data-size"));
    }

    [Fact]
    public void Too_few_descriptors_for_the_process_itself_stop_the_start()
    {
        var port = NodeProgram.FreePort(RunningNode.FirstPort);
        using var node = NodeProgram.Launch(NodeProgram.Configuration(port, Space, level: "warning"), port, "ulimit -n 200");
        Assert.Equal(2, node.WaitForExit(RunningNode.Patience));
        Assert.Contains("200 open files is too low", Assert.Single(node.Lines));
    }

    [Fact]
    public void A_node_with_few_descriptors_refuses_some_clients_serves_the_others_and_recovers()
    {
        const int Clients = 350;
        var port = NodeProgram.FreePort(RunningNode.FirstPort);
        using var node = NodeProgram.Start(NodeProgram.Configuration(port, Space), port, "ulimit -n 400");
        Assert.Contains(node.Lines, line => line.Contains("fewer than proto-fd-max"));
        var sockets = Enumerable.Range(0, Clients).Select(_ => RunningNode.Connect(port)).ToList();
        var served = sockets.Where(RunningNode.IsAnswered).ToList();
        Assert.InRange(served.Count, 16, 400 - 192);
        node.WaitForLine("as many as the system's limit of open files", RunningNode.Patience);
        Assert.True(RunningNode.IsAnswered(served[0])); // and what it takes to answer was not loaded before

        sockets.ForEach(socket => socket.Dispose());
        Assert.True(Eventually.Holds(
            () =>
            {
                using var later = RunningNode.Connect(port);
                return RunningNode.IsAnswered(later);
            },
            RunningNode.Patience));
        using var client = RunningNode.Client(port);
        Assert.Contains("objects=0", client.Info("statistics"));
    }

    [Fact]
    public void SIGTERM_under_load_cuts_no_answer_short_and_ends_the_process_well()
    {
        const int Clients = 8;
        var port = NodeProgram.FreePort(RunningNode.FirstPort);
        using var node = NodeProgram.Start(NodeProgram.Configuration(port, Space), port);
        var answers = new int[Clients];
        Exception? broken = null;
        var threads = Enumerable.Range(0, Clients).Select(number => new Thread(() => Ask(number))).ToList();
        threads.ForEach(thread => thread.Start());
        Assert.True(Eventually.Holds(() => answers.All(count => Volatile.Read(ref count) > 50), RunningNode.Patience));
        node.Signal("TERM");
        Assert.Equal(0, node.WaitForExit(RunningNode.Patience));
        threads.ForEach(thread => thread.Join());
        Assert.Null(broken);
        Assert.Contains(node.Lines, line => line.Contains("all clients are done"));

        void Ask(int number)
        {
            try
            {
                using var socket = RunningNode.Connect(port);
                while (RunningNode.IsAnswered(socket))
                {
                    Interlocked.Increment(ref answers[number]);
                }
            }
            catch (Exception failure)
            {
                broken = failure;
            }
        }
    }

    [Fact]
    public void A_second_SIGTERM_ends_the_process_at_once()
    {
        var port = NodeProgram.FreePort(RunningNode.FirstPort);
        using var node = NodeProgram.Start(NodeProgram.Configuration(port, Space, "shutdown-grace-ms 600000"), port);
        using (var client = RunningNode.Client(port))
        {
            for (var i = 0L; i < 300; i++)
            {
                client.Put(new Key("test", "s", i), new Bin("b", new byte[100_000]));
            }
        }

        using var reader = RunningNode.Connect(port); // asks for 30 MB and takes none of them
        reader.Send(new WireQuery().Flags(Info3.PartitionDone).Bytes());
        Assert.True(Eventually.Holds(() => reader.Available > 0, RunningNode.Patience));
        node.Signal("TERM");
        node.WaitForLine("draining", RunningNode.Patience);
        Assert.False(node.HasExited);
        node.Signal("TERM");
        Assert.Equal(130, node.WaitForExit(RunningNode.Patience));
    }
}

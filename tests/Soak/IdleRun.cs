using System.Net.Sockets;
using Aerie.Client;
using Aerie.Client.Cluster;
using Aerie.TestKit;

namespace Aerie.Soak;

/// Thousands of connections that do nothing: what one costs, that they take no processor time, and that the node still
/// answers others. Then the same connections with the beginning of a message each.
internal sealed class IdleRun(int port, int connections, string launcher)
{
    private const long BytesMax = 8 * 1024;
    private const double CpuShareMax = 0.01;
    private const int WindowsMax = 12;
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Checks _checks = new();
    private readonly List<Socket> _sockets = [];

    public int Run()
    {
        Console.WriteLine($"idle: {connections} connections, port {port}");
        var space = NodeProgram.Namespace("test", "data-size 64M");
        var configuration = NodeProgram.Configuration(port, space, $"proto-fd-max {connections + 100}\nproto-fd-idle-ms 600000");
        using var node = NodeProgram.Start(configuration, port, launcher: launcher);
        using var client = new AerieClient(new ClientPolicy { SeedsOnly = true }, HostAddress.Parse($"127.0.0.1:{port}"));
        Open(connections / 20, client); // what the first connections bring along is not theirs alone
        CloseAll(client);

        var before = node.ResidentBytes;
        Open(connections, client);
        Judge("idle", node, before);
        Answers(client);
        _sockets.ForEach(socket => socket.Send([2, 3, 0, 0]));
        Judge("half a message", node, before);
        Answers(client);
        CloseAll(client);
        return _checks.Summary();
    }

    private static int Connected(AerieClient client) =>
        (int)InfoText.Number(InfoText.Pairs(client.Info("statistics")), "client_connections");

    // Each has asked one thing and got its answer: whatever a connection makes when first used, it has.
    private void Open(int count, AerieClient client)
    {
        var request = WireRequest.Exists("none").Bytes();
        var reply = new byte[256];
        for (var i = 0; i < count; i++)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            _sockets.Add(socket);
            socket.Connect("127.0.0.1", port);
            socket.Send(request);
            if (socket.Receive(reply) == 0)
            {
                _checks.That(false, $"connection {i} was closed");
            }
        }

        var open = Connected(client);
        _checks.That(open == count + 1, $"{open} connections are open: {count} and ours");
    }

    private void CloseAll(AerieClient client)
    {
        _sockets.ForEach(socket => socket.Dispose());
        _sockets.Clear();
        _checks.That(Eventually.Holds(() => Connected(client) == 1, Patience), $"closed: {Connected(client)} connection is left");
    }

    private void Judge(string what, NodeProgram node, long before)
    {
        var shares = new List<double> { ShareOfCore(node) };
        while (shares[^1] > CpuShareMax && shares.Count < WindowsMax)
        {
            shares.Add(ShareOfCore(node)); // the runtime compiles for a while what the connections have just made hot
        }

        var each = (node.ResidentBytes - before) / _sockets.Count;
        var course = string.Join(", ", shares.Select(share => $"{share * 100:0.00}"));
        _checks.That(each <= BytesMax, $"{what}: {each} B of RSS per connection, at most {BytesMax}");
        _checks.That(
            shares[^1] <= CpuShareMax,
            $"{what}: {course} % of a core in turns of {Window.TotalSeconds:0} s, at most {CpuShareMax * 100:0} % in the last");
    }

    private static double ShareOfCore(NodeProgram node)
    {
        using var never = new ManualResetEventSlim();
        var cpu = node.ProcessorTime;
        never.Wait(Window);
        return (node.ProcessorTime - cpu) / Window;
    }

    private void Answers(AerieClient client)
    {
        var key = new Key("test", "set", 1L);
        client.Put(key, new Bin("a", 1L));
        _checks.That(client.Get(key)?["a"].AsLong() == 1, "the node still answers");
    }
}

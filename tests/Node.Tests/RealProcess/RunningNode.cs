using System.Net.Sockets;
using Aerie.Client;
using Aerie.Client.Cluster;
using Aerie.TestKit;
using Xunit;

namespace Aerie.Node.Tests.RealProcess;

/// One node process for the tests that leave it serving.
public sealed class RunningNode : IDisposable
{
    public const int ConnectionsMax = 60;
    public const int FirstPort = 27_300;

    /// Other programs share the machine: what hangs is told, what is slow is not.
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly NodeProgram? _program;

    public RunningNode()
    {
        if (NodeProgram.Launcher is not null)
        {
            var port = NodeProgram.FreePort(FirstPort);
            var spaces = NodeProgram.Namespace("test", "data-size 64M") + "\n" + NodeProgram.Namespace("full", "data-size 64M");
            _program = NodeProgram.Start(NodeProgram.Configuration(port, spaces, $"proto-fd-max {ConnectionsMax}"), port);
        }
    }

    internal NodeProgram Program
    {
        get
        {
            NeedsLauncher();
            return _program!;
        }
    }

    public static void NeedsLauncher() =>
        Assert.SkipWhen(NodeProgram.Launcher is null, "there is no bin/aerie-node: run 'make build'");

    public static AerieClient Client(int port) =>
        new(new ClientPolicy { SeedsOnly = true, ConnectTimeout = Patience }, HostAddress.Parse($"127.0.0.1:{port}"));

    public static Socket Connect(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
        {
            NoDelay = true,
            ReceiveTimeout = (int)Patience.TotalMilliseconds,
        };
        socket.Connect("127.0.0.1", port);
        return socket;
    }

    /// Whether a request is answered with one whole message; false when the connection is closed instead.
    public static bool IsAnswered(Socket socket)
    {
        try
        {
            socket.Send(WireRequest.Exists("none").Bytes());
            return ReadFrame(socket);
        }
        catch (SocketException closed) when (closed.SocketErrorCode is SocketError.ConnectionReset or SocketError.Shutdown)
        {
            return false;
        }
    }

    /// False: the peer has closed between two messages. Closed within one is an error.
    public static bool ReadFrame(Socket socket) => TryReadFrame(socket, out _);

    /// One whole message with its header.
    public static bool TryReadFrame(Socket socket, out byte[] frame)
    {
        var header = frame = new byte[8];
        if (!Fill(socket, header, isStart: true))
        {
            return false;
        }

        var body = new byte[(header[5] << 16) | (header[6] << 8) | header[7]];
        var isWhole = Fill(socket, body, isStart: false);
        frame = [.. header, .. body];
        return isWhole;
    }

    public void Dispose() => _program?.Dispose();

    private static bool Fill(Socket socket, byte[] bytes, bool isStart)
    {
        for (var filled = 0; filled < bytes.Length;)
        {
            var read = socket.Receive(bytes, filled, bytes.Length - filled, SocketFlags.None);
            if (read == 0)
            {
                Assert.True(isStart && filled == 0, $"the connection was closed after {filled} of {bytes.Length} bytes");
                return false;
            }

            filled += read;
        }

        return true;
    }
}

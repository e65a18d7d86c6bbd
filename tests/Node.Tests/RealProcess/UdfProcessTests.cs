using System.Globalization;
using System.Net.Sockets;
using Aerie.Client.Cluster;
using Aerie.Foundation;
using Aerie.Node.Tests.Transactions.Udfs;
using Aerie.Protocol;
using Aerie.TestKit;
using Xunit;

namespace Aerie.Node.Tests.RealProcess;

/// Functions that want all the time or all the memory of a real process with real threads.
public sealed class UdfProcessTests : IDisposable
{
    private const int FirstPort = 28_200;
    private const int Modules = 1_000;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("aerie-udf");
    private readonly List<Socket> _sockets = [];
    private NodeProgram? _node;

    /// Each takes as long as its client waits, whatever it calls.
    private static readonly string[] Endless =
    [
        "while true do end",
        "while true do pcall(function() while true do end end) end",
        "coroutine.wrap(function() while true do end end)()",
        "local f; f = function() while true do pcall(coroutine.wrap(f)) end end f()",
        "while true do string.find(string.rep('a', 20000), '.-b') end",
        "while true do pcall(string.find, string.rep('a', 400), string.rep('.-', 6) .. 'b') end",
        "table.sort({3, 2, 1}, function() while true do end end)",
        "string.gsub('abc', '%w', function() while true do end end)",
    ];

    private static readonly string[] Greedy =
    [
        "local x = string.rep('x', 1 << 40); return x",
        "local s = 'x'; while true do s = s .. s end",
        "local t = {}; for i = 1, math.huge do t[i] = {i} end",
        "local l = list(); for i = 1, math.huge do l[i] = string.rep('x', 1000) end",
        "local t = {}; while true do t[#t + 1] = bytes(1 << 20) end",
        "local m = map(); for i = 1, math.huge do m[i] = string.rep('x', 1000) end",
    ];

    public UdfProcessTests() => RunningNode.NeedsLauncher();

    [Fact]
    public void Endless_functions_are_ended_in_time_and_others_are_served_meanwhile()
    {
        const uint Milliseconds = 3_000;
        Start(Endless);
        var other = Connect();
        Assert.Equal(ResultCode.Ok, Ask(other, WireRequest.Put("k", "a", "x")).Result);
        var endless = Enumerable.Range(0, Endless.Length).Select(_ => Connect()).ToList();
        for (var i = 0; i < Endless.Length; i++)
        {
            endless[i].Send(UdfHarness.Call($"k{i}", $"f{i}").Timeout(Milliseconds).Bytes());
        }

        for (var i = 0; i < 8; i++) // connections are spread over the loops
        {
            var client = Connect();
            Assert.Equal("x", Ask(client, WireRequest.Get("k"))["a"].Text);
            Assert.Equal(ResultCode.Ok, Ask(client, WireRequest.Put("k", "a", "x")).Result);
            Assert.Equal(1, Ask(client, UdfHarness.Call("k", "one"))["SUCCESS"].Number);
        }

        Assert.All(endless, socket => Assert.Equal(0, socket.Available));
        Assert.Equal(
            Enumerable.Range(0, Endless.Length).Select(i => $"m.lua:{i + 1}: UDF Execution Timeout"),
            endless.Select(socket => UdfHarness.Failure(Read(socket))));
    }

    [Fact]
    public void Memory_that_functions_have_taken_is_given_back()
    {
        const int Rounds = 3;
        const long BytesMax = 48 << 20;
        Start(Greedy);
        var clients = Enumerable.Range(0, 2).Select(_ => Connect()).ToList();
        clients.ForEach(TakeAll); // what the first ones bring along is not theirs alone
        var before = _node!.ResidentBytes;
        for (var round = 0; round < Rounds; round++)
        {
            clients.ForEach(TakeAll);
        }

        Assert.True(
            Eventually.Holds(() => _node.ResidentBytes < before + BytesMax, RunningNode.Patience),
            $"{before >> 20} MiB before, {_node.ResidentBytes >> 20} MiB after");
    }

    [Fact]
    public void A_node_with_many_modules_starts_and_pays_for_those_that_are_called()
    {
        const long BytesMax = 100 << 20;
        for (var i = 0; i < Modules; i++)
        {
            File.WriteAllText(Path.Combine(_folder.FullName, $"m{i}.lua"), $"function f(rec) if rec.x then error('x') end return {i} end");
        }

        Start([]);
        Assert.Equal(Modules + 1, Info("udf-list").Count(c => c == ';'));
        var client = Connect();
        Assert.Equal(0, Ask(client, UdfHarness.CallIn("m0", "k", "f"))["SUCCESS"].Number);
        var before = _node!.ResidentBytes;
        for (var i = 0; i < Modules; i += 7)
        {
            Assert.Equal(i, Ask(client, UdfHarness.CallIn($"m{i}", "k", "f"))["SUCCESS"].Number);
        }

        Assert.True(_node.ResidentBytes < before + BytesMax, $"{before >> 20} MiB before, {_node.ResidentBytes >> 20} MiB after");
        Assert.Equal("ok", Info("udf-remove:filename=m7.lua;"));
        Assert.Equal("module 'm7' not found", UdfHarness.Failure(Ask(client, UdfHarness.CallIn("m7", "k", "f"))));
    }

    public void Dispose()
    {
        _sockets.ForEach(socket => socket.Dispose());
        _node?.Dispose();
        _folder.Delete(recursive: true);
    }

    private void TakeAll(Socket client)
    {
        for (var i = 0; i < Greedy.Length; i++)
        {
            var failure = UdfHarness.Failure(Ask(client, UdfHarness.Call("k", $"f{i}")));
            Assert.Matches($"^m.lua:{i + 1}: (not enough memory|resulting string too large)$", failure);
        }
    }

    // The bodies as f0, f1 … of the module m, each on a line of its own, and a function that only answers.
    private void Start(string[] bodies)
    {
        var port = NodeProgram.FreePort(FirstPort);
        var module = bodies.Select((body, number) => $"function f{number}(rec) {body} end\n").Append("function one(rec) return 1 end\n");
        File.WriteAllText(Path.Combine(_folder.FullName, "m.lua"), string.Concat(module));
        var spaces = NodeProgram.Namespace("test", "data-size 64M") + $"\nmod-lua {{\n user-path {_folder.FullName}\n}}";
        _node = NodeProgram.Start(NodeProgram.Configuration(port, spaces, "service-threads 2"), port);
    }

    private Socket Connect()
    {
        var socket = RunningNode.Connect(_node!.Port);
        _sockets.Add(socket);
        return socket;
    }

    private string Info(string command)
    {
        var host = HostAddress.Parse(string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{_node!.Port}"));
        return ClusterNode.Ask(host, RunningNode.Patience, command).Single().Value;
    }

    private static WireReply Ask(Socket socket, WireRequest request)
    {
        socket.Send(request.Timeout((uint)RunningNode.Patience.TotalMilliseconds).Bytes());
        return Read(socket);
    }

    private static WireReply Read(Socket socket)
    {
        var header = Fill(socket, new byte[ProtoHeader.Length]);
        var body = Fill(socket, new byte[(int)ProtoHeader.Read(header).BodyLength]);
        return WireReply.Read([.. header, .. body]);
    }

    private static byte[] Fill(Socket socket, byte[] bytes)
    {
        for (var filled = 0; filled < bytes.Length;)
        {
            var read = socket.Receive(bytes, filled, bytes.Length - filled, SocketFlags.None);
            Assert.NotEqual(0, read);
            filled += read;
        }

        return bytes;
    }
}

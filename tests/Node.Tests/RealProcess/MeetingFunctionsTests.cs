using System.Globalization;
using System.Text;
using Aerie.Client.Cluster;
using Aerie.Foundation;
using Aerie.Node.Tests.Transactions.Udfs;
using Aerie.TestKit;
using Xunit;

namespace Aerie.Node.Tests.RealProcess;

/// Functions on real threads that meet on few records: what the simulated node, one thread, cannot show.
public sealed class MeetingFunctionsTests
{
    private const int FirstPort = 27_900;
    private const int Clients = 8;
    private const int RoundsPerClient = 300;
    private const int RowsPerBatch = 12;
    private const int Records = 3;

    private const string Module = """
        function add(rec, n)
          rec['n'] = (rec['n'] or 0) + n
          if aerospike:exists(rec) then aerospike:update(rec) else aerospike:create(rec) end
          return rec['n']
        end
        """;

    private static readonly byte[] One = [0x91, 1];

    [Fact, Evidence("UDF-REC-03")]
    public async Task Calls_that_meet_on_a_record_alone_and_in_batches_are_all_answered_and_count()
    {
        RunningNode.NeedsLauncher();
        var folder = Directory.CreateTempSubdirectory("aerie-udf");
        var port = NodeProgram.FreePort(FirstPort);
        var configuration = NodeProgram.Configuration(port, NodeProgram.Namespace("test", "data-size 64M"), "service-threads 2")
            + $"\nmod-lua {{\n user-path {folder.FullName}\n}}\n";
        using (NodeProgram.Start(configuration, port))
        {
            var content = Convert.ToBase64String(Encoding.UTF8.GetBytes(Module));
            ClusterNode.Ask(
                HostAddress.Parse(string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}")),
                RunningNode.Patience,
                $"udf-put:filename=m.lua;content={content};content-len={content.Length};udf-type=LUA;");
            var clients = Enumerable.Range(0, Clients).Select(number => Task.Run(() => Run(port, number))).ToArray();
            var results = (await Task.WhenAll(clients)).SelectMany(each => each).GroupBy(result => result).ToDictionary(
                group => group.Key, group => group.Count());
            Assert.Equal([ResultCode.Ok], results.Keys);
            Assert.Equal(results[ResultCode.Ok], Sum(port));
        }

        folder.Delete(recursive: true);
    }

    // Batches and single calls in turn, one at a time. The result of every call.
    private static List<ResultCode> Run(int port, int number)
    {
        using var socket = RunningNode.Connect(port);
        var results = new List<ResultCode>();
        for (var round = 0; round < RoundsPerClient; round++)
        {
            if ((round + number) % 2 == 0)
            {
                socket.Send(UdfHarness.Call(KeyOf(round), "add", One).Timeout(30_000).Bytes());
                results.AddRange(Receive(socket).Select(reply => reply.Result));
                continue;
            }

            var batch = new WireBatch { Timeout = 30_000 };
            for (var row = 0; row < RowsPerBatch; row++)
            {
                batch.Call(KeyOf(row + round), "m", "add", One);
            }

            socket.Send(batch.Bytes());
            var replies = new List<WireReply>();
            while (replies.Count <= RowsPerBatch && (replies.Count == 0 || replies[^1].Result == ResultCode.Ok))
            {
                replies.AddRange(Receive(socket));
            }

            results.AddRange(replies.Take(RowsPerBatch).Select(reply => reply.Result));
        }

        return results;
    }

    private static IReadOnlyList<WireReply> Receive(System.Net.Sockets.Socket socket)
    {
        Assert.True(RunningNode.TryReadFrame(socket, out var frame));
        return WireReply.ReadAll(frame);
    }

    private static long Sum(int port)
    {
        using var socket = RunningNode.Connect(port);
        var sum = 0L;
        for (var i = 0; i < Records; i++)
        {
            socket.Send(WireRequest.Get(KeyOf(i)).Bytes());
            sum += Receive(socket).Single()["n"].Number;
        }

        return sum;
    }

    private static string KeyOf(int number) => $"k{number % Records}";
}

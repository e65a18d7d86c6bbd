using Aerie.Foundation;
using Aerie.Server;
using Aerie.Server.Config;
using Aerie.Server.Info;
using Aerie.Server.Records;
using Aerie.Server.Service;
using Aerie.Storage;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Aerie.TestKit;

/// A whole node in the simulated world: exact bytes in and out, time under the test's control, no threads. The test sends,
/// steps the node until it rests, and reads.
public sealed class NodeUnderTest : IDisposable
{
    public const int Port = 3000;

    private const string LoopsPlaceholder = "# loops";
    private const int RestfulTurns = 3;
    private const int TurnsMax = 1_000_000;

    public NodeUnderTest(
        string? configuration = null,
        int loops = 1,
        ILoggerFactory? logs = null,
        Func<NodeUnderTest, Node, IInfoAnswers>? info = null,
        Func<NamespaceOptions, LastUpdateClock, NamespaceStorage>? storage = null)
    {
        var text = configuration ?? Configuration();
        text = text.Replace(LoopsPlaceholder, $"service-threads {loops}", StringComparison.Ordinal);
        var table = ParameterTable.Load();
        var report = ConfigCheck.Run(
            text, ConfigKind.Conf, "test.conf", table, new Dictionary<string, string>(StringComparer.Ordinal),
            new MachineFacts(loops, null));
        Invariant.Holds(!report.HasProblems, string.Join('\n', report.Lines()));
        Config = new ConfigStore(table, report);
        Clock = new FakeClock { UnixMilliseconds = 1_800_000_000_000 };
        var log = logs ?? NullLoggerFactory.Instance;
        Node = new Node(Config, Clock, () => new SimulatedEngine(Network), log, node => info?.Invoke(this, node) ?? new NoInfo(),
            storage: storage);
        Node.Listen();
    }

    public ConfigStore Config { get; }

    public FakeClock Clock { get; }

    public SimulatedNetwork Network { get; } = new();

    public Node Node { get; }

    /// A configuration with one in-memory namespace `test`; extra lines go into the namespace.
    public static string Configuration(string namespaceLines = "", string storageLines = "data-size 128M") => $$"""
        service {
            {{LoopsPlaceholder}}
        }
        network {
            service {
                port {{Port}}
            }
        }
        mod-lua {
            user-path /nonexistent/aerie-udf
        }
        namespace test {
            nsup-period 10
            {{namespaceLines}}
            storage-engine memory {
                {{storageLines}}
            }
        }
        """;

    public SimulatedPeer Connect(int port = Port) => Network.Connect(port);

    /// Runs turns until nothing happens any more.
    public void Settle()
    {
        var before = Activity();
        for (var quiet = 0; quiet < RestfulTurns;)
        {
            Turn();
            var after = Activity();
            quiet = after == before ? quiet + 1 : 0;
            before = after;
        }
    }

    public void Turn()
    {
        for (var i = 0; i < Node.Loops.Count; i++) // an enumerator would be an allocation: budgets are measured around this
        {
            Node.Loops[i].Turn(0);
        }

        for (var i = 0; i < Node.Flushers.Count; i++)
        {
            Node.Flushers[i].Step();
        }
    }

    public void RunUntil(Func<bool> condition)
    {
        for (var turn = 0; !condition(); turn++)
        {
            Invariant.Holds(turn < TurnsMax);
            Turn();
        }
    }

    /// Sends one request and returns everything that comes back until the node rests.
    public byte[] Ask(SimulatedPeer peer, ReadOnlySpan<byte> request)
    {
        peer.Send(request);
        Settle();
        return peer.ReadAll();
    }

    public void Dispose()
    {
        Node.Dispose();
        foreach (var loop in Node.Loops)
        {
            Invariant.Holds(loop.Buffers.Outstanding == 0); // whatever a test did, no buffer may be lost
        }
    }

    private (long, long, long, long, int, long) Activity() => (
        Node.Loops.Sum(loop => loop.IoCounters.BytesReceived),
        Node.Loops.Sum(loop => loop.IoCounters.BytesSent),
        Node.Loops.Sum(loop => loop.IoCounters.Reads + loop.IoCounters.BytesRead),
        Node.Loops.Sum(loop => loop.IoCounters.Closed),
        Node.Loops.Sum(loop => loop.OpenConnections),
        Node.Flushers.Sum(flusher => flusher.Rounds));

    private sealed class NoInfo : IInfoAnswers
    {
        public void Answer(ReadOnlySpan<byte> request, PortKind port, System.Buffers.IBufferWriter<byte> reply)
        {
        }
    }
}

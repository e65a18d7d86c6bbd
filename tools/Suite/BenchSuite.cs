using System.Globalization;
using Aerie.Client;
using Aerie.Client.Cluster;
using Aerie.Tools.Bench;

namespace Aerie.Tools.Suite;

/// Starts floor and node, loads both, and measures each work on one after the other, several times. Absolute times on a
/// shared machine mean little; the ratio of two servers measured a few seconds apart means much.
internal sealed class BenchSuite(SuiteOptions options, TextWriter progress) : IDisposable
{
    private readonly List<ServerProcess> _servers = [];

    private int FloorPort => options.FirstPort;

    private int NodePort => options.FirstPort + 1;

    public SuiteReport Run()
    {
        if (options.Complaint() is { } complaint)
        {
            throw new BenchException(complaint);
        }

        Directory.CreateDirectory(options.Folder);
        var floor = StartFloor();
        var node = StartNode();
        var memoryEmpty = ServerCpu.MemoryOf(node.Pid);
        Load();
        var memoryPerRecord = (double)(ServerCpu.MemoryOf(node.Pid) - memoryEmpty) / options.Keys;
        var rows = options.Works.Select(work => Measure(work, floor, node)).ToList();
        return new SuiteReport(rows, memoryPerRecord, PerRecord("index_used_bytes"), PerRecord("data_used_bytes"));
    }

    public void Dispose() => _servers.ForEach(server => server.Dispose());

    private ServerProcess StartFloor()
    {
        string[] arguments =
            ["--port", $"{FloorPort}", "--value-size", $"{SuiteOptions.ValueSize}", "--records", $"{options.Keys}", "--threads", "1"];
        return Start("floor", options.FloorBin, arguments, FloorPort);
    }

    private ServerProcess StartNode()
    {
        const long FourGigabytes = 4L << 30;
        var file = Path.Combine(options.Folder, "bench.conf");
        File.WriteAllText(file, NodeConfig.Text(NodePort, FourGigabytes));
        return Start("node", options.NodeBin, ["--config-file", Path.GetFullPath(file)], NodePort);
    }

    private ServerProcess Start(string name, string file, IEnumerable<string> arguments, int port)
    {
        progress.WriteLine($"starting {name} on port {port}");
        var server = ServerProcess.Start(name, file, arguments, port, Path.Combine(options.Folder, $"bench-{name}.log"));
        _servers.Add(server);
        return server;
    }

    private void Load()
    {
        progress.WriteLine($"loading {options.Keys:N0} records of {SuiteOptions.ValueSize} bytes");
        var result = new LoadRun(Common(NodePort, null) with { Workload = Workload.Insert, Pipeline = 8 }).Execute();
        if (result.Errors > 0 || result.Operations != options.Keys)
        {
            throw new BenchException($"loading failed: {result.Operations} of {options.Keys} records, first error: {result.FirstError}");
        }
    }

    private SuiteRow Measure(string work, ServerProcess floor, ServerProcess node)
    {
        var floors = new List<BenchResult>();
        var nodes = new List<BenchResult>();
        var allocated = new List<double?>();
        for (var round = 1; round <= options.Rounds; round++)
        {
            floors.Add(new LoadRun(OptionsOf(work, FloorPort, floor.Pid)).Execute());
            var before = Allocated();
            var result = new LoadRun(OptionsOf(work, NodePort, node.Pid)).Execute();
            nodes.Add(result);
            allocated.Add((Allocated() - before - BytesOfAsking()) / AllOperations(result));
            progress.WriteLine(
                $"{work} {round}/{options.Rounds}: floor {floors[^1].Server!.CpuMicroseconds:F2} µs,"
                + $" node {result.Server!.CpuMicroseconds:F2} µs,"
                + $" {result.OperationsPerSecond:N0} ops/s, {result.Errors} errors {result.FirstError}");
        }

        return Row(work, floors, nodes, allocated);
    }

    private static SuiteRow Row(string work, List<BenchResult> floors, List<BenchResult> nodes, List<double?> allocated)
    {
        var nodeCpu = Median(nodes, result => result.Server!.CpuMicroseconds);
        var floorCpu = Median(floors, result => result.Server!.CpuMicroseconds);
        return new SuiteRow
        {
            Work = work,
            NodeCpuUs = nodeCpu,
            NodeUserUs = Median(nodes, result => result.Server!.UserMicroseconds),
            NodeSystemUs = Median(nodes, result => result.Server!.SystemMicroseconds),
            FloorCpuUs = floorCpu,
            FloorUserUs = Median(floors, result => result.Server!.UserMicroseconds),
            Ratio = nodeCpu / floorCpu,
            AllocBytesPerOp = allocated.Contains(null) ? null : allocated.Order().ElementAt(allocated.Count / 2),
            NodeOpsPerSecond = Median(nodes, result => result.OperationsPerSecond),
            FloorOpsPerSecond = Median(floors, result => result.OperationsPerSecond),
            P50Us = Median(nodes, result => result.LatencyMicroseconds["p50"]),
            P99Us = Median(nodes, result => result.LatencyMicroseconds["p99"]),
            P999Us = Median(nodes, result => result.LatencyMicroseconds["p99.9"]),
            FloorP50Us = Median(floors, result => result.LatencyMicroseconds["p50"]),
            FloorP99Us = Median(floors, result => result.LatencyMicroseconds["p99"]),
            Errors = nodes.Sum(result => result.Errors) + floors.Sum(result => result.Errors),
        };
    }

    private BenchOptions Common(int port, int? pid) => new()
    {
        Host = new HostAddress("127.0.0.1", port),
        Keys = options.Keys,
        ValueSize = SuiteOptions.ValueSize,
        Connections = SuiteOptions.Connections,
        Duration = BenchOptions.Seconds(options.Seconds),
        Warmup = TimeSpan.FromSeconds(SuiteOptions.WarmupSeconds),
        Pid = pid,
    };

    private BenchOptions OptionsOf(string work, int port, int pid)
    {
        var common = Common(port, pid) with { Workload = Enum.Parse<Workload>(work, ignoreCase: true) };
        return work switch
        {
            "batch" => common with { Connections = SuiteOptions.BatchConnections },
            "scan" => common with { Connections = SuiteOptions.ScanConnections },
            "single" => common with { Connections = 1 },
            _ => common,
        };
    }

    // The node allocates while warming up as well, so what it allocated is divided by all it did.
    private double AllOperations(BenchResult result) =>
        Math.Max(1, result.Operations * (options.Seconds + SuiteOptions.WarmupSeconds) / options.Seconds);

    /// Bytes that the node's managed heap has handed out so far; null when the node does not say.
    private double? Allocated() => Number(Ask("aerie-stats"), "gc_allocated_bytes");

    /// What asking costs itself: of two questions one after the other, the second sees the answer to the first.
    private double? BytesOfAsking()
    {
        var before = Allocated();
        return Allocated() - before;
    }

    private double? PerRecord(string key) => Number(Ask("namespace/test"), key) / options.Keys;

    private string Ask(string command)
    {
        try
        {
            var answers = ClusterNode.Ask(new HostAddress("127.0.0.1", NodePort), TimeSpan.FromSeconds(5), command);
            return answers.Count > 0 ? answers[0].Value : string.Empty;
        }
        catch (AerieException failure)
        {
            throw new BenchException($"the node does not answer \"{command}\": {failure.Message}");
        }
    }

    private static double? Number(string statistics, string key)
    {
        foreach (var item in statistics.Split(';'))
        {
            if (item.StartsWith(key + "=", StringComparison.Ordinal)
                && double.TryParse(item.AsSpan(key.Length + 1), CultureInfo.InvariantCulture, out var number))
            {
                return number;
            }
        }

        return null;
    }

    private static double Median(List<BenchResult> results, Func<BenchResult, double> figure) =>
        results.Select(figure).Order().ElementAt(results.Count / 2);
}

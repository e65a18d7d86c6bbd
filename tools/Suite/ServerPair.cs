using System.Globalization;
using Aerie.Client;
using Aerie.Client.Cluster;
using Aerie.Tools.Bench;

namespace Aerie.Tools.Suite;

/// A floor and a node with the same records, both up, measured in turn. Ends what it started.
internal sealed class ServerPair : IDisposable
{
    private readonly SuiteOptions _options;
    private readonly PairPlan _plan;
    private readonly TextWriter _progress;
    private readonly ServerProcess _floor;
    private readonly ServerProcess _node;
    private readonly long _memoryEmpty;
    private long _memoryFilled;

    public ServerPair(SuiteOptions options, PairPlan plan, TextWriter progress)
    {
        _options = options;
        _plan = plan;
        _progress = progress;
        _floor = StartFloor();
        try
        {
            _node = StartNode();
        }
        catch
        {
            _floor.Dispose();
            throw;
        }

        _memoryEmpty = ServerCpu.MemoryOf(_node.Pid);
    }

    private int FloorPort => _options.FirstPort;

    private int NodePort => _options.FirstPort + 1;

    public void Load()
    {
        _progress.WriteLine($"loading {_plan.Keys:N0} records of {_plan.ValueSize} bytes");
        var result = new LoadRun(Common(NodePort, null) with { Workload = Workload.Insert, Connections = 64, Pipeline = 8 }).Execute();
        if (result.Errors > 0 || result.Operations != _plan.Keys)
        {
            throw new BenchException($"loading failed: {result.Operations} of {_plan.Keys} records, first error: {result.FirstError}");
        }

        _memoryFilled = ServerCpu.MemoryOf(_node.Pid);
    }

    public SuiteRow Measure(SuiteWork work)
    {
        var floors = new List<BenchResult>();
        var nodes = new List<BenchResult>();
        var costs = new List<NodeCost>();
        for (var round = 1; round <= _options.Rounds; round++)
        {
            floors.Add(new LoadRun(OptionsOf(work, FloorPort, _floor.Pid)).Execute());
            var before = CostSoFar();
            var result = new LoadRun(OptionsOf(work, NodePort, _node.Pid)).Execute();
            nodes.Add(result);
            costs.Add((CostSoFar() - before - CostOfAsking()) / AllOperations(result));
            _progress.WriteLine(
                $"{work.Name} {round}/{_options.Rounds}: floor {floors[^1].Server!.CpuMicroseconds:F2} µs,"
                + $" node {result.Server!.CpuMicroseconds:F2} µs,"
                + $" {result.OperationsPerSecond:N0} ops/s, {result.Errors} errors {result.FirstError}");
        }

        return Row(work, floors, nodes, costs);
    }

    public string MemoryPerRecord()
    {
        var process = (double)(_memoryFilled - _memoryEmpty) / _plan.Keys;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"memory per record: process {process:F0} B, index {PerRecord("index_used_bytes"):F1} B,"
            + $" data {PerRecord("data_used_bytes"):F1} B");
    }

    /// How far the device works were about the device.
    public string DeviceUse()
    {
        var data = Number(Ask("namespace/test"), "data_used_bytes") / (1 << 20);
        var group = _plan.MemoryGroup is { } limited
            ? $"at most {limited.Peak >> 20} MB in its memory cgroup of {_options.MemoryMegabytes} MB"
            : "no memory limit (--memory-cgroup), nothing read through the page cache";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"device works: {data:F0} MB of records, {PerRecord("data_used_bytes"):F0} B each; process"
            + $" {ServerCpu.MemoryOf(_node.Pid) >> 20} MB; {group}; floor: {_plan.FloorThreads} threads that wait in pread");
    }

    public void Dispose()
    {
        _node.Dispose();
        _floor.Dispose();
    }

    private ServerProcess StartFloor()
    {
        string[] arguments =
        [
            "--port", $"{FloorPort}", "--value-size", $"{_plan.ValueSize}", "--records", $"{_plan.Keys}",
            "--threads", $"{_plan.FloorThreads}",
        ];
        return Start("floor", _options.FloorBin, _plan.FloorFile is { } file ? [.. arguments, "--file", file] : arguments, FloorPort);
    }

    private ServerProcess StartNode()
    {
        var file = Path.Combine(_options.Folder, $"bench-{_plan.Name}node.conf");
        File.WriteAllText(file, _plan.NodeConfiguration);
        return Start("node", _options.NodeBin, ["--config-file", Path.GetFullPath(file)], NodePort, _plan.MemoryGroup);
    }

    private ServerProcess Start(string name, string file, IEnumerable<string> arguments, int port, MemoryGroup? group = null)
    {
        _progress.WriteLine($"starting {_plan.Name}{name} on port {port}");
        var log = Path.Combine(_options.Folder, $"bench-{_plan.Name}{name}.log");
        return ServerProcess.Start(name, file, arguments, port, log, group is null ? null : group.Take);
    }

    private SuiteRow Row(SuiteWork work, List<BenchResult> floors, List<BenchResult> nodes, List<NodeCost> costs)
    {
        var nodeCpu = Median(nodes, result => result.Server!.CpuMicroseconds);
        var floorCpu = Median(floors, result => result.Server!.CpuMicroseconds);
        return new SuiteRow
        {
            Work = work.Name,
            NodeCpuUs = nodeCpu,
            NodeUserUs = Median(nodes, result => result.Server!.UserMicroseconds),
            NodeSystemUs = Median(nodes, result => result.Server!.SystemMicroseconds),
            FloorCpuUs = floorCpu,
            FloorUserUs = Median(floors, result => result.Server!.UserMicroseconds),
            Ratio = nodeCpu / floorCpu,
            AllocBytesPerOp = Median(costs, cost => cost.AllocatedBytes),
            DeviceReadsPerOp = _plan.IsOnDevice ? Median(costs, cost => cost.DeviceReads) : null,
            NodeOpsPerSecond = Median(nodes, result => result.OperationsPerSecond),
            FloorOpsPerSecond = Median(floors, result => result.OperationsPerSecond),
            P50Us = Median(nodes, result => result.LatencyMicroseconds["p50"]),
            P99Us = Median(nodes, result => result.LatencyMicroseconds["p99"]),
            P999Us = Median(nodes, result => result.LatencyMicroseconds["p99.9"]),
            FloorP50Us = Median(floors, result => result.LatencyMicroseconds["p50"]),
            FloorP99Us = Median(floors, result => result.LatencyMicroseconds["p99"]),
            FloorP999Us = Median(floors, result => result.LatencyMicroseconds["p99.9"]),
            Errors = nodes.Sum(result => result.Errors) + floors.Sum(result => result.Errors),
        };
    }

    private BenchOptions Common(int port, int? pid) => new()
    {
        Host = new HostAddress("127.0.0.1", port),
        Keys = _plan.Keys,
        ValueSize = _plan.ValueSize,
        Duration = BenchOptions.Seconds(_options.Seconds),
        Warmup = TimeSpan.FromSeconds(SuiteOptions.WarmupSeconds),
        Pid = pid,
    };

    private BenchOptions OptionsOf(SuiteWork work, int port, int pid) =>
        Common(port, pid) with { Workload = work.Workload, Connections = work.Connections };

    // The node allocates and reads while warming up as well, so what it did is divided by all it answered.
    private double AllOperations(BenchResult result) =>
        Math.Max(1, result.Operations * (_options.Seconds + SuiteOptions.WarmupSeconds) / _options.Seconds);

    /// What the node says that it has done so far; null where it does not say.
    private NodeCost CostSoFar() => new(
        Number(Ask("aerie-stats"), "gc_allocated_bytes"),
        _plan.IsOnDevice ? Number(Ask("namespace/test"), "device_reads") : null);

    /// What asking costs itself: of two questions one after the other, the second sees the answer to the first.
    private NodeCost CostOfAsking()
    {
        var before = CostSoFar();
        return CostSoFar() - before;
    }

    private double? PerRecord(string key) => Number(Ask("namespace/test"), key) / _plan.Keys;

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

    private static double? Median(List<NodeCost> costs, Func<NodeCost, double?> figure)
    {
        var figures = costs.Select(figure).ToList();
        return figures.Contains(null) ? null : figures.Order().ElementAt(figures.Count / 2);
    }

    /// Null: the node does not say.
    private readonly record struct NodeCost(double? AllocatedBytes, double? DeviceReads)
    {
        public static NodeCost operator -(NodeCost later, NodeCost earlier) =>
            new(later.AllocatedBytes - earlier.AllocatedBytes, later.DeviceReads - earlier.DeviceReads);

        public static NodeCost operator /(NodeCost cost, double operations) =>
            new(cost.AllocatedBytes / operations, cost.DeviceReads / operations);
    }
}

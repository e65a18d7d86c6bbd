using System.Globalization;
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
    private readonly MeasuredNode _node;
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
            _node = new MeasuredNode(options, plan.Name, plan.NodeConfiguration, progress, plan.MemoryGroup);
        }
        catch
        {
            _floor.Dispose();
            throw;
        }

        _memoryEmpty = ServerCpu.MemoryOf(_node.Pid);
    }

    private HostAddress FloorHost => new("127.0.0.1", _options.FirstPort);

    public void Load()
    {
        _node.Load(_node.Common with { Keys = _plan.Keys, ValueSize = _plan.ValueSize });
        _memoryFilled = ServerCpu.MemoryOf(_node.Pid);
    }

    public SuiteRow Measure(SuiteWork work)
    {
        var (floors, nodes) = (new Rounds(), new Rounds());
        var options = _node.Common with
        {
            Keys = _plan.Keys,
            ValueSize = _plan.ValueSize,
            Workload = work.Workload,
            Connections = work.Connections,
        };
        for (var round = 1; round <= _options.Rounds; round++)
        {
            floors.Add(new LoadRun(options with { Host = FloorHost, Pid = _floor.Pid }).Execute());
            _node.Measure(options, nodes, _plan.IsOnDevice);
            var result = nodes.Last;
            _progress.WriteLine(
                $"{work.Name} {round}/{_options.Rounds}: floor {floors.Last.Server!.CpuMicroseconds:F2} µs,"
                + $" node {result.Server!.CpuMicroseconds:F2} µs,"
                + $" {result.OperationsPerSecond:N0} ops/s, {result.Errors} errors {result.FirstError}");
        }

        return nodes.RowOf(work) with
        {
            FloorCpuUs = floors.CpuUs,
            FloorUserUs = floors.UserUs,
            Ratio = nodes.CpuUs / floors.CpuUs,
            FloorOpsPerSecond = floors.OpsPerSecond,
            FloorP50Us = floors.Latency("p50"),
            FloorP99Us = floors.Latency("p99"),
            FloorP999Us = floors.Latency("p99.9"),
            Errors = nodes.Errors + floors.Errors,
        };
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
        var data = _node.Number("namespace/test", "data_used_bytes") / (1 << 20);
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
            "--port", $"{FloorHost.Port}", "--value-size", $"{_plan.ValueSize}", "--records", $"{_plan.Keys}",
            "--threads", $"{_plan.FloorThreads}",
        ];
        _progress.WriteLine($"starting {_plan.Name}floor on port {FloorHost.Port}");
        var log = Path.Combine(_options.Folder, $"bench-{_plan.Name}floor.log");
        return ServerProcess.Start(
            "floor", _options.FloorBin, _plan.FloorFile is { } file ? [.. arguments, "--file", file] : arguments, FloorHost.Port, log);
    }

    private double? PerRecord(string key) => _node.Number("namespace/test", key) / _plan.Keys;
}

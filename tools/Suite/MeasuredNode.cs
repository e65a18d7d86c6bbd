using System.Globalization;
using Aerie.Client;
using Aerie.Client.Cluster;
using Aerie.Tools.Bench;

namespace Aerie.Tools.Suite;

/// A node that the suite has started: loaded, measured, and asked what it used. Ends with its owner.
internal sealed class MeasuredNode : IDisposable
{
    private readonly SuiteOptions _options;
    private readonly TextWriter _progress;
    private readonly ServerProcess _process;

    /// `name`: what its files begin with.
    public MeasuredNode(SuiteOptions options, string name, string configuration, TextWriter progress, MemoryGroup? group = null)
    {
        _options = options;
        _progress = progress;
        var file = Path.Combine(options.Folder, $"bench-{name}node.conf");
        var log = Path.Combine(options.Folder, $"bench-{name}node.log");
        File.WriteAllText(file, configuration);
        progress.WriteLine($"starting {name}node on port {Host.Port}");
        _process = ServerProcess.Start(
            "node", options.NodeBin, ["--config-file", Path.GetFullPath(file)], Host.Port, log, group is null ? null : group.Take);
    }

    public int Pid => _process.Pid;

    public HostAddress Host => new("127.0.0.1", _options.FirstPort + 1);

    /// For loads: to this node, without a look at its process.
    public BenchOptions Common => new()
    {
        Host = Host,
        Duration = BenchOptions.Seconds(_options.Seconds),
        Warmup = BenchOptions.Seconds(_options.WarmupSeconds),
    };

    /// All keys, with what the options say.
    public void Load(BenchOptions options)
    {
        _progress.WriteLine($"loading {options.Keys:N0} records: {options.Shape.ToString().ToLowerInvariant()}");
        var insert = options with { Workload = Workload.Insert, Connections = 64, Pipeline = 8 };
        var result = new LoadRun(insert).Execute();
        if (result.Errors > 0 || result.Operations != options.Keys)
        {
            throw new BenchException($"loading failed: {result.Operations} of {options.Keys} records, first error: {result.FirstError}");
        }
    }

    /// `onDevice`: the node says how often it read the device.
    public void Measure(BenchOptions options, Rounds rounds, bool onDevice = false)
    {
        var before = CostSoFar(onDevice);
        var result = new LoadRun(options with { Pid = Pid }).Execute();
        var used = CostSoFar(onDevice) - before - CostOfAsking(onDevice);
        rounds.Add(result, used / AllOperations(result));
    }

    public double? Number(string command, string key)
    {
        foreach (var item in Ask(command).Split(';'))
        {
            if (item.StartsWith(key + "=", StringComparison.Ordinal)
                && double.TryParse(item.AsSpan(key.Length + 1), CultureInfo.InvariantCulture, out var number))
            {
                return number;
            }
        }

        return null;
    }

    public void Dispose() => _process.Dispose();

    // The node allocates and reads while warming up as well, so what it did is divided by all it answered.
    private double AllOperations(BenchResult result) =>
        Math.Max(1, result.Operations * (result.Seconds + _options.WarmupSeconds) / result.Seconds);

    /// What the node says that it has done so far; null where it does not say.
    private NodeCost CostSoFar(bool onDevice) => new(
        Number("aerie-stats", "gc_allocated_bytes"), onDevice ? Number("namespace/test", "device_reads") : null);

    /// What asking costs itself: of two questions one after the other, the second sees the answer to the first.
    private NodeCost CostOfAsking(bool onDevice)
    {
        var before = CostSoFar(onDevice);
        return CostSoFar(onDevice) - before;
    }

    private string Ask(string command)
    {
        try
        {
            var answers = ClusterNode.Ask(Host, TimeSpan.FromSeconds(5), command);
            return answers.Count > 0 ? answers[0].Value : string.Empty;
        }
        catch (AerieException failure)
        {
            throw new BenchException($"the node does not answer \"{command}\": {failure.Message}");
        }
    }
}

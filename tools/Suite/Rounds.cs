using Aerie.Tools.Bench;

namespace Aerie.Tools.Suite;

/// What the rounds of one work brought on one server, and their medians.
internal sealed class Rounds
{
    private readonly List<BenchResult> _results = [];
    private readonly List<NodeCost> _costs = [];

    public BenchResult Last => _results[^1];

    public long Errors => _results.Sum(result => result.Errors);

    public double CpuUs => Median(result => result.Server!.CpuMicroseconds);

    public double UserUs => Median(result => result.Server!.UserMicroseconds);

    public double SystemUs => Median(result => result.Server!.SystemMicroseconds);

    public double OpsPerSecond => Median(result => result.OperationsPerSecond);

    public double? AllocatedBytes => Median(cost => cost.AllocatedBytes);

    public double? DeviceReads => Median(cost => cost.DeviceReads);

    public void Add(BenchResult result, NodeCost cost = default)
    {
        _results.Add(result);
        _costs.Add(cost);
    }

    public double Latency(string percentile) => Median(result => result.LatencyMicroseconds[percentile]);

    /// What the node did, without anything to compare it with.
    public SuiteRow RowOf(SuiteWork work) => new()
    {
        Work = work.Name,
        NodeCpuUs = CpuUs,
        NodeUserUs = UserUs,
        NodeSystemUs = SystemUs,
        AllocBytesPerOp = AllocatedBytes,
        DeviceReadsPerOp = DeviceReads,
        NodeOpsPerSecond = OpsPerSecond,
        P50Us = Latency("p50"),
        P99Us = Latency("p99"),
        P999Us = Latency("p99.9"),
        Errors = Errors,
    };

    private double Median(Func<BenchResult, double> figure) => _results.Select(figure).Order().ElementAt(_results.Count / 2);

    private double? Median(Func<NodeCost, double?> figure)
    {
        var figures = _costs.Select(figure).ToList();
        return figures.Contains(null) ? null : figures.Order().ElementAt(figures.Count / 2);
    }
}

/// Null: the node does not say.
internal readonly record struct NodeCost(double? AllocatedBytes, double? DeviceReads)
{
    public static NodeCost operator -(NodeCost later, NodeCost earlier) =>
        new(later.AllocatedBytes - earlier.AllocatedBytes, later.DeviceReads - earlier.DeviceReads);

    public static NodeCost operator /(NodeCost cost, double operations) =>
        new(cost.AllocatedBytes / operations, cost.DeviceReads / operations);
}

using Aerie.Tools.Bench;

namespace Aerie.Tools.Suite;

/// The works that make a node compute inside records: on one node, each beside the plain request that it is compared with, in
/// turn, on the same records. No floor: it would have to be a database.
internal sealed class RecordWorks : IDisposable
{
    private readonly SuiteOptions _options;
    private readonly TextWriter _progress;
    private readonly MeasuredNode _node;
    private readonly HashSet<RecordShape> _loaded = [];

    public RecordWorks(SuiteOptions options, IEnumerable<SuiteWork> works, TextWriter progress)
    {
        const string Name = "record-";
        const long FourGigabytes = 4L << 30;
        _options = options;
        _progress = progress;
        var modules = Directory.CreateDirectory(Path.Combine(options.Folder, $"bench-{Name}modules")).FullName;
        _node = new MeasuredNode(options, Name, NodeConfig.InMemory(options.FirstPort + 1, FourGigabytes, modules), progress);
        try
        {
            works.Select(work => work.Workload.Module).OfType<ScriptModule>().Distinct().ToList()
                .ForEach(module => module.Register(_node.Host));
        }
        catch
        {
            _node.Dispose();
            throw;
        }
    }

    public SuiteRow Measure(SuiteWork work)
    {
        var (bases, nodes) = (new Rounds(), new Rounds());
        var options = OptionsOf(work);
        for (var round = 1; round <= _options.Rounds; round++)
        {
            Prepare(options);
            if (work.Base is { } plain)
            {
                _node.Measure(options with { Workload = plain }, bases);
            }

            _node.Measure(options, nodes);
            if (nodes.Last.Operations == 0 && nodes.Last.Errors == 0)
            {
                throw new BenchException(
                    $"{work.Name}: no answer while measuring: all was spent before (--utxo-keys), or no request ends so soon (--duration)");
            }

            Tell(work, round, bases, nodes);
        }

        return RowOf(work, bases, nodes);
    }

    public void Dispose() => _node.Dispose();

    /// Outputs are made anew each time: what is spent cannot be spent again.
    private void Prepare(BenchOptions options)
    {
        if (_loaded.Add(options.Shape) || options.Shape == RecordShape.Outputs)
        {
            _node.Load(options);
        }
    }

    /// Each shape is a set of its own.
    private BenchOptions OptionsOf(SuiteWork work) => _node.Common with
    {
        Set = work.Workload.Shape.ToString().ToLowerInvariant(),
        Shape = work.Workload.Shape,
        Workload = work.Workload,
        Connections = work.Connections,
        Pipeline = work.Pipeline,
        BatchSize = work.BatchSize,
        Keys = work.Workload.Shape switch
        {
            RecordShape.Map => _options.MapKeys,
            RecordShape.Outputs => _options.UtxoKeys,
            _ => _options.NumberKeys,
        },
    };

    private void Tell(SuiteWork work, int round, Rounds bases, Rounds nodes)
    {
        var result = nodes.Last;
        var plain = work.Base is { } name ? $"{name} {bases.Last.Server!.CpuMicroseconds:F2} µs, " : string.Empty;
        var failure = result.FirstError ?? (work.Base is null ? null : bases.Last.FirstError);
        _progress.WriteLine(
            $"{work.Name} {round}/{_options.Rounds}: {plain}node {result.Server!.CpuMicroseconds:F2} µs,"
            + $" {result.OperationsPerSecond:N0} ops/s, {bases.Errors + nodes.Errors} errors {failure}");
    }

    private static SuiteRow RowOf(SuiteWork work, Rounds bases, Rounds nodes)
    {
        var row = nodes.RowOf(work) with { CpuGoalUs = work.CpuGoalUs };
        if (work.Base is { } plain)
        {
            row = row with
            {
                Base = plain.Name,
                BaseCpuUs = bases.CpuUs,
                ExtraCpuUs = row.NodeCpuUs - bases.CpuUs,
                ExtraGoalUs = work.ExtraGoalUs,
                Errors = bases.Errors + nodes.Errors,
            };
        }

        return work.SpendsPerOperation > 0
            ? row with
            {
                CpuPerSpendUs = row.NodeCpuUs / work.SpendsPerOperation,
                SpendsPerSecondPerCore = 1e6 * work.SpendsPerOperation / row.NodeCpuUs,
            }
            : row;
    }
}

using Aerie.Foundation;
using Aerie.Lua;
using Aerie.Server.Config;
using Aerie.Server.Logging;
using Aerie.Server.Metrics;
using Aerie.Server.Query;
using Aerie.Server.Records;
using Aerie.Server.Statistics;
using Aerie.Server.Udf;
using Microsoft.Extensions.Logging;

namespace Aerie.Server.Info;

/// What the info commands read and change.
public sealed record InfoSources
{
    public required NodeIdentity Identity { get; init; }

    public required AccessPoints AccessPoints { get; init; }

    public required Namespaces Namespaces { get; init; }

    public required NodeStatistics NodeStatistics { get; init; }

    public required NamespaceStatistics NamespaceStatistics { get; init; }

    public required LatencyWindows Latencies { get; init; }

    public required Func<Namespace, RecordHistogramsSnapshot?> Histograms { get; init; }

    public required ServiceView Service { get; init; }

    public required HostSampler Host { get; init; }

    public required ConfigStore Config { get; init; }

    public required NodeLog Log { get; init; }

    public required ILoggerFactory Loggers { get; init; }

    public required QueryRegistry Queries { get; init; }

    public required UdfModules Modules { get; init; }

    public required Func<IReadOnlyList<UdfStatistics>> UdfStatistics { get; init; }

    public required LastUpdateClock LastUpdateClock { get; init; }

    public required IClock Clock { get; init; }
}

/// All info commands by name, made of one group per subject.
public sealed class InfoTable
{
    /// What an empty request is answered with.
    private static readonly string[] SummaryNames =
        ["node", "version", "build", "edition", "partition-generation", "service-clear-std", "namespaces", "statistics"];

    private readonly SortedDictionary<string, InfoCommand> _commands = new(StringComparer.Ordinal);

    public InfoTable(InfoSources sources)
    {
        Add(new ClusterCommands(sources).All);
        Add(new PartitionCommands(sources).All);
        Add(new NamespaceCommands(sources).All);
        Add(new TruncateCommands(sources).All);
        Add(new UdfCommands(sources).All);
        Add(new StatisticsCommands(sources).All);
        Add(new ConfigCommands(sources).All);
        Add(new LogCommands(sources).All);
        Add(new QueryCommands(sources).All);
        Add(new LaterCommands(sources).All);
        Add([new InfoCommand("help", "all commands, one per row", InfoPermission.None, Help)]);
    }

    public IReadOnlyDictionary<string, InfoCommand> Commands => _commands;

    public string[] Summary => SummaryNames;

    private void Add(IEnumerable<InfoCommand> commands)
    {
        foreach (var command in commands)
        {
            Invariant.Holds(command.Name.Length <= InfoAnswers.NameLengthMax);
            Invariant.Holds(_commands.TryAdd(command.Name, command));
        }
    }

    private void Help(in InfoRequest request, InfoText reply)
    {
        var separator = "";
        foreach (var command in _commands.Values)
        {
            reply.Append(separator).Append(command.Name).Append(" - ").Append(command.Help);
            separator = ";";
        }
    }
}

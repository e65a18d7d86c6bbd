using Aerie.Io;
using Aerie.Server.Config;
using Aerie.Server.Http;
using Aerie.Server.Info;
using Aerie.Server.Logging;
using Aerie.Server.Metrics;
using Aerie.Server.Statistics;
using Microsoft.Extensions.Logging;

namespace Aerie.Server;

/// Everything that tells about a node, put together: statistics, info commands, ticker, metrics page. Made while the node
/// is being made (Node asks for its info answers), so it looks at the node's loops only when it is asked something.
public sealed class NodeReporting
{
    public NodeReporting(Node node, ConfigStore config, NodeLog log, ILoggerFactory loggers)
    {
        var sources = SourcesOf(node, config);
        var statistics = new NodeStatistics(sources, new Dictionary<string, Func<string>>(StringComparer.Ordinal)
        {
            ["long_queries_active"] = () => $"{node.Queries.Snapshot().Count(query => query.IsActive)}",
        });
        var ofNamespaces = new NamespaceStatistics(node.Namespaces, node.Clock);
        var latencies = new LatencyWindows(
            [node.BatchIndexLatency, .. node.Namespaces.All.SelectMany(records => records.Latencies.All)], node.Clock.MonotonicNanoseconds);
        AccessPoints = new AccessPoints(config.Network, AccessPoints.OfMachine(config.Service.Current.AdvertiseIpv6));
        Ticker = new Ticker(sources, statistics, ofNamespaces, latencies, loggers);
        Health = new HealthCheck(node.Namespaces, node.Clock);
        Sources = new InfoSources
        {
            Identity = sources.Identity,
            AccessPoints = AccessPoints,
            Namespaces = node.Namespaces,
            NodeStatistics = statistics,
            NamespaceStatistics = ofNamespaces,
            Latencies = latencies,
            Histograms = Ticker.HistogramsOf,
            Service = sources.Service,
            Host = sources.Host,
            Config = config,
            Log = log,
            Loggers = loggers,
            Queries = node.Queries,
            Modules = node.Modules,
            UdfStatistics = () => node.Udfs?.Statistics() ?? [],
            LastUpdateClock = node.LastUpdateClock,
            Clock = node.Clock,
        };
        var table = new InfoTable(Sources);
        Commands = table.Commands;
        Info = new InfoAnswers(table);
    }

    public InfoSources Sources { get; }

    /// Told the ports that the system chose.
    public AccessPoints AccessPoints { get; }

    public IInfoAnswers Info { get; }

    public IReadOnlyDictionary<string, InfoCommand> Commands { get; }

    /// To be ticked about once a second: TickerThread.
    public Ticker Ticker { get; }

    public HealthCheck Health { get; }

    /// Null when the configuration asks for none. Not started.
    public MetricsServer? NewMetricsServer() =>
        Sources.Config.Network.Metrics is { } where ? new MetricsServer(where, new PrometheusText(Sources), Health) : null;

    private static NodeStatisticsSources SourcesOf(Node node, ConfigStore config) => new()
    {
        Identity = NodeIdentity.Of(config.Service.Current, config.Network.Service.Port, node.Clock),
        Namespaces = node.Namespaces,
        Counters = node.Counters,
        Service = new ServiceView(
            port => node.Shared.OpenConnections(port),
            () => [.. node.Loops.Select(loop => new LoopFigures(
                loop.Number, loop.OpenConnections, loop.IoCounters, loop.Buffers.Outstanding, loop.Buffers.BytesHeld))]),
        Host = new HostSampler(node.Clock, new SystemFiles().Read, () => config.Service.Current.CgroupMemTracking),
        Options = config.Service,
        Clock = node.Clock,
    };
}

using Aerie.Foundation;
using Aerie.Io;
using Aerie.Lua;
using Aerie.Server.Batch;
using Aerie.Server.Config;
using Aerie.Server.Info;
using Aerie.Server.Metrics;
using Aerie.Server.Query;
using Aerie.Server.Records;
using Aerie.Server.Records.Checkpoints;
using Aerie.Server.Records.Flushing;
using Aerie.Server.Records.Housekeeping;
using Aerie.Server.Service;
using Aerie.Server.Udf;
using Aerie.Storage;
using Microsoft.Extensions.Logging;

namespace Aerie.Server;

/// One storage node put together from its parts: namespaces, event loops, the housekeeper. Knows no thread and no real
/// socket or clock of its own; Program gives it real ones and threads, tests give it simulated ones and step it.
public sealed class Node : IDisposable
{
    private readonly ConfigStore _config;

    /// Without `systemMemoryUsedPct` the machine's memory stops no writes; without `descriptorsForConnections` proto-fd-max
    /// alone limits connections. `storage` opens what a persistent namespace lies on. `interrupts`: signals come by the machine's clock,
    /// so that a node whose clock is another's counts.
    public Node(
        ConfigStore config,
        IClock clock,
        Func<IIoEngine> engine,
        ILoggerFactory logs,
        Func<Node, IInfoAnswers> info,
        Func<int?>? systemMemoryUsedPct = null,
        int descriptorsForConnections = int.MaxValue,
        Func<NamespaceOptions, LastUpdateClock, NamespaceStorage>? storage = null,
        LuaInterrupts interrupts = LuaInterrupts.Counted)
    {
        _config = config;
        var loopCount = config.Service.Current.ServiceThreads;
        var workers = loopCount + 1; // the housekeeper is one more
        Clock = clock;
        LastUpdateClock = new LastUpdateClock();
        Namespaces = new Namespaces([.. config.Namespaces.Values
            .OrderBy(options => options.Current.Name, StringComparer.Ordinal)
            .Select(options => new Namespace(options, workers, StorageOf(options.Current, storage)))]);
        Counters = new StripedCounters<NodeCounter>(workers);
        BatchIndexLatency = new LatencyHistogram("batch-index", workers);
        var udfLog = logs.CreateLogger("udf");
        Udfs = config.Service.Current.DisableUdfExecution
            ? null
            : new LuaEngine(new UdfOptions
            {
                Clock = clock,
                Log = new UdfLog(udfLog),
                Interrupts = interrupts,
                KeepsStates = config.UdfCacheEnabled,
            });
        Modules = new UdfModules(config.UdfPath, Udfs, udfLog);
        Queries = new QueryRegistry(() => config.Service.Current.QueryMaxDone);
        Shared = new ServiceShared
        {
            Clock = clock,
            LastUpdateClock = LastUpdateClock,
            Namespaces = Namespaces,
            Counters = Counters,
            Batches = new BatchShared
            {
                Namespaces = Namespaces,
                Counters = Counters,
                Latency = BatchIndexLatency,
                RequestsMax = () => config.Service.Current.BatchMaxRequests,
            },
            Queries = new QueryShared(Namespaces, Counters, Queries),
            Events = new ServiceEvents(logs.CreateLogger("service"), clock),
            Info = info(this),
            Udfs = Udfs,
            CurrentOptions = () => config.Service.Current,
            DescriptorsForConnections = descriptorsForConnections,
        };
        Loops = [.. Enumerable.Range(0, loopCount).Select(number => new ServiceLoop(number, engine(), Shared))];
        Shared.Use(Loops);
        var drives = logs.CreateLogger("drv_ssd");
        Checkpointers = [.. Namespaces.All.Select(records => Checkpointer.Of(records, clock, drives)).OfType<Checkpointer>()];
        Flushers = [.. Namespaces.All.Where(static records => records.Log.IsPersistent).Select(records => new Flusher(
            records, clock, drives, Checkpointers.FirstOrDefault(checkpointer => checkpointer.Records == records)))];
        HousekeepingWorker = new Worker(loopCount, clock, LastUpdateClock);
        Housekeeper = new Housekeeper(Namespaces, clock, logs.CreateLogger("namespace"), systemMemoryUsedPct ?? (static () => null));
    }

    public IClock Clock { get; }

    public Namespaces Namespaces { get; }

    public StripedCounters<NodeCounter> Counters { get; }

    public LastUpdateClock LastUpdateClock { get; }

    public LatencyHistogram BatchIndexLatency { get; }

    public QueryRegistry Queries { get; }

    /// What runs users' functions; null: the operator has switched them off.
    public IUdfEngine? Udfs { get; }

    public UdfModules Modules { get; }

    public ServiceShared Shared { get; }

    public IReadOnlyList<ServiceLoop> Loops { get; }

    public Worker HousekeepingWorker { get; }

    public Housekeeper Housekeeper { get; }

    /// One for each persistent namespace.
    public IReadOnlyList<Flusher> Flushers { get; }

    /// One for each namespace on devices.
    public IReadOnlyList<Checkpointer> Checkpointers { get; }

    /// One for each thread that works at the restart, before the loops run: they count where the loops will count.
    internal IReadOnlyList<Worker> RestartWorkers() =>
        [.. Enumerable.Range(0, Loops.Count + 1).Select(number => new Worker(number, Clock, LastUpdateClock))];

    public bool IsQuiet => Loops.All(loop => loop.IsQuiet);

    /// Opens the ports. Throws IoException with one clear line when one cannot be had. Before the loops run.
    public void Listen()
    {
        var network = _config.Network;
        Listen(network.Service, PortKind.Service);
        Listen(network.Admin, PortKind.Admin);
        Listen(network.Info, PortKind.Text);
    }

    public void Dispose()
    {
        foreach (var loop in Loops)
        {
            loop.Dispose();
            loop.Worker.Dispose();
        }

        Udfs?.Dispose();
        Housekeeper.Dispose();
        HousekeepingWorker.Dispose();
        foreach (var checkpointer in Checkpointers)
        {
            checkpointer.Dispose();
        }

        foreach (var records in Namespaces.All)
        {
            records.Dispose();
        }
    }

    private NamespaceStorage? StorageOf(NamespaceOptions options, Func<NamespaceOptions, LastUpdateClock, NamespaceStorage>? open)
    {
        if (!options.Storage.IsPersistent)
        {
            return null;
        }

        Invariant.Holds(open is not null);
        return open(options, LastUpdateClock);
    }

    private void Listen(ListenOptions? where, PortKind port)
    {
        if (where is null)
        {
            return;
        }

        IEnumerable<string> hosts = where.Addresses.IsEmpty ? ["any"] : where.Addresses;
        foreach (var host in hosts)
        {
            Loops[0].Listen(new ListenAddress(host, where.Port), port);
        }
    }
}

using Aerie.Foundation;
using Aerie.Server.Config;
using Aerie.Server.Metrics;
using Aerie.Server.Records;
using static Aerie.Server.Statistics.StatisticText;

namespace Aerie.Server.Statistics;

/// The statistics of the node: each key of the table joined with where its value comes from. A counter of NodeCounter is
/// found by its name; everything else is a line in Sources, or one that another part hands in.
public sealed class NodeStatistics
{
    private readonly List<(StatisticRow Row, Func<string> Value)> _rows;
    private readonly Dictionary<string, Func<string>> _values;

    /// `more` are sources of parts that keep figures of their own, such as the queries in progress; they win.
    public NodeStatistics(NodeStatisticsSources from, IReadOnlyDictionary<string, Func<string>>? more = null)
    {
        var counters = CounterKeys.Of<NodeCounter>();
        var sources = Sources(from);
        _rows = [.. StatisticTable.Node().Select(row => (row, ValueOf(row)))];
        _values = _rows.ToDictionary(entry => entry.Row.Key, entry => entry.Value, StringComparer.Ordinal);

        Func<string> ValueOf(StatisticRow row)
        {
            if (more?.GetValueOrDefault(row.Key) is { } handedIn)
            {
                return handedIn;
            }

            if (sources.TryGetValue(row.Key, out var source))
            {
                return source;
            }

            return counters.TryGetValue(row.Key, out var counter) ? () => Text(from.Counters.Sum(counter)) : () => row.WithoutSource;
        }
    }

    /// In the reference's order.
    public IEnumerable<Statistic> Read() => _rows.Select(entry => new Statistic(entry.Row.Key, entry.Row.Kind, entry.Value()));

    /// One of them.
    public string Value(string key) => _values[key]();

    private static Dictionary<string, Func<string>> Sources(NodeStatisticsSources from)
    {
        var sources = new Dictionary<string, Func<string>>(StringComparer.Ordinal);
        AddCluster(sources, from);
        AddHost(sources, from);
        AddService(sources, from);
        return sources;
    }

    private static void AddCluster(Dictionary<string, Func<string>> sources, NodeStatisticsSources from)
    {
        var identity = from.Identity;
        sources["cluster_size"] = () => "1";
        sources["cluster_key"] = () => identity.ClusterKey;
        sources["cluster_generation"] = () => "1";
        sources["cluster_principal"] = () => identity.NodeId;
        sources["cluster_min_compatibility_id"] = () => Text(NodeIdentity.CompatibilityId);
        sources["cluster_max_compatibility_id"] = () => Text(NodeIdentity.CompatibilityId);
        sources["cluster_integrity"] = () => "true";
        sources["cluster_is_member"] = () => "true";
        sources["paxos_principal"] = () => identity.NodeId;
        sources["migrate_allowed"] = () => "true";
        sources["uptime"] = () => Text(from.UptimeSeconds);
        sources["time_since_rebalance"] = () => Text(from.UptimeSeconds);
    }

    private static void AddHost(Dictionary<string, Func<string>> sources, NodeStatisticsSources from)
    {
        var host = from.Host;
        sources["system_total_cpu_pct"] = () => Text(host.Latest.TotalCpuPct);
        sources["system_user_cpu_pct"] = () => Text(host.Latest.UserCpuPct);
        sources["system_kernel_cpu_pct"] = () => Text(host.Latest.KernelCpuPct);
        sources["system_free_mem_kbytes"] = () => Text(host.Latest.FreeMemoryKbytes);
        sources["system_free_mem_pct"] = () => Text(host.Latest.FreeMemoryPct);
        sources["host_free_mem_kbytes"] = () => Text(host.Latest.HostFreeMemoryKbytes);
        sources["host_free_mem_pct"] = () => Text(host.Latest.HostFreeMemoryPct);
        sources["system_thp_mem_kbytes"] = () => Text(host.Latest.HugePageKbytes);
        sources["process_cpu_pct"] = () => Text(host.Latest.ProcessCpuPct);
        sources["threads_detached"] = () => Text(host.Latest.Threads);
        sources["threads_pool_total"] = () => Text(ThreadPool.ThreadCount);
        sources["threads_pool_active"] = () => Text(ThreadPool.ThreadCount);

        // The managed heap: records, index and buffers live outside of it and have keys of their own.
        sources["heap_allocated_kbytes"] = () => Text(ManagedHeap.Latest().AllocatedKbytes);
        sources["heap_active_kbytes"] = () => Text(ManagedHeap.Latest().ActiveKbytes);
        sources["heap_mapped_kbytes"] = () => Text(ManagedHeap.Latest().MappedKbytes);
        sources["heap_efficiency_pct"] = () => Text(ManagedHeap.Latest().EfficiencyPct);
    }

    private static void AddService(Dictionary<string, Func<string>> sources, NodeStatisticsSources from)
    {
        sources["objects"] = () => Text(from.Namespaces.All.Sum(records => records.Objects));
        sources["tombstones"] = () => Text(from.Namespaces.All.Sum(records => records.Tombstones));
        sources["client_connections"] =
            () => Text(from.Service.OpenConnections(PortKind.Service) + from.Service.OpenConnections(PortKind.Text));
        sources["admin_connections"] = () => Text(from.Service.OpenConnections(PortKind.Admin));
        sources["batch_index_queue"] = () => string.Join(',', Enumerable.Repeat("0:0", from.Options.Current.BatchIndexThreads));
    }
}

/// What the statistics of the node are made from.
public sealed record NodeStatisticsSources
{
    public required NodeIdentity Identity { get; init; }

    public required Namespaces Namespaces { get; init; }

    public required StripedCounters<NodeCounter> Counters { get; init; }

    public required ServiceView Service { get; init; }

    public required HostSampler Host { get; init; }

    public required LiveOptions<ServiceOptions> Options { get; init; }

    public required IClock Clock { get; init; }

    public long UptimeSeconds => (Clock.MonotonicNanoseconds - Identity.StartedAtNanoseconds) / 1_000_000_000;
}

internal readonly record struct ManagedHeap(long AllocatedKbytes, long ActiveKbytes, long MappedKbytes)
{
    public long EfficiencyPct => MappedKbytes == 0 ? 100 : Math.Min(100, AllocatedKbytes * 100 / MappedKbytes);

    public static ManagedHeap Latest()
    {
        var info = GC.GetGCMemoryInfo();
        var allocated = GC.GetTotalMemory(forceFullCollection: false) / 1024;
        var mapped = Math.Max(allocated, info.TotalCommittedBytes / 1024); // before the first collection nothing is known
        return new ManagedHeap(allocated, Math.Max(allocated, info.HeapSizeBytes / 1024), mapped);
    }
}

using System.Globalization;
using Aerie.Foundation;
using Aerie.Server.Config;
using Aerie.Server.Metrics;
using Aerie.Server.Records;
using Aerie.Storage;
using static Aerie.Server.Statistics.StatisticText;

namespace Aerie.Server.Statistics;

/// The statistics of a namespace: each key of the table joined with where its value comes from. A counter of
/// NamespaceCounter is found by its name; everything else is a line in Sources, or one that another part hands in.
public sealed class NamespaceStatistics
{
    private readonly List<(StatisticRow Row, Func<Namespace, string> Value)> _rows;
    private readonly Dictionary<string, Func<Namespace, string>> _values;

    /// `more` are sources of parts that keep figures of their own, such as the housekeeper's cycles; they win.
    public NamespaceStatistics(Namespaces namespaces, IClock clock, IReadOnlyDictionary<string, Func<Namespace, string>>? more = null)
    {
        var counters = CounterKeys.Of<NamespaceCounter>();
        var sources = Sources(namespaces, clock);
        _rows = [.. StatisticTable.Namespace().Select(row => (row, ValueOf(row)))];
        _values = _rows.ToDictionary(entry => entry.Row.Key, entry => entry.Value, StringComparer.Ordinal);

        Func<Namespace, string> ValueOf(StatisticRow row)
        {
            if ((more?.GetValueOrDefault(row.Key) ?? sources.GetValueOrDefault(row.Key)) is { } source)
            {
                return source;
            }

            return counters.TryGetValue(row.Key, out var counter) ? records => Text(records.Counters.Sum(counter)) : _ => row.WithoutSource;
        }
    }

    /// In the reference's order.
    public IEnumerable<Statistic> Read(Namespace records)
    {
        for (var at = 0; at < _rows.Count;)
        {
            var row = _rows[at].Row;
            var end = at + 1;
            while (end < _rows.Count && (row.IsPerStripe || row.IsPerDevice)
                && _rows[end].Row.IsPerStripe == row.IsPerStripe && _rows[end].Row.IsPerDevice == row.IsPerDevice)
            {
                end++;
            }

            IEnumerable<Statistic> part = row.IsPerStripe ? OfStripes(records, at, end)
                : row.IsPerDevice ? OfDevices(records, at, end)
                : !records.Log.IsPersistent && KeysOfPersistence.Contains(row.Key) ? []
                : [new Statistic(row.Key, row.Kind, _rows[at].Value(records))];
            foreach (var statistic in part)
            {
                yield return statistic;
            }

            at = end;
        }
    }

    private IEnumerable<Statistic> OfStripes(Namespace records, int from, int end)
    {
        for (var stripe = 0; stripe < (records.Log.IsPersistent ? 0 : records.Log.Stripes); stripe++)
        {
            var figures = records.Log.Statistics(stripe);
            for (var row = from; row < end; row++)
            {
                var (key, kind) = (_rows[row].Row.KeyOf(stripe), _rows[row].Row.Kind);
                yield return new Statistic(key, kind, Text(StripeSources[_rows[row].Row.Key](figures)));
            }
        }
    }

    private IEnumerable<Statistic> OfDevices(Namespace records, int from, int end)
    {
        var devices = records.Log.StatisticsOfDevices();
        for (var device = 0; device < devices.Length; device++)
        {
            for (var row = from; row < end; row++)
            {
                if (DeviceSources.GetValueOrDefault(_rows[row].Row.Key)?.Invoke(devices[device]) is { } value)
                {
                    var key = _rows[row].Row.KeyOf(device, records.Options.Storage.AreFiles);
                    yield return new Statistic(key, _rows[row].Row.Kind, Text(value));
                }
            }
        }
    }

    /// One of them, of the namespace as a whole.
    public string Value(Namespace records, string key) => _values[key](records);

    /// Ours; a namespace in memory alone has exactly the reference's keys.
    private static readonly HashSet<string> KeysOfPersistence = new(StringComparer.Ordinal)
    {
        "removal_marks", "removal_marks_used_bytes", "unflushed_bytes", "write_cache_pct",
        "cache_read_pct", "cache_reads", "device_reads", "device_read_bytes", "device_read_errors",
    };

    /// Null: the device has no such key.
    private static readonly Dictionary<string, Func<DeviceStatistics, long?>> DeviceSources = new(StringComparer.Ordinal)
    {
        ["storage-engine.device[N].used_bytes"] = device => device.UsedBytes,
        ["storage-engine.device[N].free_wblocks"] = device => device.FreeBlocks,
        ["storage-engine.device[N].read_errors"] = device => device.Figures.ReadErrors,
        ["storage-engine.device[N].write_q"] = device => device.Figures.WriteQueue,
        ["storage-engine.device[N].writes"] = device => device.Figures.Writes,
        ["storage-engine.device[N].partial_writes"] = device => device.Figures.PartialWrites,
        ["storage-engine.device[N].defrag_q"] = device => device.DefragQueue,
        ["storage-engine.device[N].defrag_reads"] = device => device.DefragReads,
        ["storage-engine.device[N].defrag_writes"] = device => device.DefragWrites,
        ["storage-engine.device[N].defrag_partial_writes"] = _ => 0,
        ["storage-engine.device[N].shadow_write_q"] = device => device.Figures.HasShadow ? device.Figures.ShadowWriteQueue : null,
        ["storage-engine.device[N].age"] = _ => -1, // the reference's word for: not known
    };

    private static readonly Dictionary<string, Func<StripeStatistics, long>> StripeSources = new(StringComparer.Ordinal)
    {
        ["storage-engine.stripe[N].used_bytes"] = stripe => stripe.UsedBytes,
        ["storage-engine.stripe[N].free_wblocks"] = stripe => stripe.FreeBlocks,
        ["storage-engine.stripe[N].writes"] = stripe => stripe.Writes,
        ["storage-engine.stripe[N].defrag_q"] = stripe => stripe.DefragQueue,
        ["storage-engine.stripe[N].defrag_reads"] = stripe => stripe.DefragReads,
        ["storage-engine.stripe[N].defrag_writes"] = stripe => stripe.DefragWrites,
    };

    // A single node: it is master of all partitions and keeps one copy.
    private static Dictionary<string, Func<Namespace, string>> Sources(Namespaces namespaces, IClock clock) => new(StringComparer.Ordinal)
    {
        ["ns_cluster_size"] = _ => "1",
        ["effective_replication_factor"] = _ => "1",
        ["objects"] = records => Text(records.Objects),
        ["tombstones"] = records => Text(records.Tombstones),
        ["master_objects"] = records => Text(records.Objects),
        ["master_tombstones"] = records => Text(records.Tombstones),
        ["stop_writes"] = records => Text(records.StopWrites),
        ["current_time"] = _ => Text(CitrusTime.Seconds(clock.UnixMilliseconds)),
        ["hwm_breached"] = records => Text(records.Housekeeping.HwmBreached),
        ["evict_ttl"] = records => Text(records.Housekeeping.EvictTtl),
        ["evict_void_time"] = records => Text(records.Housekeeping.EvictVoidTime),
        ["smd_evict_void_time"] = records => Text(records.Housekeeping.EvictVoidTime),
        ["nsup_cycle_duration"] = records => Text(records.Housekeeping.NsupCycleDuration),
        ["nsup_cycle_deleted_pct"] =
            records => records.Housekeeping.NsupCycleDeletedPct.ToString("0.00", CultureInfo.InvariantCulture),
        ["truncating"] = records => Text(records.IsTruncating),
        ["truncate_lut"] = records => Text((long)records.TruncateCut),
        ["xmem_id"] = records => Text(namespaces.All.TakeWhile(other => other != records).Count() + 1),
        ["index_used_bytes"] = records => Text(records.Index.UsedBytes),
        ["data_total_bytes"] = records => Text(records.Log.TotalBytes),
        ["data_used_bytes"] = records => Text(records.Log.UsedBytes),
        ["data_used_pct"] = records => Text(records.Log.UsedPercent),
        ["data_avail_pct"] = records => Text(records.Log.AvailablePercent),
        ["data_compression_ratio"] =
            records => (records.Codecs?.CompressionRatio ?? 1).ToString("0.000", CultureInfo.InvariantCulture),
        ["removal_marks"] = records => Text(records.RemovalMarks),
        ["removal_marks_used_bytes"] = records => Text(records.RemovalMarks * RemovalMark.Length),
        ["cache_read_pct"] = records => Text(records.CacheReadPercent),
        ["unflushed_bytes"] = records => Text(records.Log.IsPersistent ? records.Log.UnflushedBytes : 0),
        ["write_cache_pct"] = records => Text(records.Log.WriteCachePercent),
        ["effective_prefer_uniform_balance"] = _ => "true",
    };
}

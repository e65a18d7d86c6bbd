using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Aerie.Foundation;
using Aerie.Server.Config;
using Aerie.Server.Metrics;
using Aerie.Server.Records;
using Microsoft.Extensions.Logging;
using LogLevel = Microsoft.Extensions.Logging.LogLevel;

namespace Aerie.Server.Statistics;

/// What happens about once a second off the event loops: figures of the machine are sampled, the histograms of records are
/// swept a little further; and every `ticker-interval` the latency windows roll over and the log gets the lines that
/// operators' log readers know. A line that would only say zeros is left out.
public sealed partial class Ticker
{
    private const long NanosecondsPerSecond = 1_000_000_000;

    /// The share of a second that a sweep may take.
    private const long SweepNanoseconds = 20_000_000;

    private const long TtlHistogramSeconds = CitrusTime.TtlSecondsMax;

    private readonly NodeStatisticsSources _sources;
    private readonly NodeStatistics _node;
    private readonly NamespaceStatistics _namespaces;
    private readonly LatencyWindows _latencies;
    private readonly ILogger _log;
    private readonly Dictionary<Namespace, Sweep> _sweeps;
    private long _nextLines;

    public Ticker(
        NodeStatisticsSources sources,
        NodeStatistics node,
        NamespaceStatistics namespaces,
        LatencyWindows latencies,
        ILoggerFactory loggers)
    {
        _sources = sources;
        _node = node;
        _namespaces = namespaces;
        _latencies = latencies;
        _log = loggers.CreateLogger("info");
        _sweeps = sources.Namespaces.All.ToDictionary(records => records, records => new Sweep(new RecordHistograms(records)));
        _nextLines = sources.Clock.MonotonicNanoseconds + IntervalNanoseconds;
    }

    /// Lives and sizes as of the last whole sweep; null before the first.
    public RecordHistogramsSnapshot? HistogramsOf(Namespace records) => _sweeps[records].Histograms.Latest;

    private long IntervalNanoseconds => Math.Max(1, _sources.Options.Current.TickerIntervalSeconds) * NanosecondsPerSecond;

    public void Tick()
    {
        var now = _sources.Clock.MonotonicNanoseconds;
        _sources.Host.Sample();
        foreach (var (records, sweep) in _sweeps)
        {
            StepSweep(records, sweep, now);
        }

        if (now < _nextLines)
        {
            return;
        }

        _nextLines = now + IntervalNanoseconds;
        _latencies.Roll(now);
        if (_sources.Options.Current.TickerIntervalSeconds > 0 && _log.IsEnabled(LogLevel.Information))
        {
            WriteNode();
            foreach (var records in _sources.Namespaces.All)
            {
                WriteNamespace(records);
            }

            WriteHistograms();
        }
    }

    private void StepSweep(Namespace records, Sweep sweep, long now)
    {
        if (!sweep.Histograms.IsSweeping && now >= sweep.Next)
        {
            sweep.Histograms.Begin(TtlHistogramSeconds);
            sweep.Next = now + (Math.Max(1, records.Options.NsupHistPeriodSeconds) * NanosecondsPerSecond);
        }

        sweep.Histograms.Step(_sources.Clock, SweepNanoseconds);
    }

    private void WriteNode()
    {
        foreach (var line in NodeLines)
        {
            Line(Filled(line));
        }

        if (AnyOf("batch_index_complete", "batch_index_error", "batch_index_timeout"))
        {
            Line(Filled(BatchLine));
        }
    }

    private bool AnyOf(params ReadOnlySpan<string> keys)
    {
        var any = false;
        foreach (var key in keys)
        {
            any |= _node.Value(key) != "0";
        }

        return any;
    }

    private string Filled(string line) => Placeholder().Replace(line, mark => mark.Value[1..^1] switch
    {
        "cluster_name" => _sources.Options.Current.ClusterNameOrNull,
        var key => _node.Value(key),
    });

    private void WriteNamespace(Namespace records)
    {
        var name = $"{{{records.Name}}}";
        Line($"{name} objects: all {Value("objects")} master {Value("master_objects")} prole 0 non-replica 0");
        if (Value("tombstones") != "0")
        {
            Line($"{name} tombstones: all {Value("tombstones")} master {Value("master_tombstones")} prole 0 non-replica 0");
        }

        Line($"{name} migrations: complete");
        Line($"{name} index-usage: used-bytes {Value("index_used_bytes")}");
        Line($"{name} data-usage: used-bytes {Value("data_used_bytes")} avail-pct {Value("data_avail_pct")}");
        foreach (var line in TrafficLines)
        {
            var text = new StringBuilder();
            var any = false;
            foreach (var (group, keys) in line.Groups)
            {
                var values = Array.ConvertAll(keys, Value);
                any |= values.Any(value => value != "0");
                text.Append(CultureInfo.InvariantCulture, $" {group} ({string.Join(',', values)})");
            }

            if (any)
            {
                Line($"{name} {line.Title}:{text}");
            }
        }

        string Value(string key) => _namespaces.Value(records, key);
    }

    private void WriteHistograms()
    {
        foreach (var histogram in _latencies.Histograms)
        {
            var counts = new long[64];
            histogram.Snapshot(counts);
            var total = counts.Sum();
            if (total == 0)
            {
                continue;
            }

            // In milliseconds: bucket 0 is less than one, bucket i from 2^(i-1).
            Line($"histogram dump: {histogram.Name} ({total} total) msec");
            var buckets = new long[LatencyHistogram.Thresholds + 1];
            for (var i = 0; i < counts.Length; i++)
            {
                buckets[Math.Clamp(i - 9, 0, buckets.Length - 1)] += counts[i];
            }

            foreach (var row in buckets.Select((count, at) => (count, at)).Where(bucket => bucket.count > 0).Chunk(4))
            {
                Line(string.Concat(row.Select(bucket => $" ({bucket.at:00}: {bucket.count:D10})")));
            }
        }
    }

    private void Line(string text) => _log.LogInformation("{Line}", text);

    private sealed class Sweep(RecordHistograms histograms)
    {
        public RecordHistograms Histograms => histograms;

        public long Next { get; set; }
    }

    private sealed record TrafficLine(string Title, (string Group, string[] Keys)[] Groups);

    private static TrafficLine Traffic(string title, string prefix) => new(title,
    [
        ("tsvc", Keys($"{prefix}_tsvc", "error", "timeout")),
        ("proxy", Keys($"{prefix}_proxy", "complete", "error", "timeout")),
        ("read", Keys($"{prefix}_read", "success", "error", "timeout", "not_found", "filtered_out")),
        ("write", Keys($"{prefix}_write", "success", "error", "timeout", "filtered_out")),
        ("delete", Keys($"{prefix}_delete", "success", "error", "timeout", "not_found", "filtered_out")),
        ("udf", Keys($"{prefix}_udf", "complete", "error", "timeout", "filtered_out")),
        ("lang", [$"{prefix}_lang_read_success", $"{prefix}_lang_write_success", $"{prefix}_lang_delete_success", $"{prefix}_lang_error"]),
    ]);

    private static TrafficLine Queries(string title, string prefix) => new(title,
    [
        ("short-basic", Keys($"{prefix}_short_basic", "complete", "error", "timeout")),
        ("long-basic", Keys($"{prefix}_long_basic", "complete", "error", "abort")),
        ("aggr", Keys($"{prefix}_aggr", "complete", "error", "abort")),
        ("udf-bg", Keys($"{prefix}_udf_bg", "complete", "error", "abort")),
        ("ops-bg", Keys($"{prefix}_ops_bg", "complete", "error", "abort")),
    ]);

    private static string[] Keys(string prefix, params string[] outcomes) => [.. outcomes.Select(outcome => $"{prefix}_{outcome}")];

    /// What stands in angle brackets is the key of a statistic.
    private static readonly string[] NodeLines =
    [
        "NODE-ID <cluster_principal> CLUSTER-SIZE <cluster_size> CLUSTER-NAME <cluster_name>",
        "   system: total-cpu-pct <system_total_cpu_pct> user-cpu-pct <system_user_cpu_pct> kernel-cpu-pct <system_kernel_cpu_pct>"
            + " free-mem-kbytes <system_free_mem_kbytes> free-mem-pct <system_free_mem_pct> thp-mem-kbytes <system_thp_mem_kbytes>",
        "   process: cpu-pct <process_cpu_pct>"
            + " threads (<threads_joinable>,<threads_detached>,<threads_pool_total>,<threads_pool_active>)"
            + " heap-kbytes (<heap_allocated_kbytes>,<heap_active_kbytes>,<heap_mapped_kbytes>)"
            + " heap-efficiency-pct <heap_efficiency_pct>",
        "   in-progress: info-q <info_queue> rw-hash <rw_in_progress> proxy-hash <proxy_in_progress> tree-gc-q <tree_gc_queue>"
            + " long-queries <long_queries_active>",
        "   fds: proto (<client_connections>,<client_connections_opened>,<client_connections_closed>)"
            + " admin (<admin_connections>,<admin_connections_opened>,<admin_connections_closed>)"
            + " heartbeat (<heartbeat_connections>,<heartbeat_connections_opened>,<heartbeat_connections_closed>)"
            + " fabric (<fabric_connections>,<fabric_connections_opened>,<fabric_connections_closed>)",
    ];

    private const string BatchLine =
        "   batch-index: batches (<batch_index_complete>,<batch_index_error>,<batch_index_timeout>) delays <batch_index_delay>";

    [GeneratedRegex("<[a-z_]+>")]
    private static partial Regex Placeholder();

    private static readonly TrafficLine[] TrafficLines =
    [
        Traffic("client", "client"),
        Traffic("batch-sub", "batch_sub"),
        Queries("pi-query", "pi_query"),
        Queries("si-query", "si_query"),
        new("special-errors", [("key-busy", ["fail_key_busy"]), ("record-too-big", ["fail_record_too_big"])]),
    ];
}

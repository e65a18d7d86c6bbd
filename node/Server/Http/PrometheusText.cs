using System.Globalization;
using System.Text;
using Aerie.Server.Config;
using Aerie.Server.Info;
using Aerie.Server.Logging;
using Aerie.Server.Metrics;
using Aerie.Server.Records;
using Aerie.Server.Statistics;
using LogLevel = Aerie.Server.Config.LogLevel;

namespace Aerie.Server.Http;

/// The node's figures as Prometheus reads them, with the names and labels of the exporter that users' dashboards and alerts
/// were made for: every statistic and every parameter with a number or a truth value is a metric.
public sealed class PrometheusText(InfoSources sources)
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    public string Write()
    {
        var page = new MetricPage();
        var clusterName = sources.Config.Service.Current.ClusterNameOrNull;
        var common = new Labels().With("cluster_name", clusterName).With("service", sources.AccessPoints.Standard);
        page.Add("aerospike_node_up", StatisticKind.Gauge, 1,
            common.With("build", NodeIdentity.Build).With("node_id", sources.Identity.NodeId));
        WriteNode(page, common);
        foreach (var records in sources.Namespaces.All)
        {
            WriteNamespace(page, common.With("ns", records.Name), records);
            WriteSets(page, common.With("ns", records.Name), records);
        }

        WriteLatencies(page, common);
        return page.ToString();
    }

    private void WriteNode(MetricPage page, Labels labels)
    {
        foreach (var (key, value) in Pairs(sources.Config.Get("context=service").Text))
        {
            page.Add("aerospike_node_stats_", key, StatisticKind.Gauge, value, labels);
        }

        foreach (var statistic in sources.NodeStatistics.Read())
        {
            page.Add("aerospike_node_stats_", statistic.Key, statistic.Kind, statistic.Value, labels);
        }

        page.Add("aerospike_node_stats_pseudo_log_debug", StatisticKind.Gauge, LogsAt(LogLevel.Debug), labels);
        page.Add("aerospike_node_stats_pseudo_log_detail", StatisticKind.Gauge, LogsAt(LogLevel.Detail), labels);
    }

    private double LogsAt(LogLevel level)
    {
        var contexts = Enumerable.Range(0, LogContexts.Names.Count);
        return Enumerable.Range(0, sources.Log.SinkNames.Count)
            .Any(sink => contexts.Any(context => sources.Log.LevelOf(sink, context) == level)) ? 1 : 0;
    }

    private void WriteNamespace(MetricPage page, Labels labels, Namespace records)
    {
        const string Prefix = "aerospike_namespace_";
        var config = sources.Config.Get($"context=namespace;namespace={records.Name}").Text;
        var engine = labels.With("storage_engine", "memory");
        foreach (var statistic in sources.NamespaceStatistics.Read(records))
        {
            if (StripeKey.TryRead(statistic.Key, out var stripe))
            {
                page.Add(Prefix, $"storage-engine_stripe_{stripe.Name}", statistic.Kind, statistic.Value,
                    labels.With("stripe_index", stripe.Index).With("stripe", $"stripe-{stripe.Index}").With("storage_engine", "memory"));
            }
            else
            {
                page.Add(Prefix, statistic.Key, statistic.Kind, statistic.Value, engine);
            }
        }

        foreach (var (key, value) in Pairs(config))
        {
            page.Add(Prefix, key, StatisticKind.Gauge, value, engine);
        }
    }

    private static void WriteSets(MetricPage page, Labels labels, Namespace records)
    {
        for (var id = 1; id <= records.Sets.Count; id++)
        {
            var set = records.Sets[id];
            foreach (var statistic in SetStatistics.Read(records, set).Skip(2)) // the names are labels
            {
                page.Add("aerospike_sets_", statistic.Key, statistic.Kind, statistic.Value, labels.With("set", set.Text));
            }
        }
    }

    // As the exporter does: rates of the last period, not counts since the start; queries over them expect that.
    private void WriteLatencies(MetricPage page, Labels common)
    {
        var microseconds = sources.Config.Service.Current.MicrosecondHistograms;
        foreach (var histogram in sources.Latencies.Histograms)
        {
            var rates = sources.Latencies.Of(histogram);
            if (rates.IsEmpty)
            {
                continue;
            }

            var close = histogram.Name.IndexOf("}-", StringComparison.Ordinal);
            var labels = close > 0 ? common.With("ns", histogram.Name[1..close]) : common;
            var name = $"aerospike_latencies_{(close > 0 ? histogram.Name[(close + 2)..] : histogram.Name)}_{(microseconds ? "us" : "ms")}";
            page.Add($"{name}_bucket", StatisticKind.Gauge, rates.PerSecond, labels.With("le", "+Inf"));
            for (var threshold = 0; threshold < LatencyHistogram.Thresholds; threshold++)
            {
                var within = rates.PerSecond * (100 - rates.PercentOver(threshold, microseconds)) / 100;
                page.Add($"{name}_bucket", StatisticKind.Gauge, within,
                    labels.With("le", (1L << threshold).ToString(CultureInfo.InvariantCulture)));
            }

            page.Add($"{name}_count", StatisticKind.Gauge, rates.PerSecond, labels);
        }
    }

    private static IEnumerable<(string Key, string Value)> Pairs(string text) =>
        text.Split(';').Select(pair => pair.Split('=', 2)).Where(pair => pair.Length == 2).Select(pair => (pair[0], pair[1]));

    private readonly record struct StripeKey(string Index, string Name)
    {
        public static bool TryRead(string key, out StripeKey stripe)
        {
            const string Prefix = "storage-engine.stripe[";
            stripe = default;
            var close = key.IndexOf("].", StringComparison.Ordinal);
            if (close < 0 || !key.StartsWith(Prefix, StringComparison.Ordinal))
            {
                return false;
            }

            stripe = new StripeKey(key[Prefix.Length..close], key[(close + 2)..]);
            return true;
        }
    }
}

/// Labels of a sample; sorted by name, as the exporter writes them.
internal sealed class Labels
{
    private readonly SortedDictionary<string, string> _values = new(StringComparer.Ordinal);

    public Labels With(string name, string value)
    {
        var next = new Labels();
        foreach (var (known, old) in _values)
        {
            next._values[known] = old;
        }

        next._values[name] = value;
        return next;
    }

    public override string ToString() => string.Join(',', _values.Select(label => $"{label.Key}=\"{Escape(label.Value)}\""));

    // Sets are named by clients.
    private static string Escape(string value)
    {
        var text = new StringBuilder(value.Length);
        foreach (var c in value)
        {
            text.Append(c switch { '\\' => "\\\\", '"' => "\\\"", '\n' => "\\n", < ' ' => "?", _ => c.ToString() });
        }

        return text.ToString();
    }
}

/// Samples grouped by metric, as the format demands.
internal sealed class MetricPage
{
    private readonly SortedDictionary<string, (StatisticKind Kind, StringBuilder Samples)> _metrics = new(StringComparer.Ordinal);

    /// Values that are neither numbers nor truth values are no metrics.
    public void Add(string prefix, string key, StatisticKind kind, string value, Labels labels)
    {
        if (value is "true" or "false")
        {
            Add(prefix + key, kind, value == "true" ? 1 : 0, labels);
        }
        else if (double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number))
        {
            Add(prefix + key, kind, number, labels);
        }
    }

    public void Add(string name, StatisticKind kind, double value, Labels labels)
    {
        name = Clean(name);
        if (!_metrics.TryGetValue(name, out var metric))
        {
            _metrics.Add(name, metric = (kind, new StringBuilder()));
        }

        metric.Samples.Append(name).Append('{').Append(labels).Append("} ").Append(value.ToString(CultureInfo.InvariantCulture))
            .Append('\n');
    }

    public override string ToString()
    {
        var page = new StringBuilder();
        foreach (var (name, (kind, samples)) in _metrics)
        {
            page.Append("# TYPE ").Append(name).Append(kind == StatisticKind.Counter ? " counter\n" : " gauge\n").Append(samples);
        }

        return page.ToString();
    }

    private static string Clean(string name) => string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '_'));
}

using Aerie.Server.Config;
using Aerie.Server.Metrics;
using Aerie.Server.Records;
using static Aerie.Server.Statistics.StatisticText;

namespace Aerie.Server.Statistics;

/// The statistics of a set, in the reference's order. Sets that nobody configured show what the namespace does for them.
public static class SetStatistics
{
    public static IReadOnlyList<Statistic> Read(Namespace records, RecordSet set)
    {
        var options = records.OptionsOf(set);
        return
        [
            new("ns", StatisticKind.Gauge, records.Name),
            new("set", StatisticKind.Gauge, set.Text),
            new("objects", StatisticKind.Gauge, Text(records.SetCounters.ObjectsOf(set.Id))),
            new("tombstones", StatisticKind.Gauge, Text(records.SetCounters.TombstonesOf(set.Id))),
            new("data_used_bytes", StatisticKind.Gauge, Text(records.SetCounters.BytesOf(set.Id))),
            new("truncate_lut", StatisticKind.Gauge, Text((long)set.TruncateCut)),
            new("sindexes", StatisticKind.Gauge, "0"),
            new("index_populating", StatisticKind.Gauge, "false"),
            new("truncating", StatisticKind.Gauge, Text(records.IsTruncatingSet(set))),
            new("default-read-touch-ttl-pct", StatisticKind.Gauge, Text(options?.DefaultReadTouchTtlPct ?? 0)),
            new("default-ttl", StatisticKind.Gauge, Text(options?.DefaultTtlSeconds ?? 0)),
            new("disable-eviction", StatisticKind.Gauge, Text(options?.DisableEviction == true)),
            new("enable-index", StatisticKind.Gauge, "false"),
            new("stop-writes-count", StatisticKind.Gauge, Text(options?.StopWritesCount ?? 0)),
            new("stop-writes-size", StatisticKind.Gauge, Text(options?.StopWritesSize ?? 0)),
        ];
    }

    /// Stripes of memory have no path; this is what stands in for one.
    public static string StripeName(int stripe) => $"stripe-{stripe}";
}

using System.Globalization;
using Aerie.Foundation;
using Aerie.Server.Metrics;
using Aerie.Server.Records;
using Aerie.Server.Statistics;

namespace Aerie.Server.Info;

/// Figures of the whole node: statistics, latencies, histograms, and our own.
internal sealed class StatisticsCommands(InfoSources sources)
{
    /// Lists of thousands of buckets end where nothing follows.
    private const int ObjectSizeMin = 16;

    public IEnumerable<InfoCommand> All =>
    [
        new("statistics", "statistics of the node", InfoPermission.None, Statistics),
        new("latencies", "rates and latencies of the last period: [hist=<name>]", InfoPermission.None, Latencies),
        new("histogram", "lives and sizes of records: namespace=;type=ttl|object-size|object-size-linear", InfoPermission.None, Histogram),
        new("aerie-stats", "what the node's parts cost: memory, processor time, system calls", InfoPermission.None, OwnStatistics),
        new("best-practices", "settings to reconsider", InfoPermission.None, (in _, reply) => reply.Append("failed_best_practices=none")),
        new("health-outliers", "nodes or devices that differ from their like", InfoPermission.None, (in _, reply) => { }),
        new("health-stats", "what outliers are found by", InfoPermission.None, (in _, reply) => { }),
        new("index-pressure", "memory of indexes on flash", InfoPermission.None, (in _, reply) => { }),
        new("get-stats", "statistics of shipping to other clusters: context=xdr;dc=", InfoPermission.None, (in request, reply) =>
            reply.Error(ResultCode.Parameter, request["context"] == "xdr" ? "unknown dc" : "bad context")),
    ];

    private void Statistics(in InfoRequest request, InfoText reply)
    {
        foreach (var statistic in sources.NodeStatistics.Read())
        {
            reply.Pair(statistic.Key, statistic.Value);
        }
    }

    private void Latencies(in InfoRequest request, InfoText reply)
    {
        var microseconds = sources.Config.Service.Current.MicrosecondHistograms;
        if (request["hist"] is not { } wanted)
        {
            reply.Append(string.Join(';', sources.Latencies.Histograms
                .Select(histogram => sources.Latencies.Report(histogram, microseconds))));
            return;
        }

        if (sources.Latencies.Find(wanted) is { } found)
        {
            reply.Append(sources.Latencies.Report(found, microseconds));
        }
        else if (IsKept(wanted))
        {
            reply.Append(wanted).Append(":"); // of a part that has measured nothing
        }
        else
        {
            reply.Error(ResultCode.Parameter, "bad hist name");
        }
    }

    // Histograms of the reference that nothing here fills.
    private bool IsKept(string name)
    {
        var close = name.IndexOf("}-", StringComparison.Ordinal);
        return name is "info" or "benchmarks-fabric"
            || (close > 0 && name[0] == '{' && sources.Namespaces.Find(name[1..close]) is not null
                && (name[(close + 2)..] is "proxy" or "re-repl" or "read-touch"
                    || name[(close + 2)..].StartsWith("benchmarks-", StringComparison.Ordinal)));
    }

    private void Histogram(in InfoRequest request, InfoText reply)
    {
        if (sources.Namespaces.Find(request.Namespace ?? "") is not { } records)
        {
            reply.Error(ResultCode.Namespace, "unknown namespace");
        }
        else if (request["set"] is { Length: > 0 })
        {
            reply.Error(ResultCode.UnsupportedFeature, "histograms are kept per namespace only");
        }
        else if (request["type"] is not ("ttl" or "object-size" or "object-size-linear"))
        {
            reply.Error(ResultCode.Parameter, "bad type");
        }
        else if (sources.Histograms(records) is not { } histograms)
        {
            reply.Error(ResultCode.Unavailable, "hist-unavailable");
        }
        else
        {
            AppendHistogram(request["type"]!, histograms, reply);
        }
    }

    private static void AppendHistogram(string type, RecordHistogramsSnapshot histograms, InfoText reply)
    {
        if (type == "object-size")
        {
            reply.Append("units=bytes");
            for (var i = 0; i < histograms.SizeLog.Length; i++)
            {
                if (histograms.SizeLog[i] > 0)
                {
                    var from = (1L << i) < ObjectSizeMin ? 0 : 1L << i;
                    reply.Append($":[{SizeText(from)}-{SizeText(2L << i)})={histograms.SizeLog[i]}");
                }
            }

            return;
        }

        var (units, width, buckets) = type == "ttl"
            ? ("seconds", histograms.TtlWidth, histograms.Ttl)
            : ("bytes", RecordHistograms.LinearWidth, histograms.SizeLinear);
        reply.Append($"units={units}:hist-width={width * buckets.Length}:bucket-width={width}:buckets={string.Join(',', buckets)}");
    }

    private static string SizeText(long bytes) => bytes switch
    {
        >= 1 << 20 => $"{bytes >> 20}M",
        >= 1 << 10 => $"{bytes >> 10}K",
        _ => bytes.ToString(CultureInfo.InvariantCulture),
    };

    private void OwnStatistics(in InfoRequest request, InfoText reply)
    {
        sources.Host.Sample();
        var host = sources.Host.Latest;
        Pair(reply, "gc_allocated_bytes", GC.GetTotalAllocatedBytes(precise: true));
        Pair(reply, "gc_heap_bytes", GC.GetTotalMemory(forceFullCollection: false));
        reply.Pair("gc_collections", $"{GC.CollectionCount(0)},{GC.CollectionCount(1)},{GC.CollectionCount(2)}");
        Pair(reply, "gc_pause_ns", (long)(GC.GetTotalPauseDuration().TotalMilliseconds * 1e6));
        Pair(reply, "process_rss_bytes", host.ResidentBytes);
        Pair(reply, "process_user_cpu_ns", host.UserCpuNanoseconds);
        Pair(reply, "process_kernel_cpu_ns", host.KernelCpuNanoseconds);
        Pair(reply, "process_threads", host.Threads);
        Pair(reply, "log_lines_dropped", sources.Log.DroppedLines);
        foreach (var records in sources.Namespaces.All)
        {
            Pair(reply, $"{records.Name}.index_used_bytes", records.Index.UsedBytes);
            Pair(reply, $"{records.Name}.index_live_bytes", records.Index.LiveBytes);
            Pair(reply, $"{records.Name}.data_resident_bytes", records.Log.ResidentBytes);
        }

        foreach (var loop in sources.Service.Loops())
        {
            AppendLoop(loop, reply);
        }
    }

    // A turn of the loop is one wait.
    private static void AppendLoop(LoopFigures loop, InfoText reply)
    {
        var prefix = $"loop[{loop.Number}].";
        Pair(reply, $"{prefix}connections", loop.Connections);
        Pair(reply, $"{prefix}turns", loop.Io.Waits);
        Pair(reply, $"{prefix}rests", loop.Io.Rests);
        Pair(reply, $"{prefix}receives", loop.Io.Receives);
        Pair(reply, $"{prefix}sends", loop.Io.Sends);
        Pair(reply, $"{prefix}bytes_received", loop.Io.BytesReceived);
        Pair(reply, $"{prefix}bytes_sent", loop.Io.BytesSent);
        Pair(reply, $"{prefix}accepted", loop.Io.Accepted);
        Pair(reply, $"{prefix}accept_failures", loop.Io.AcceptFailures);
        Pair(reply, $"{prefix}buffers_lent", loop.BuffersLent);
        Pair(reply, $"{prefix}buffer_bytes", loop.BufferBytes);
    }

    private static void Pair(InfoText reply, string key, long value) => reply.Pair(key, value.ToString(CultureInfo.InvariantCulture));
}

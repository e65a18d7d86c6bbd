using Aerie.Foundation;

namespace Aerie.Server.Logging;

/// The parts of the node that log under their own name, in the order in which `log/<id>` lists them. The names are the
/// reference's: configuration files and tools use them.
public static class LogContexts
{
    /// Where categories go that are no context, such as those of libraries.
    public const string Other = "misc";

    public static IReadOnlyList<string> Names { get; } =
    [
        "misc", "alloc", "arenax", "hardware", "msg", "os", "secrets", "socket", "tls", "vault", "vmapx", "xmem", "aggr",
        "appeal", "as", "audit", "batch", "batch-sub", "bin", "config", "clustering", "deprecation", "drv-mem", "drv_pmem",
        "drv_ssd", "exchange", "exp", "fabric", "flat", "geo", "hb", "health", "hlc", "index", "info", "info-command",
        "key-busy", "migrate", "mrt-audit", "mrt-monitor", "namespace", "nsup", "particle", "partition", "proto",
        "proxy", "proxy-divert", "query", "record", "roster", "rw", "rw-client", "security", "service", "service-list",
        "sindex", "skew", "smd", "storage", "truncate", "tsvc", "udf", "xdr", "xdr-client",
        "masking",
    ];

    private static readonly Dictionary<string, int> Numbers =
        Names.Select((name, number) => (name, number)).ToDictionary(pair => pair.name, pair => pair.number, StringComparer.Ordinal);

    public static bool TryFind(string name, out int context) => Numbers.TryGetValue(name, out context);

    /// The context of a logger's category.
    public static int Of(string category)
    {
        if (TryFind(category, out var context))
        {
            return context;
        }

        Invariant.Holds(TryFind(Other, out context));
        return context;
    }
}

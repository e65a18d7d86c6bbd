using System.Collections.Immutable;
using System.Globalization;

namespace Aerie.Server.Config;

/// Everything the node was told, in the types that the code uses. Made from the settings once at the start, and again in part
/// by each set-config; never changed in place.
public sealed record NodeOptions(
    ServiceOptions Service, NetworkOptions Network, LoggingOptions Logging, ImmutableArray<NamespaceOptions> Namespaces)
{
    /// The folder of registered modules.
    public required string UdfPath { get; init; }

    /// States with modules in them are kept from one call to the next.
    public required bool UdfCacheEnabled { get; init; }

    public static NodeOptions From(Settings root) => new(
        ServiceOptions.From(root.Child("service")!),
        NetworkOptions.From(root.Child("network")!),
        LoggingOptions.From(root.Child(SectionRules.LoggingPath)),
        [.. root.ChildrenOf("namespace").Select(NamespaceOptions.From)])
    {
        UdfPath = root.ChildOrNew("mod-lua", "mod-lua").Text("user-path"),
        UdfCacheEnabled = root.ChildOrNew("mod-lua", "mod-lua").Flag("cache-enabled"),
    };
}

/// Section `service`. Names and units are those of the reference.
public sealed record ServiceOptions
{
    /// Empty when not set.
    public required string ClusterName { get; init; }

    /// As statistics and monitoring print it.
    public string ClusterNameOrNull => ClusterName.Length > 0 ? ClusterName : "null";

    /// Null when the node shall make it from its network address.
    public required ulong? NodeId { get; init; }

    public required string NodeIdInterface { get; init; }

    public required string PidFile { get; init; }

    public required string WorkDirectory { get; init; }

    public required bool AdvertiseIpv6 { get; init; }

    public required int ServiceThreads { get; init; }

    public required int InfoThreads { get; init; }

    public required int InfoMaxMs { get; init; }

    public required int ProtoFdMax { get; init; }

    /// 0: idle connections stay.
    public required int ProtoFdIdleMs { get; init; }

    public required int BatchIndexThreads { get; init; }

    /// 0: no limit.
    public required long BatchMaxRequests { get; init; }

    public required long BatchMaxBuffersPerQueue { get; init; }

    public required long BatchMaxUnusedBuffers { get; init; }

    public required int QueryMaxDone { get; init; }

    public required int QueryThreadsLimit { get; init; }

    public required long TransactionMaxMs { get; init; }

    public required long TransactionRetryMs { get; init; }

    /// 0: no ticker.
    public required long TickerIntervalSeconds { get; init; }

    public required bool EnableHistInfo { get; init; }

    public required bool MicrosecondHistograms { get; init; }

    public required bool LogLocalTime { get; init; }

    public required bool LogMillis { get; init; }

    public required bool CgroupMemTracking { get; init; }

    /// Calls of functions answer "forbidden".
    public required bool DisableUdfExecution { get; init; }

    /// How long the node waits for its clients after SIGTERM.
    public required int ShutdownGraceMs { get; init; }

    /// Longest rest of an idle event loop before it asks for events again; 0 gives the lowest latency.
    public required int IoRestUs { get; init; }

    public static ServiceOptions From(Settings settings) => new()
    {
        ClusterName = settings.Text("cluster-name"),
        NodeId = settings.Text("node-id") is { Length: > 0 } id
            ? ulong.Parse(id, NumberStyles.HexNumber, CultureInfo.InvariantCulture)
            : null,
        NodeIdInterface = settings.Text("node-id-interface"),
        PidFile = settings.Text("pidfile"),
        WorkDirectory = settings.Text("work-directory"),
        AdvertiseIpv6 = settings.Flag("advertise-ipv6"),
        ServiceThreads = settings.Int("service-threads"),
        InfoThreads = settings.Int("info-threads"),
        InfoMaxMs = settings.Int("info-max-ms"),
        ProtoFdMax = settings.Int("proto-fd-max"),
        ProtoFdIdleMs = settings.Int("proto-fd-idle-ms"),
        BatchIndexThreads = settings.Int("batch-index-threads"),
        BatchMaxRequests = settings.Integer("batch-max-requests"),
        BatchMaxBuffersPerQueue = settings.Integer("batch-max-buffers-per-queue"),
        BatchMaxUnusedBuffers = settings.Integer("batch-max-unused-buffers"),
        QueryMaxDone = settings.Int("query-max-done"),
        QueryThreadsLimit = settings.Int("query-threads-limit"),
        TransactionMaxMs = settings.Integer("transaction-max-ms"),
        TransactionRetryMs = settings.Integer("transaction-retry-ms"),
        TickerIntervalSeconds = settings.Integer("ticker-interval"),
        EnableHistInfo = settings.Flag("enable-hist-info"),
        MicrosecondHistograms = settings.Flag("microsecond-histograms"),
        LogLocalTime = settings.Flag("log-local-time"),
        LogMillis = settings.Flag("log-millis"),
        CgroupMemTracking = settings.Flag("cgroup-mem-tracking"),
        DisableUdfExecution = settings.Flag("disable-udf-execution"),
        ShutdownGraceMs = settings.Int("shutdown-grace-ms"),
        IoRestUs = settings.Int("io-rest-us"),
    };
}

/// Where the node listens. Info, admin and metrics are null unless their section is there.
public sealed record NetworkOptions(
    ListenOptions Service,
    AccessOptions Access,
    AccessOptions AlternateAccess,
    ListenOptions? Admin,
    ListenOptions? Info,
    ListenOptions? Metrics)
{
    public static NetworkOptions From(Settings network)
    {
        Settings service = network.Child("service")!;
        return new NetworkOptions(
            ListenOptions.From(service),
            new AccessOptions([.. service.List("access-addresses")], service.Int("access-port")),
            new AccessOptions([.. service.List("alternate-access-addresses")], service.Int("alternate-access-port")),
            network.Child("admin") is { } admin ? ListenOptions.From(admin) : null,
            network.Child("info") is { } info ? ListenOptions.From(info) : null,
            network.Child("metrics") is { } metrics ? ListenOptions.From(metrics) : null);
    }
}

/// Addresses are IP addresses, host or interface names, or `any`; none means any. Port 0 lets the system choose one.
public sealed record ListenOptions(ImmutableArray<string> Addresses, int Port, bool DisableLocalhost)
{
    public static ListenOptions From(Settings section) => new(
        [.. section.List("addresses")],
        section.Int("port"),
        section.Path is "network.service" or "network.admin" && section.Flag("disable-localhost"));
}

/// What clients are told to connect to. Without addresses: those the node listens on; port 0: the port it listens on.
public sealed record AccessOptions(ImmutableArray<string> Addresses, int Port);

public enum LogLevel
{
    Critical,
    Warning,
    Info,
    Debug,
    Detail,
}

public enum LogSinkKind
{
    Console,
    File,
    Syslog,
}

/// Section `logging`; a single console at level info when there is none.
public sealed record LoggingOptions(ImmutableArray<LogSinkOptions> Sinks)
{
    public static LoggingOptions From(Settings? logging) => logging is not { Children.Count: > 0 }
        ? new LoggingOptions([LogSinkOptions.Console])
        : new LoggingOptions([.. logging.Children.Select(LogSinkOptions.From)]);
}

/// One place to log to. `Levels` holds what was given for single contexts; all others have `AnyLevel`.
public sealed record LogSinkOptions(
    LogSinkKind Kind, string Path, string Facility, string Tag, LogLevel AnyLevel, ImmutableDictionary<string, LogLevel> Levels)
{
    public static LogSinkOptions Console { get; } =
        new(LogSinkKind.Console, "", "", "", LogLevel.Info, ImmutableDictionary<string, LogLevel>.Empty);

    public static LogSinkOptions From(Settings sink)
    {
        LogSinkKind kind = Enum.Parse<LogSinkKind>(sink.Keyword, ignoreCase: true);
        ImmutableDictionary<string, LogLevel> levels = sink.GivenNames
            .Where(name => name is not ("any" or "facility" or "path" or "tag"))
            .ToImmutableDictionary(name => name, name => LevelOf(sink, name), StringComparer.Ordinal);
        string path = kind switch
        {
            LogSinkKind.File => sink.Name,
            LogSinkKind.Syslog => sink.Text("path"),
            _ => "",
        };
        return new LogSinkOptions(kind, path, sink.Text("facility"), sink.Text("tag"), LevelOf(sink, "any"), levels);
    }

    public LogLevel LevelFor(string context) => Levels.TryGetValue(context, out LogLevel level) ? level : AnyLevel;

    private static LogLevel LevelOf(Settings sink, string name) => Enum.Parse<LogLevel>(sink.Text(name), ignoreCase: true);
}

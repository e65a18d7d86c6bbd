using System.Collections.Frozen;

namespace Aerie.Server.Config;

/// Section `namespace`, with its storage engine and sets. Event loops read it through LiveOptions on every request.
public sealed record NamespaceOptions
{
    public required string Name { get; init; }

    /// What the file says; a single node keeps one copy.
    public required int ReplicationFactor { get; init; }

    public required int RackId { get; init; }

    /// 0: records live for ever unless the client says otherwise.
    public required uint DefaultTtlSeconds { get; init; }

    /// A read in the last part of a life (this percentage) renews it; 0 never.
    public required int DefaultReadTouchTtlPct { get; init; }

    public required bool AllowTtlWithoutNsup { get; init; }

    public required bool ApplyTtlReductions { get; init; }

    public required bool DisallowNullSetname { get; init; }

    public required bool RejectNonXdrWrites { get; init; }

    public required bool RejectXdrWrites { get; init; }

    public required int MaxRecordSize { get; init; }

    /// 0: no limit.
    public required long TransactionPendingLimit { get; init; }

    /// 0: expired records are not removed.
    public required long NsupPeriodSeconds { get; init; }

    public required int NsupThreads { get; init; }

    public required long NsupHistPeriodSeconds { get; init; }

    public required int EvictHistBuckets { get; init; }

    public required long EvictTenthsPct { get; init; }

    public required int EvictIndexesMemoryPct { get; init; }

    /// 0: no budget.
    public required long IndexesMemoryBudget { get; init; }

    /// Advice for the index's allocator.
    public required long IndexStageSize { get; init; }

    public required int StopWritesSysMemoryPct { get; init; }

    public required int TruncateThreads { get; init; }

    /// 0: tombstones stay.
    public required long TombRaiderPeriodSeconds { get; init; }

    public required long TombRaiderEligibleAgeSeconds { get; init; }

    public required int SingleQueryThreads { get; init; }

    public required bool InlineShortQueries { get; init; }

    public required int BackgroundQueryMaxRps { get; init; }

    public required bool EnableBenchmarksRead { get; init; }

    public required bool EnableBenchmarksWrite { get; init; }

    public required bool EnableBenchmarksBatchSub { get; init; }

    public required bool EnableBenchmarksOpsSub { get; init; }

    public required StorageOptions Storage { get; init; }

    /// By name. Sets that nobody configured are not in it and follow the namespace.
    public required FrozenDictionary<string, SetOptions> Sets { get; init; }

    public static NamespaceOptions From(Settings settings) => new()
    {
        Name = settings.Name,
        ReplicationFactor = settings.Int("replication-factor"),
        RackId = settings.Int("rack-id"),
        DefaultTtlSeconds = (uint)settings.Integer("default-ttl"),
        DefaultReadTouchTtlPct = settings.Int("default-read-touch-ttl-pct"),
        AllowTtlWithoutNsup = settings.Flag("allow-ttl-without-nsup"),
        ApplyTtlReductions = settings.Flag("apply-ttl-reductions"),
        DisallowNullSetname = settings.Flag("disallow-null-setname"),
        RejectNonXdrWrites = settings.Flag("reject-non-xdr-writes"),
        RejectXdrWrites = settings.Flag("reject-xdr-writes"),
        MaxRecordSize = settings.Int("max-record-size"),
        TransactionPendingLimit = settings.Integer("transaction-pending-limit"),
        NsupPeriodSeconds = settings.Integer("nsup-period"),
        NsupThreads = settings.Int("nsup-threads"),
        NsupHistPeriodSeconds = settings.Integer("nsup-hist-period"),
        EvictHistBuckets = settings.Int("evict-hist-buckets"),
        EvictTenthsPct = settings.Integer("evict-tenths-pct"),
        EvictIndexesMemoryPct = settings.Int("evict-indexes-memory-pct"),
        IndexesMemoryBudget = settings.Integer("indexes-memory-budget"),
        IndexStageSize = settings.Integer("index-stage-size"),
        StopWritesSysMemoryPct = settings.Int("stop-writes-sys-memory-pct"),
        TruncateThreads = settings.Int("truncate-threads"),
        TombRaiderPeriodSeconds = settings.Integer("tomb-raider-period"),
        TombRaiderEligibleAgeSeconds = settings.Integer("tomb-raider-eligible-age"),
        SingleQueryThreads = settings.Int("single-query-threads"),
        InlineShortQueries = settings.Flag("inline-short-queries"),
        BackgroundQueryMaxRps = settings.Int("background-query-max-rps"),
        EnableBenchmarksRead = settings.Flag("enable-benchmarks-read"),
        EnableBenchmarksWrite = settings.Flag("enable-benchmarks-write"),
        EnableBenchmarksBatchSub = settings.Flag("enable-benchmarks-batch-sub"),
        EnableBenchmarksOpsSub = settings.Flag("enable-benchmarks-ops-sub"),
        Storage = StorageOptions.From(settings.Child("storage-engine")!),
        Sets = settings.ChildrenOf("set").ToFrozenDictionary(set => set.Name, SetOptions.From),
    };
}

/// Section `set`.
public sealed record SetOptions
{
    /// 0: that of the namespace.
    public required uint DefaultTtlSeconds { get; init; }

    /// 0: that of the namespace; -1: never.
    public required int DefaultReadTouchTtlPct { get; init; }

    public required bool DisableEviction { get; init; }

    /// 0: no limit.
    public required long StopWritesCount { get; init; }

    /// 0: no limit.
    public required long StopWritesSize { get; init; }

    public static SetOptions From(Settings settings) => new()
    {
        DefaultTtlSeconds = (uint)settings.Integer("default-ttl"),
        DefaultReadTouchTtlPct = settings.Int("default-read-touch-ttl-pct"),
        DisableEviction = settings.Flag("disable-eviction"),
        StopWritesCount = settings.Integer("stop-writes-count"),
        StopWritesSize = settings.Integer("stop-writes-size"),
    };
}

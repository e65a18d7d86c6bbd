using Aerie.Server.Config;

namespace Aerie.Server.Records.Housekeeping;

/// How full a namespace is. A memory of null: not known, or not asked for.
internal readonly record struct CapacityReading(int DataUsedPct, int DataAvailPct, int? SystemMemoryUsedPct, long IndexBytes)
{
    public static CapacityReading Of(Namespace records, int? systemMemoryUsedPct) =>
        new(records.Log.UsedPercent, records.Log.AvailablePercent, systemMemoryUsedPct, records.Index.LiveBytes);
}

/// One limit against what was measured, both as "the more, the fuller".
internal readonly record struct CapacityLimit(string Name, double Limit, double Value, string Measure, long Measured, long Setting)
{
    /// Where early warnings begin, and below which they may come again.
    private const double NearPart = 0.80;
    private const double FarPart = 0.75;

    public bool IsReached => Limit > 0 && Value >= Limit;

    public bool IsNear => Limit > 0 && Value >= Limit * NearPart;

    public bool IsFar => Limit <= 0 || Value < Limit * FarPart;

    public string Text => $"{Measure} is {Measured}, {Name} {Setting}";
}

/// The limits of a namespace that stop writes or start evictions. Pure: reading in, verdict out.
internal static class CapacityLimits
{
    public const int StopWritesLimits = 4;

    /// The index takes memory in pieces per size of leaf and cannot use the last of each: close to the budget it is full.
    private const double BudgetUsablePart = 0.98;

    /// In the order in which they are reported. A limit of 0 is off.
    public static void OfStopWrites(NamespaceOptions options, in CapacityReading now, Span<CapacityLimit> into)
    {
        var storage = options.Storage;
        into[0] = new CapacityLimit(
            "stop-writes-used-pct", storage.StopWritesUsedPct, now.DataUsedPct,
            "data_used_pct", now.DataUsedPct, storage.StopWritesUsedPct);
        into[1] = new CapacityLimit(
            "stop-writes-avail-pct", storage.StopWritesAvailPct == 0 ? 0 : 101 - storage.StopWritesAvailPct, 100 - now.DataAvailPct,
            "data_avail_pct", now.DataAvailPct, storage.StopWritesAvailPct);
        into[2] = new CapacityLimit(
            "stop-writes-sys-memory-pct", options.StopWritesSysMemoryPct, now.SystemMemoryUsedPct ?? 0,
            "memory used in per cent", now.SystemMemoryUsedPct ?? 0, options.StopWritesSysMemoryPct);
        into[3] = new CapacityLimit(
            "indexes-memory-budget", options.IndexesMemoryBudget * BudgetUsablePart, now.IndexBytes,
            "index_used_bytes", now.IndexBytes, options.IndexesMemoryBudget);
    }

    public static bool IsEvictionDue(NamespaceOptions options, in CapacityReading now) =>
        IsReached(options.Storage.EvictUsedPct, now.DataUsedPct)
        || (options.IndexesMemoryBudget != 0
            && IsReached(options.EvictIndexesMemoryPct, now.IndexBytes * 100.0 / options.IndexesMemoryBudget));

    private static bool IsReached(int limit, double value) => limit != 0 && value >= limit;
}

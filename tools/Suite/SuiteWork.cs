using Aerie.Tools.Bench;

namespace Aerie.Tools.Suite;

/// What a work is measured on.
public enum WorkPlace
{
    /// Records in memory, beside the floor.
    Memory,

    /// Records on a device, beside a floor that waits for its own.
    Device,

    /// Inside records in memory, without a floor.
    Record,
}

/// One row of the table: what is done, over how many connections, and where.
public sealed record SuiteWork(string Name, Workload Workload, int Connections, WorkPlace Place = WorkPlace.Memory)
{
    public static readonly IReadOnlyList<SuiteWork> All =
    [
        new("read", Workload.Read, 64),
        new("mixed", Workload.Mixed, 64),
        new("write", Workload.Write, 64),
        new("batch", Workload.Batch, 16),
        new("scan", Workload.Scan, 4), // each is a stream of its own
        new("single", Workload.Single, 1),
        new("device-read-64", Workload.Read, 64, WorkPlace.Device),
        new("device-read-256", Workload.Read, 256, WorkPlace.Device),
        new("device-mixed-64", Workload.Mixed, 64, WorkPlace.Device),
        new("device-mixed-256", Workload.Mixed, 256, WorkPlace.Device),
        InRecord(Workload.MapGet) with { Base = Workload.NumberGet, ExtraGoalUs = 1.0 },
        InRecord(Workload.MapPut) with { Base = Workload.NumberPut, ExtraGoalUs = 3.0 },
        InRecord(Workload.Filter) with { Base = Workload.Read, ExtraGoalUs = 0.3 },
        InRecord(Workload.Operate) with { Base = Workload.NumberPut, ExtraGoalUs = 1.5 },
        InRecord(Workload.Udf) with { Base = Workload.NumberPut, ExtraGoalUs = 1.0 },
        InRecord(Workload.UdfBatch) with { Base = Workload.NumberPutBatch, CpuGoalUs = 1.5, BatchSize = 1000 },
        InRecord(Workload.Utxo) with { SpendsPerOperation = UtxoRequests.SpendsPerCall, BatchSize = 64 },
        InRecord(Workload.UtxoMixed) with { SpendsPerOperation = UtxoRequests.SpendsPerStep, BatchSize = 64 },
    ];

    /// In flight on each connection.
    public int Pipeline { get; init; } = 1;

    public int BatchSize { get; init; } = 100;

    /// The plain request on the same records that it is compared with; null: none.
    public Workload? Base { get; init; }

    /// The most processor time that it may cost more than that, in microseconds. Null: no goal.
    public double? ExtraGoalUs { get; init; }

    /// The most that it may cost in all.
    public double? CpuGoalUs { get; init; }

    /// 0: nothing is spent.
    public double SpendsPerOperation { get; init; }

    /// What a name chooses: itself, or all that go on behind it with a number (`device-read`). Empty: there is no such work.
    public static IEnumerable<SuiteWork> Named(string name) => All.Where(work =>
        work.Name == name
        || (work.Name.StartsWith(name + "-", StringComparison.Ordinal) && char.IsAsciiDigit(work.Name[name.Length + 1])));

    /// Many requests at once on few connections, as a batch is many: the cost of a system call is shared by them, and what is
    /// compared stands out.
    private static SuiteWork InRecord(Workload workload) => workload.IsStream
        ? new(workload.Name, workload, 4, WorkPlace.Record)
        : new(workload.Name, workload, 16, WorkPlace.Record) { Pipeline = 16 };
}

using Aerie.Tools.Bench;

namespace Aerie.Tools.Suite;

/// One row of the table: what is done, over how many connections, and whether records lie in memory or on a device.
public sealed record SuiteWork(string Name, Workload Workload, int Connections, bool IsOnDevice = false)
{
    public static readonly IReadOnlyList<SuiteWork> All =
    [
        new("read", Workload.Read, 64),
        new("mixed", Workload.Mixed, 64),
        new("write", Workload.Write, 64),
        new("batch", Workload.Batch, 16),
        new("scan", Workload.Scan, 4), // each is a stream of its own
        new("single", Workload.Single, 1),
        new("device-read-64", Workload.Read, 64, IsOnDevice: true),
        new("device-read-256", Workload.Read, 256, IsOnDevice: true),
        new("device-mixed-64", Workload.Mixed, 64, IsOnDevice: true),
        new("device-mixed-256", Workload.Mixed, 256, IsOnDevice: true),
    ];

    /// What a name chooses: itself, or all that go on behind it with a number (`device-read`). Empty: there is no such work.
    public static IEnumerable<SuiteWork> Named(string name) => All.Where(work =>
        work.Name == name
        || (work.Name.StartsWith(name + "-", StringComparison.Ordinal) && char.IsAsciiDigit(work.Name[name.Length + 1])));
}

using Aerie.Tools.Bench;

namespace Aerie.Tools.Suite;

public sealed record SuiteOptions
{
    public string NodeBin { get; init; } = "bin/aerie-node";

    public string FloorBin { get; init; } = "artifacts/floor";

    public string Folder { get; init; } = "artifacts";

    public int FirstPort { get; init; } = 22100;

    public int Keys { get; init; } = 1_000_000;

    /// Records with a map of a thousand entries.
    public int MapKeys { get; init; } = 10_000;

    /// Records with six integers.
    public int NumberKeys { get; init; } = 200_000;

    /// Transactions with outputs to spend.
    public int UtxoKeys { get; init; } = 200_000;

    public double Seconds { get; init; } = 2;

    /// Before each measurement, so that no server is measured while it still compiles.
    public double WarmupSeconds { get; init; } = 1;

    /// Odd, so that the median is a measurement that took place.
    public int Rounds { get; init; } = 5;

    public IReadOnlyList<string> WorkNames { get; init; } = [.. SuiteWork.All.Select(work => work.Name)];

    /// Where the device works put their two files; null: the folder of the results.
    public string? DeviceFolder { get; init; }

    /// The file of the node; the baseline's holds as many records.
    public long DeviceMegabytes { get; init; } = 4096;

    public int DeviceValueSize { get; init; } = 1000;

    /// A memory cgroup made for the run, of either version: the node of the device works moves there. Null: no limit. Nothing
    /// is guessed: below a group that has processes version 2 allows none with limits.
    public string? MemoryGroup { get; init; }

    public long MemoryMegabytes { get; init; } = 1024;

    public const int ValueSize = 100;

    /// How many threads of the baseline wait for the device. The default is what servers of this kind start for a processor, and what
    /// the goals of the device works were measured against; 16 cost a fifth less for each read when there are connections enough.
    public int BlockingThreads { get; init; } = 5;

    /// The least a device namespace can be measured on: below, most of it is in the node's write buffers.
    private const long DeviceMegabytesMin = 256;

    /// Below, a record's next step would come too soon.
    private const int UtxoKeysMin = 5_000;

    public IReadOnlyList<SuiteWork> Works => [.. WorkNames.SelectMany(SuiteWork.Named).Distinct()];

    /// 60 % of the file, below the 70 % at which a namespace stops writes unless it is told otherwise.
    public int DeviceKeys => (int)Math.Min(DeviceMegabytes * 1024 * 1024 * 6 / 10 / (DeviceValueSize + 48), KeyTable.KeysMax);

    /// One line that says what cannot be run, or null.
    public string? Complaint() => this switch
    {
        { FirstPort: < 1 or > 65_535 - 4 } => "--port must be 1 to 65531",
        { Keys: < 1 } => "--keys must be 1 or more",
        { MapKeys: < 1 } => "--map-keys must be 1 or more",
        { NumberKeys: < 1 } => "--number-keys must be 1 or more",
        { UtxoKeys: < UtxoKeysMin } => $"--utxo-keys must be {UtxoKeysMin} or more",
        { Rounds: < 1 } => "--rounds must be 1 or more",
        { DeviceMegabytes: < DeviceMegabytesMin } => $"--device-mb must be {DeviceMegabytesMin} or more",
        { DeviceValueSize: < 1 or > 500_000 } => "--device-value-size must be 1 to 500000",
        { MemoryMegabytes: < 1 } => "--memory-mb must be 1 or more",
        { BlockingThreads: < 1 or > 256 } => "--blocking-threads must be 1 to 256",
        _ when WorkNames.FirstOrDefault(name => !SuiteWork.Named(name).Any()) is { } unknown =>
            $"--works knows {string.Join(", ", SuiteWork.All.Select(work => work.Name))}; not {unknown}",
        _ => null,
    };
}

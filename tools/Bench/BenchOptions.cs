using Aerie.Client.Cluster;

namespace Aerie.Tools.Bench;

/// What to send where. The generator talks to this one address and does not ask for a partition map.
public sealed record BenchOptions
{
    /// A year: longer than any run.
    private const double SecondsMax = 366 * 24 * 3600;

    public HostAddress Host { get; init; } = new("127.0.0.1", HostAddress.DefaultPort);

    public string Namespace { get; init; } = "test";

    public string Set { get; init; } = "bench";

    public int Keys { get; init; } = 1_000_000;

    public Workload Workload { get; init; } = Workload.Read;

    /// What an insert writes; other workloads must find what they need.
    public RecordShape Shape { get; init; }

    /// Of a text.
    public int ValueSize { get; init; } = 100;

    public int Connections { get; init; } = 64;

    public TimeSpan Duration { get; init; } = TimeSpan.FromSeconds(10);

    /// Sent before measuring starts, so that both sides have compiled and cached what they need.
    public TimeSpan Warmup { get; init; } = TimeSpan.Zero;

    /// How often a run tells how it goes.
    public TimeSpan ReportEvery { get; init; } = TimeSpan.FromSeconds(1);

    /// Requests per second over all connections; 0: each connection sends when it has its answer.
    public double Rate { get; init; }

    public int Threads { get; init; } = 1;

    public int BatchSize { get; init; } = 100;

    /// Requests in flight per connection; answers come back in order.
    public int Pipeline { get; init; } = 1;

    public ulong Seed { get; init; } = 1;

    /// The server's process, for its use of the processor.
    public int? Pid { get; init; }

    /// How many records come between two steps in the life of one: many times what may be in flight, so that on no connection a
    /// step comes before the one that was sent before it on another.
    internal int StepDistance
    {
        get
        {
            const int TimesInFlight = 8;
            return Math.Max(1, TimesInFlight * Connections * Pipeline / Threads) * (BatchSize / Workload.Steps);
        }
    }

    private bool IsStream => Workload.IsStream;

    private bool IsScan => Workload.IsScan;

    private int KeysPerThread => Keys / Threads;

    /// The type of a duration holds less than a number can say.
    public static TimeSpan Seconds(double seconds) =>
        Math.Abs(seconds) <= SecondsMax ? TimeSpan.FromSeconds(seconds) : throw new BenchException($"{seconds} is no number of seconds");

    /// One line that says what cannot be run, or null.
    public string? Complaint() => this switch
    {
        { Keys: < 1 or > KeyTable.KeysMax } => $"--keys must be 1 to {KeyTable.KeysMax}",
        { ValueSize: < 0 or > 8 * 1024 * 1024 } => "--value-size must be 0 to 8388608",
        { Connections: < 1 or > 100_000 } => "--connections must be 1 to 100000",
        { Threads: < 1 or > 256 } => "--threads must be 1 to 256",
        { BatchSize: < 1 or > 100_000 } => "--batch-size must be 1 to 100000",
        { Pipeline: < 1 or > 1024 } => "--pipeline must be 1 to 1024",
        { Rate: < 0 or > 100_000_000 } => "--rate must be 0 (closed loop) to 100000000",
        { IsScan: true, Rate: > 0 } => "a scan has no --rate: the server's stream sets the pace",
        { IsScan: true, Connections: > 4096 } => "a scan shares 4096 partitions: at most that many connections",
        { IsStream: true, Pipeline: > 1 } => "--pipeline is for single-record workloads",
        _ when Workload.Order == KeyOrder.Once && IsStream && KeysPerThread < BatchSize =>
            "--keys must be at least --batch-size for each thread",
        _ when BatchSize < Workload.Steps => $"--batch-size must be {Workload.Steps} or more",
        _ when Workload.Steps > 1 && KeysPerThread < (long)StepDistance * Workload.Steps =>
            $"--keys must be {(long)StepDistance * Workload.Steps * Threads} or more with so much in flight",
        _ when Duration <= TimeSpan.Zero => "--duration must be more than 0",
        _ when ReportEvery <= TimeSpan.Zero => "a run tells how it goes after more than 0 seconds",
        _ when Warmup < TimeSpan.Zero => "--warmup must not be below 0",
        _ => null,
    };
}

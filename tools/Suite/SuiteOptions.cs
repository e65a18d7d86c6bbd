namespace Aerie.Tools.Suite;

public sealed record SuiteOptions
{
    public static readonly IReadOnlyList<string> AllWorks = ["read", "mixed", "write", "batch", "scan", "single"];

    public string NodeBin { get; init; } = "bin/aerie-node";

    public string FloorBin { get; init; } = "artifacts/floor";

    public string Folder { get; init; } = "artifacts";

    public int FirstPort { get; init; } = 22100;

    public int Keys { get; init; } = 1_000_000;

    public double Seconds { get; init; } = 2;

    /// Odd, so that the median is a measurement that took place.
    public int Rounds { get; init; } = 5;

    public IReadOnlyList<string> Works { get; init; } = AllWorks;

    public const int ValueSize = 100;
    public const int Connections = 64;

    /// Fewer than for single records: each is a stream of its own.
    public const int ScanConnections = 4;

    public const int BatchConnections = 16;

    /// One line that says what cannot be run, or null.
    public string? Complaint() => this switch
    {
        { FirstPort: < 1 or > 65_535 - 4 } => "--port must be 1 to 65531",
        { Keys: < 1 } => "--keys must be 1 or more",
        { Rounds: < 1 } => "--rounds must be 1 or more",
        _ when Works.Except(AllWorks, StringComparer.Ordinal).FirstOrDefault() is { } unknown =>
            $"--works knows {string.Join(", ", AllWorks)}; not {unknown}",
        _ => null,
    };

    /// Before each measurement, so that neither server is measured while it still compiles.
    public const double WarmupSeconds = 1;
}

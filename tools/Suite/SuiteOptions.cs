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

    /// Before each measurement, so that neither server is measured while it still compiles.
    public const double WarmupSeconds = 1;
}

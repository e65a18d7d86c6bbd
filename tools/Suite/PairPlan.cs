namespace Aerie.Tools.Suite;

/// What the two servers of a pair hold, and how they are started. Name: what their files begin with.
internal sealed record PairPlan(string Name, int Keys, int ValueSize, string NodeConfiguration)
{
    public int FloorThreads { get; init; } = 1;

    /// Null: the floor keeps its records in memory.
    public string? FloorFile { get; init; }

    /// Null: the node may have what memory there is.
    public MemoryGroup? MemoryGroup { get; init; }

    public bool IsOnDevice => FloorFile is not null;
}

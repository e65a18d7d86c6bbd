namespace Aerie.Index;

public sealed record PrimaryIndexOptions
{
    /// Bytes that the index may take from the system; zero: as many as there are. Inserts answer false beyond.
    public long MemoryBudget { get; init; }

    /// Where addresses are reserved for growth. Costs nothing until used; all the memory that this process may ever have.
    public long AddressSpace { get; init; } = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
}

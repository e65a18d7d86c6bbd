using Aerie.Foundation;

namespace Aerie.Storage.Devices;

public sealed record DeviceBackingOptions
{
    /// Cursors of the log: each may have a block open at any time.
    public required int Cursors { get; init; }

    /// Threads that read, each with a number below this.
    public required int Readers { get; init; }

    /// `max-write-cache`, dynamic. Full blocks that wait to be written.
    public required Func<long> MaxWriteCache { get; init; }

    /// `post-write-cache`, dynamic. Blocks that were written and can still be read from memory.
    public required Func<long> PostWriteCache { get; init; }

    /// All blocks stay in memory: a memory namespace that writes through.
    public bool KeepAll { get; init; }

    public required IClock Clock { get; init; }
}

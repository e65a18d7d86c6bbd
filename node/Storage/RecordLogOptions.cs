namespace Aerie.Storage;

/// What the configuration of a namespace decides for its log. The size is the backing's.
public sealed record RecordLogOptions
{
    /// More cursors would leave too much of a small log in half-filled blocks.
    public const int StripesMax = 8;

    /// Append cursors: one per event loop, so that loops do not meet on one block.
    public int Stripes { get; init; } = StripesMax;

    /// Config `defrag-lwm-pct`: blocks used less than this are defragmented.
    public int DefragLwmPct { get; init; } = 50;
}

/// The figures of one stripe as the statistics list them. Blocks are shared by all cursors: free blocks, the queue and
/// the work of the defragmenter are dealt out evenly, so that the stripes add up to the log.
public readonly record struct StripeStatistics(
    long UsedBytes, int FreeBlocks, long Writes, int DefragQueue, long DefragReads, long DefragWrites);

/// The figures of one device as the statistics list them. The defragmenter's are dealt out evenly.
public readonly record struct DeviceStatistics(
    long UsedBytes, int FreeBlocks, int DefragQueue, long DefragReads, long DefragWrites, DeviceFigures Figures);

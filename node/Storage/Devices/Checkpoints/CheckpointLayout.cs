namespace Aerie.Storage.Devices.Checkpoints;

/// How a checkpoint lies in its blocks: the head in the first ones, then all rows. Each block begins with a header page of
/// kind Checkpoint, written when the rest of the block is. A row never lies across two blocks.
public static class CheckpointLayout
{
    /// An index entry as it stands in memory.
    public const int RowLength = 40;

    /// Bytes of a block behind its header.
    public const int PayloadLength = DeviceLayout.BlockLength - DeviceLayout.PageLength;

    public const int RowsPerBlock = PayloadLength / RowLength;

    public static int HeadBlocks(long headLength) => (int)((headLength + PayloadLength - 1) / PayloadLength);

    public static long RowBlocks(long rows) => (rows + RowsPerBlock - 1) / RowsPerBlock;

    /// Where a row lies: which of the blocks with rows, and the byte in it.
    public static (int Block, int Offset) PlaceOf(long row) =>
        ((int)(row / RowsPerBlock), DeviceLayout.PageLength + ((int)(row % RowsPerBlock) * RowLength));

    /// The first page not needed for so many bytes from the start of a page on.
    public static int Pages(int bytes) => (bytes + DeviceLayout.PageLength - 1) / DeviceLayout.PageLength * DeviceLayout.PageLength;
}

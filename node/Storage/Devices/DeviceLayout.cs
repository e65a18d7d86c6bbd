namespace Aerie.Storage.Devices;

/// Where things lie on a device. Block 0 is the label area, blocks 1 … n-1 hold data; what does not fill a whole block at
/// the end of a device is left alone.
public static class DeviceLayout
{
    /// What a device writes as a whole, or not at all.
    public const int PageLength = 4096;

    public const int BlockLength = IBlockBacking.BlockLength;

    /// The label area and three blocks of data: one open, two for defragmentation.
    public const int BlocksMin = 4;

    /// The first page of the device and its copy, the second.
    public const int DeviceHeadersLength = 2 * PageLength;

    public const int MetadataLengthMax = 1024 * 1024;

    public const int MetadataSlots = 2;

    /// The first page of a data block is its header; the chain of images begins behind it.
    public const int FirstUnit = PageLength / StorageUnit.Length;

    public static long BlockOffset(long deviceBlock) => deviceBlock * BlockLength;

    /// Slots are written in turn, so that the generation before stays whole while the next one is written.
    public static long MetadataOffset(int slot) => (slot + 1L) * MetadataLengthMax;

    public static int MetadataSlotOf(ulong generation) => (int)(generation % MetadataSlots);

    public static long BlockCount(long deviceLength) => deviceLength / BlockLength;
}

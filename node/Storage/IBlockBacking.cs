using Aerie.Io;

namespace Aerie.Storage;

/// Where the blocks of a record log live: memory, a file, a raw device. The log decides what goes where and when a block
/// is free; a backing only keeps bytes. Blocks are numbered from 0, all of BlockLength.
///
/// The life of a block: TryOpen → Writable … (Settle …) → Seal → TryResident … → Discard → TryOpen. The log calls TryOpen,
/// Settle, Seal and Discard of one block never at the same time, of different blocks from any thread.
public interface IBlockBacking : IDisposable
{
    /// 8 MiB: the write block of the reference since 7.1, and the largest record.
    const int BlockLength = 8 * 1024 * 1024;

    const int ReadersMax = 1024;

    int BlockCount { get; }

    /// Blocks outlive the process. A freed one is used again only when a flush has succeeded that began after it was freed,
    /// and records that are removed leave a mark.
    bool IsPersistent { get; }

    /// Where the first image of a block lies; what is in front belongs to the backing.
    int FirstUnit { get; }

    /// What the checksums of the images in the block are combined with, so that images of an earlier life of the block
    /// never look like images of this one. Fixed from TryOpen to Discard.
    uint SeedOf(int block);

    /// Bytes of memory that the backing holds right now for its blocks. A block counts as a whole once it is opened.
    long ResidentBytes { get; }

    /// Every life of a block has a number of its own, which rises in the order of TryOpen; this is the last one given out.
    /// 0: not persistent.
    ulong LastSequence { get; }

    /// Of the block's present life; of its last one while it is free. 0: not persistent.
    ulong SequenceOf(int block);

    /// The oldest life that can still be found on a device. ulong.MaxValue: none. Looks at every block.
    ulong OldestSequence { get; }

    /// The devices that statistics are told of; 0 in memory.
    int DeviceCount { get; }

    /// Which of them the block lies on.
    int DeviceOf(int block);

    DeviceFigures FiguresOf(int device);

    /// Makes a free block writable. What it held before may still be there: the log reads only what it wrote since.
    /// False when the system refuses the memory, or too much waits to be written out. Quick: the log calls it while it holds
    /// an append cursor.
    bool TryOpen(int block);

    /// The whole block for writing, only between TryOpen and Seal. Several threads fill different parts of it at once.
    Span<byte> Writable(int block);

    /// The bytes, when they can be had without waiting. They stay until the same reader asks for others: a reader is a
    /// thread with a number of its own, at most ReadersMax.
    bool TryResident(int reader, int block, int offset, int length, out ReadOnlySpan<byte> bytes);

    /// Where the block lies, for those who read what is not resident. Only of a persistent backing.
    (IBlockDevice Device, long Offset) PlaceOf(int block);

    /// Share of the memory for what waits to be written, in per cent: from 100 on TryOpen refuses.
    int WriteCachePercent { get; }

    /// All of a sealed block, for the defragmenter alone, which waits for it. False: it cannot be read. Undone by Unload.
    bool TryLoad(int block, out ReadOnlySpan<byte> bytes);

    void Unload(int block);

    /// A hint: starts loading bytes that are likely to be read soon. The block may be any of the backing's, in use or not.
    void Prefetch(int block, int offset, int length);

    /// The first `length` bytes of an open block are final and may be written out; whole pages.
    void Settle(int block, int length);

    /// Fixes what the next Flush writes: all that was settled or sealed by now, and nothing that comes later.
    void BeginFlush();

    /// Writes out what BeginFlush has fixed, and returns when it is safe. One thread calls both. Throws what a device says; what could
    /// not be written then stays in memory and is tried again by the next call.
    void Flush();

    /// The block is complete: its first `length` bytes are a chain of record images and holes and never change again,
    /// nothing behind them belongs to it.
    void Seal(int block, int length);

    /// Nothing in the block is needed any more; its memory may go back to the system. True when the memory was kept and
    /// opening this block again is cheap: the log takes such blocks first. A block may be discarded without having been read.
    bool Discard(int block);
}

/// What one device has to tell: queues in blocks, the rest counted since the start.
public readonly record struct DeviceFigures(
    long WriteQueue, long ShadowWriteQueue, long Writes, long PartialWrites, long ReadErrors, bool HasShadow);

namespace Aerie.Storage;

/// Where the blocks of a record log live: memory, a file, a raw device. The log decides what goes where and when a block
/// is free; a backing only keeps bytes. Blocks are numbered from 0, all of BlockLength.
///
/// The life of a block: TryOpen → Writable … → Seal → TryResident … → Discard → TryOpen. The log calls TryOpen, Seal and
/// Discard of one block never at the same time, of different blocks from any thread.
public interface IBlockBacking : IDisposable
{
    /// 8 MiB: the write block of the reference since 7.1, and the largest record.
    const int BlockLength = 8 * 1024 * 1024;

    int BlockCount { get; }

    /// Bytes of memory that the backing holds right now for its blocks. A block counts as a whole once it is opened.
    long ResidentBytes { get; }

    /// Makes a free block writable. What it held before may still be there: the log reads only what it wrote since.
    /// False when the system refuses the memory. Quick: the log calls it while it holds an append cursor.
    bool TryOpen(int block);

    /// The whole block for writing, only between TryOpen and Seal. Several threads fill different parts of it at once.
    Span<byte> Writable(int block);

    /// The bytes, when they can be had without waiting.
    bool TryResident(int block, int offset, int length, out ReadOnlySpan<byte> bytes);

    /// A hint: starts loading bytes that are likely to be read soon. The block may be any of the backing's, in use or not.
    void Prefetch(int block, int offset, int length);

    /// The block is complete: its first `length` bytes are a chain of record images and holes and never change again,
    /// nothing behind them belongs to it.
    void Seal(int block, int length);

    /// Nothing in the block is needed any more; its memory may go back to the system. True when the memory was kept and
    /// opening this block again is cheap: the log takes such blocks first. A block may be discarded without having been read.
    bool Discard(int block);
}

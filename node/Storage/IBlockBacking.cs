namespace Aerie.Storage;

/// Where the blocks of a record log live: memory, a file, a raw device. The log decides what goes where and when a block
/// is free; a backing only keeps bytes. Blocks are numbered from 0, all of BlockLength.
public interface IBlockBacking : IDisposable
{
    /// 8 MiB: the write block of the reference since 7.1, and the largest record.
    const int BlockLength = 8 * 1024 * 1024;

    int BlockCount { get; }

    /// Bytes of memory that the backing holds right now for its blocks.
    long ResidentBytes { get; }

    /// Makes a free block writable and empty. False when the system refuses the memory.
    bool TryOpen(int block);

    /// The whole block for writing. Only between TryOpen and Seal, or in memory for as long as the block is in use.
    Span<byte> Writable(int block);

    /// The bytes, when they can be had without waiting.
    bool TryResident(int block, int offset, int length, out ReadOnlySpan<byte> bytes);

    /// No more records will be added to the block.
    void Seal(int block);

    /// Nothing in the block is needed any more; its memory may go back to the system.
    void Discard(int block);
}

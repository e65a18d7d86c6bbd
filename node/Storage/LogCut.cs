namespace Aerie.Storage;

/// A moment of a log. What was appended later lies in blocks from NextSequence on, or behind the head of an open block.
public readonly record struct LogCut(ulong NextSequence, IReadOnlyList<OpenBlock> Open);

/// A block that a cursor appends to: its first unit not yet given away, and the marks of removed records in front of it.
public readonly record struct OpenBlock(int Block, ulong Sequence, int Head, int Marks);

/// Whether anything of a block is needed by records, how far its cursor filled it when it left, and how many marks of removed
/// records were appended to it, needed or not.
public readonly record struct BlockBooks(bool IsUsed, int Length, int Marks);

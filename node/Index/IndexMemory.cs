using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Aerie.Foundation;
using Aerie.Memory;

namespace Aerie.Index;

/// The native memory of one index: entries, and the nodes and leaves of all trees. A pool per size: what one tree frees any
/// other can use, and no mixture of sizes can ever fragment a pool.
internal sealed class IndexMemory : IDisposable
{
    public const int NodeSlots = 1 << OrderKey.StepBits;

    private readonly BlockPool[] _lines; // by number of lines - 1; nodes share the first with the smallest leaves

    public IndexMemory(MemoryBudget budget, long addressSpace)
    {
        Entries = new BlockPool(RecordEntry.Size, addressSpace, uint.MaxValue, budget);
        _lines = new BlockPool[Leaf.LinesMax];
        for (var lines = 1; lines <= Leaf.LinesMax; lines++)
        {
            _lines[lines - 1] = new BlockPool(lines * Leaf.LineLength, addressSpace, Branch.HandleMax, budget);
        }
    }

    public BlockPool Entries { get; }

    /// Bytes of the blocks in use, without what waits in pools.
    public long LiveBytes
    {
        get
        {
            var bytes = Entries.Lent * Entries.BlockSize;
            foreach (var pool in _lines)
            {
                bytes += pool.Lent * pool.BlockSize;
            }

            return bytes;
        }
    }

    public bool TryTakeNode(int stripe, out Branch node)
    {
        var taken = _lines[0].TryTake(stripe, out var handle);
        node = taken ? Branch.Node(handle) : Branch.None;
        return taken;
    }

    /// An empty leaf with room for the count.
    public bool TryTakeLeaf(int stripe, int count, int depth, out Branch leaf)
    {
        var lines = Leaf.LinesFor(count);
        var taken = _lines[lines - 1].TryTake(stripe, out var handle);
        leaf = Branch.None;
        if (taken)
        {
            leaf = Branch.Leaf(lines, handle);
            LeafAt(leaf).Clear(depth);
        }

        return taken;
    }

    public void Return(int stripe, Branch branch) => _lines[branch.Lines - 1].Return(stripe, branch.Handle);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Leaf LeafAt(Branch leaf) => new(_lines[leaf.Lines - 1].Span(leaf.Handle));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Span<Branch> NodeAt(Branch node) => MemoryMarshal.Cast<byte, Branch>(_lines[0].Span(node.Handle));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref RecordEntry EntryAt(uint handle) => ref Entries.At<RecordEntry>(handle);

    /// Whether reading what the branch names is harmless, even if the branch was read without a lock and may be anything.
    public bool Exists(Branch branch) => branch.IsSound && _lines[branch.Lines - 1].Exists(branch.Handle);

    public void Prefetch(Branch branch)
    {
        var pool = _lines[branch.Lines - 1];
        for (var line = 0; line < branch.Lines; line++)
        {
            pool.Prefetch(branch.Handle, line * Leaf.LineLength);
        }
    }

    /// Half of the entries lie across two cache lines.
    public void PrefetchEntry(uint handle)
    {
        Entries.Prefetch(handle);
        Entries.Prefetch(handle, RecordEntry.Size - 1);
    }

    public void Dispose()
    {
        Entries.Dispose();
        foreach (var pool in _lines)
        {
            pool.Dispose();
        }
    }
}

using System.Runtime.CompilerServices;
using Aerie.Foundation;

namespace Aerie.Index;

/// Builds the tree of an empty partition from entries in digest order: the same tree that inserting them one by one leads
/// to, with leaves no wider than they need be, without ever splitting one.
internal readonly ref struct TreeBuilder(IndexMemory memory, ulong stretch, int partition, ReadOnlySpan<RecordEntry> rows)
{
    private readonly ReadOnlySpan<RecordEntry> _rows = rows;

    /// False when memory is used up; what was built stays taken.
    public bool TryBuild(ref Branch root) => TryBuild(0, _rows.Length, 0, new Span<Branch>(ref root));

    // The slots are those whose keys share the leading bits, as many as the depth says, with these rows.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)] // a start has no time to warm up
    private bool TryBuild(int from, int end, int depth, Span<Branch> slots)
    {
        if (from == end)
        {
            slots.Clear();
            return true;
        }

        if (end - from <= Leaf.CapacityMax)
        {
            return TryBuildLeaf(_rows[from..end], depth, slots);
        }

        if (slots.Length == 1)
        {
            if (!memory.TryTakeNode(partition, out var node))
            {
                return false;
            }

            slots[0] = node;
            slots = memory.NodeAt(node);
        }

        Invariant.Holds(depth < OrderKey.Bits); // else: two rows of one digest
        var middle = FirstWithBit(from, end, depth);
        var half = slots.Length / 2;
        return TryBuild(from, middle, depth + 1, slots[..half]) && TryBuild(middle, end, depth + 1, slots[half..]);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)] // a start has no time to warm up
    private bool TryBuildLeaf(ReadOnlySpan<RecordEntry> rows, int depth, Span<Branch> slots)
    {
        Span<uint> handles = stackalloc uint[Leaf.CapacityMax];
        handles = handles[..rows.Length];
        if (!memory.TryTakeLeaf(partition, rows.Length, depth, out var branch) || !memory.Entries.TryTake(partition, handles))
        {
            return false;
        }

        var leaf = memory.LeafAt(branch);
        for (var i = 0; i < rows.Length; i++)
        {
            ref readonly var row = ref rows[i];
            memory.EntryAt(handles[i]) = row;
            leaf.Add(row.LastDigestByte, handles[i]);
            leaf.NoteVoidTime(row.VoidTime);
        }

        slots.Fill(branch);
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)] // a start has no time to warm up
    private int FirstWithBit(int from, int end, int depth)
    {
        while (from < end)
        {
            var middle = (int)(((uint)from + (uint)end) / 2);
            if (new OrderKey(_rows[middle].Digest(partition), stretch).Bit(depth))
            {
                end = middle;
            }
            else
            {
                from = middle + 1;
            }
        }

        return from;
    }
}

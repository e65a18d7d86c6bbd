using System.Numerics;
using System.Runtime.CompilerServices;
using Aerie.Foundation;

namespace Aerie.Index;

/// The ordered map from key to entry handle of one partition: nodes of sixteen slots in one cache line over leaves of up to
/// 49 entries. A leaf at depth d holds every key with its leading d bits; as long as it does not use all four bits of its
/// node's step, a run of neighbouring slots names it. A full leaf splits by its next bit; neighbours that became small merge.
/// So the tree is as deep as the keys are alike: two or three nodes for digests, at most 56 for keys chosen to do harm.
///
/// Each change touches one leaf, its neighbour and one node: no pause grows with the number of records. Removing never
/// needs memory: leaves grow wider but never narrower, they merge instead. The caller holds the partition's lock.
internal readonly ref struct DigestTree
{
    /// Two leaves become one when they hold no more together. Far enough below the capacity that a merged leaf does not
    /// split at the next few inserts.
    private const int MergedCountMax = 32;

    private readonly IndexMemory _memory;
    private readonly ref Branch _root;
    private readonly ulong _stretch;
    private readonly int _partition;

    public DigestTree(IndexMemory memory, ref PartitionState state, int partition)
    {
        _memory = memory;
        _root = ref state.Root;
        _stretch = state.Stretch;
        _partition = partition;
    }

    public uint Find(in OrderKey key, in Digest digest)
    {
        var branch = _root;
        for (var depth = 0; branch.IsNode; depth += OrderKey.StepBits)
        {
            branch = _memory.NodeAt(branch)[key.Step(depth)];
        }

        if (branch.IsNone)
        {
            return 0;
        }

        _memory.Prefetch(branch); // tags and handles at once instead of one after the other
        return FindIn(_memory.LeafAt(branch), digest, out _);
    }

    /// False when memory is used up; nothing has changed then as far as anybody can see.
    public bool TryInsert(in OrderKey key, in Digest digest, uint handle)
    {
        while (true)
        {
            var place = PlaceOf(key);
            if (place.Branch.IsNone)
            {
                return TryInsertFirst(place, digest, handle);
            }

            var leaf = _memory.LeafAt(place.Branch);
            if (!leaf.IsFull)
            {
                Invariant.Holds(FindIn(leaf, digest, out _) == 0);
                leaf.Add(Leaf.TagOf(digest), handle);
                return true;
            }

            var ready = leaf.Count < Leaf.CapacityMax ? TryWiden(place, leaf) : TrySplit(place, leaf, key);
            if (!ready)
            {
                return false;
            }
        }
    }

    public void Remove(in OrderKey key, in Digest digest, uint handle)
    {
        var place = PlaceOf(key);
        Invariant.Holds(place.Branch.IsLeaf);
        var leaf = _memory.LeafAt(place.Branch);
        Invariant.Holds(FindIn(leaf, digest, out var slot) == handle);
        leaf.RemoveAt(slot);
        if (leaf.Count <= MergedCountMax / 2)
        {
            Consolidate(key);
        }
    }

    /// The leaf where the key is or would be, and the depth of the keys that are there together.
    public Branch LeafOf(in OrderKey key, out int depth)
    {
        var place = PlaceOf(key);
        depth = place.Branch.IsNone ? place.StepEnd : _memory.LeafAt(place.Branch).Depth;
        return place.Branch;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private uint FindIn(Leaf leaf, in Digest digest, out int slot)
    {
        for (var matches = leaf.Matching(Leaf.TagOf(digest)); matches != 0; matches &= matches - 1)
        {
            slot = BitOperations.TrailingZeroCount(matches);
            var handle = leaf.Handle(slot);
            if (_memory.EntryAt(handle).Is(digest))
            {
                return handle;
            }
        }

        slot = -1;
        return 0;
    }

    private Place PlaceOf(in OrderKey key)
    {
        var place = new Place(Branch.None, 0, 0, _root);
        while (place.Branch.IsNode)
        {
            var slot = key.Step(place.StepEnd);
            place = new Place(place.Branch, slot, place.StepEnd + OrderKey.StepBits, _memory.NodeAt(place.Branch)[slot]);
        }

        return place;
    }

    private bool TryInsertFirst(Place place, in Digest digest, uint handle)
    {
        var depth = place.StepEnd;
        while (depth > place.StepStart + 1 && IsUniform(BuddyRegion(place, depth), Branch.None))
        {
            depth--;
        }

        if (!_memory.TryTakeLeaf(_partition, 1, depth, out var branch))
        {
            return false;
        }

        _memory.LeafAt(branch).Add(Leaf.TagOf(digest), handle);
        Region(place, depth).Fill(branch);
        return true;
    }

    private bool TryWiden(Place place, Leaf leaf)
    {
        if (!_memory.TryTakeLeaf(_partition, leaf.Count + 1, leaf.Depth, out var wider))
        {
            return false;
        }

        _memory.LeafAt(wider).AddAll(leaf);
        Region(place, leaf.Depth).Fill(wider);
        _memory.Return(_partition, place.Branch);
        return true;
    }

    private bool TrySplit(Place place, Leaf leaf, in OrderKey key)
    {
        var depth = leaf.Depth;
        Invariant.Holds(depth < OrderKey.Bits);
        if (depth == place.StepEnd)
        {
            if (!_memory.TryTakeNode(_partition, out var node))
            {
                return false;
            }

            _memory.NodeAt(node).Fill(place.Branch);
            Region(place, depth).Fill(node);
            place = new Place(node, key.Step(depth), depth + OrderKey.StepBits, place.Branch);
        }

        var upper = SlotsWithBitSet(leaf, depth);
        var upperCount = BitOperations.PopCount(upper);
        if (upperCount == 0 || upperCount == leaf.Count)
        {
            leaf.Depth = depth + 1;
            (key.Bit(depth) == (upperCount != 0) ? BuddyRegion(place, depth + 1) : Region(place, depth + 1)).Fill(Branch.None);
            return true;
        }

        return TryDeal(place, leaf, key.Bit(depth), upper);
    }

    // Deals the entries into two new leaves, each with its exact first void-time.
    private bool TryDeal(Place place, Leaf leaf, bool keyIsUpper, ulong upper)
    {
        var depth = leaf.Depth + 1;
        var upperCount = BitOperations.PopCount(upper);
        if (!_memory.TryTakeLeaf(_partition, upperCount + 1, depth, out var high))
        {
            return false;
        }

        if (!_memory.TryTakeLeaf(_partition, leaf.Count - upperCount + 1, depth, out var low))
        {
            _memory.Return(_partition, high);
            return false;
        }

        var highLeaf = _memory.LeafAt(high);
        var lowLeaf = _memory.LeafAt(low);
        for (var slot = 0; slot < leaf.Count; slot++)
        {
            var target = (upper & (1UL << slot)) != 0 ? highLeaf : lowLeaf;
            target.Add(leaf.Tag(slot), leaf.Handle(slot));
            target.NoteVoidTime(_memory.EntryAt(leaf.Handle(slot)).VoidTime);
        }

        Region(place, depth).Fill(keyIsUpper ? high : low);
        BuddyRegion(place, depth).Fill(keyIsUpper ? low : high);
        _memory.Return(_partition, place.Branch);
        return true;
    }

    private ulong SlotsWithBitSet(Leaf leaf, int depth)
    {
        var upper = 0UL;
        for (var slot = 0; slot < leaf.Count; slot++)
        {
            var digest = _memory.EntryAt(leaf.Handle(slot)).Digest(_partition);
            if (new OrderKey(digest, _stretch).Bit(depth))
            {
                upper |= 1UL << slot;
            }
        }

        return upper;
    }

    // After a removal: drops the leaf if it is empty, merges it with its neighbour as long as both are small, and takes out
    // nodes that hold a single leaf.
    private void Consolidate(in OrderKey key)
    {
        Span<Branch> path = stackalloc Branch[(OrderKey.Bits / OrderKey.StepBits) + 1];
        var level = 0;
        var place = new Place(Branch.None, 0, 0, _root);
        while (place.Branch.IsNode)
        {
            path[level++] = place.Branch;
            var slot = key.Step(place.StepEnd);
            place = new Place(place.Branch, slot, place.StepEnd + OrderKey.StepBits, _memory.NodeAt(place.Branch)[slot]);
        }

        var depth = _memory.LeafAt(place.Branch).Depth;
        if (_memory.LeafAt(place.Branch).Count == 0)
        {
            Region(place, depth).Clear();
            _memory.Return(_partition, place.Branch);
            place = place with { Branch = Branch.None };
        }

        while (level > 0)
        {
            if (depth > place.StepStart)
            {
                if (!TryMerge(ref place, depth))
                {
                    return;
                }

                depth--;
                continue;
            }

            var node = path[--level];
            var parent = level > 0 ? path[level - 1] : Branch.None;
            var slot = level > 0 ? key.Step(place.StepStart - OrderKey.StepBits) : 0;
            place = new Place(parent, slot, place.StepStart, place.Branch);
            Region(place, depth).Fill(place.Branch);
            _memory.Return(_partition, node);
        }
    }

    // Makes one region of the place's and the one beside it; the place names what is there afterwards.
    private bool TryMerge(ref Place place, int depth)
    {
        var buddies = BuddyRegion(place, depth);
        var buddy = buddies[0];
        if (buddy.IsNode || !IsUniform(buddies, buddy))
        {
            return false;
        }

        var merged = place.Branch;
        if (merged.IsNone || buddy.IsNone)
        {
            merged = merged.IsNone ? buddy : merged;
        }
        else if (!TryPour(ref merged, buddy))
        {
            return false;
        }

        if (!merged.IsNone)
        {
            _memory.LeafAt(merged).Depth = depth - 1;
        }

        place = place with { Branch = merged };
        Region(place, depth - 1).Fill(merged);
        return true;
    }

    // The smaller block goes, so that merging takes no memory.
    private bool TryPour(ref Branch one, Branch other)
    {
        var (into, from) = one.Lines >= other.Lines ? (one, other) : (other, one);
        var target = _memory.LeafAt(into);
        var source = _memory.LeafAt(from);
        if (target.Count + source.Count > Math.Min(MergedCountMax, target.Capacity))
        {
            return false;
        }

        target.AddAll(source);
        _memory.Return(_partition, from);
        one = into;
        return true;
    }

    /// The slots of the place's node whose keys share the leading bits with the place; the root itself outside any node.
    private Span<Branch> Region(Place place, int depth)
    {
        if (place.Node.IsNone)
        {
            return new Span<Branch>(ref _root);
        }

        var length = 1 << (place.StepEnd - depth);
        return _memory.NodeAt(place.Node).Slice(place.Slot & ~(length - 1), length);
    }

    /// The slots beside the region, which a merge joins to it.
    private Span<Branch> BuddyRegion(Place place, int depth)
    {
        var length = 1 << (place.StepEnd - depth);
        return _memory.NodeAt(place.Node).Slice((place.Slot & ~(length - 1)) ^ length, length);
    }

    private static bool IsUniform(ReadOnlySpan<Branch> slots, Branch value)
    {
        foreach (var slot in slots)
        {
            if (slot != value)
            {
                return false;
            }
        }

        return true;
    }

    /// A slot of a node (or the root, with no node and steps ending at depth zero) and what is in it. The slots of the node
    /// tell keys apart by the bits from StepStart up to StepEnd.
    private readonly record struct Place(Branch Node, int Slot, int StepEnd, Branch Branch)
    {
        public int StepStart => Node.IsNone ? 0 : StepEnd - OrderKey.StepBits;
    }
}

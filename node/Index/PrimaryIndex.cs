using System.Numerics;
using System.Runtime.CompilerServices;
using Aerie.Foundation;
using Aerie.Memory;

namespace Aerie.Index;

/// Where each record of a namespace is: an ordered tree per partition over entries that never move. One lock per partition
/// guards its tree and all of its entries; members that name a digest or a partition expect it to be held, unless they say
/// otherwise. Everything lives in native memory and nothing is allocated on the managed heap.
public sealed class PrimaryIndex : IDisposable
{
    /// Room that NextLeaf and NextExpired need.
    public const int LeafCapacity = Leaf.CapacityMax;

    /// Leaves that one call of NextExpired looks at: it holds the lock meanwhile.
    private const int SkippedLeavesMax = 64;

    private readonly MemoryBudget _budget;
    private readonly IndexMemory _memory;
    private readonly NativeRegion _partitions;

    public PrimaryIndex(PrimaryIndexOptions options)
    {
        var addressSpace = options.MemoryBudget != 0 ? options.MemoryBudget : options.AddressSpace;
        _budget = new MemoryBudget(options.MemoryBudget);
        _memory = new IndexMemory(_budget, Math.Max(addressSpace, NativeRegion.HugePage));
        _partitions = NativeRegion.Reserve(Digest.PartitionCount * PartitionState.Size, hugePages: false);
        _budget.TryTake(_partitions.Length);
        for (var partition = 0; partition < Digest.PartitionCount; partition++)
        {
            StateOf(partition).Stretch = OrderKey.StretchOf(partition);
        }
    }

    /// Bytes taken from the system and not given back: what is in use and what waits to be used again. Any thread.
    public long UsedBytes => _budget.Taken;

    /// Bytes in use by records that exist now. Any thread.
    public long LiveBytes => _memory.LiveBytes + _partitions.Length;

    public ref RecordEntry this[EntryHandle handle]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ref _memory.EntryAt(handle.Value);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public PartitionLock Enter(int partition) => new(ref StateOf(partition).Gate);

    /// Entries of the partition, tombstones included. Any thread.
    public long Count(int partition) => Volatile.Read(ref StateOf(partition).Count);

    /// The latest time that NoteRemoval was told for the digest's partition.
    public ulong LastRemoval(in Digest digest) => LastRemoval(digest.Partition);

    public ulong LastRemoval(int partition) => StateOf(partition).LastRemoval;

    public void NoteRemoval(in Digest digest, ulong lastUpdateTime) => NoteRemoval(digest.Partition, lastUpdateTime);

    public void NoteRemoval(int partition, ulong lastUpdateTime)
    {
        ref var state = ref StateOf(partition);
        state.LastRemoval = Math.Max(state.LastRemoval, lastUpdateTime);
    }

    public bool TryFind(in Digest digest, out EntryHandle handle)
    {
        var partition = digest.Partition;
        ref var state = ref StateOf(partition);
        handle = new EntryHandle(new DigestTree(_memory, ref state, partition).Find(new OrderKey(digest, state.Stretch), digest));
        return !handle.IsNone;
    }

    /// Adds an entry that holds the digest and zeros; the digest may not be there yet. False when memory is used up.
    public bool TryInsert(in Digest digest, out EntryHandle handle)
    {
        var partition = digest.Partition;
        ref var state = ref StateOf(partition);
        Invariant.Holds(state.Gate.IsTaken);
        handle = EntryHandle.None;
        if (!_memory.Entries.TryTake(partition, out var entry))
        {
            return false;
        }

        _memory.EntryAt(entry).Reset(digest);
        if (!new DigestTree(_memory, ref state, partition).TryInsert(new OrderKey(digest, state.Stretch), digest, entry))
        {
            _memory.Entries.Return(partition, entry);
            return false;
        }

        Volatile.Write(ref state.Count, state.Count + 1);
        handle = new EntryHandle(entry);
        return true;
    }

    /// All entries of an empty partition at once, in digest order, each digest once. False when memory is used up: the index is
    /// of no use then.
    public bool TryLoad(int partition, ReadOnlySpan<RecordEntry> rows)
    {
        ref var state = ref StateOf(partition);
        Invariant.Holds(state.Gate.IsTaken && state.Count == 0 && state.Root.IsNone);
        Volatile.Write(ref state.Count, rows.Length);
        return new TreeBuilder(_memory, state.Stretch, partition, rows).TryBuild(ref state.Root);
    }

    public void Remove(in Digest digest, EntryHandle handle)
    {
        var partition = digest.Partition;
        ref var state = ref StateOf(partition);
        Invariant.Holds(state.Gate.IsTaken);
        new DigestTree(_memory, ref state, partition).Remove(new OrderKey(digest, state.Stretch), digest, handle.Value);
        _memory.Entries.Return(partition, handle.Value);
        Volatile.Write(ref state.Count, state.Count - 1);
    }

    /// The record will expire then: NextExpired would not find it otherwise. Zero (never) needs no call and changes nothing.
    public void NoteVoidTime(in Digest digest, uint voidTime)
    {
        var partition = digest.Partition;
        ref var state = ref StateOf(partition);
        var leaf = new DigestTree(_memory, ref state, partition).LeafOf(new OrderKey(digest, state.Stretch), out _);
        Invariant.Holds(leaf.IsLeaf);
        _memory.LeafAt(leaf).NoteVoidTime(voidTime);
    }

    /// The first step of a look ahead, which loads what a lookup will need while other records are worked on: partition,
    /// then down the tree, then the entry. Each step asks for what the next one reads, so that steps of several records
    /// taken in turn wait for the memory together. Hints only: any thread, without the lock.
    public void Foresee(in Digest digest) => _partitions.Prefetch((long)digest.Partition * PartitionState.Size);

    public LookupHint ForeseeRoot(in Digest digest)
    {
        var hint = new LookupHint { At = StateOf(digest.Partition).Root };
        return Prefetch(ref hint) ? hint : default;
    }

    /// One step down the tree. False: there is no further one.
    public bool ForeseeBranch(in Digest digest, ref LookupHint hint)
    {
        if (!hint.At.IsNode || hint.Depth >= OrderKey.Bits)
        {
            return false;
        }

        // read while others may change it: a branch may be anything, and is followed only where reading is harmless
        hint.At = _memory.NodeAt(hint.At)[new OrderKey(digest, StateOf(digest.Partition).Stretch).Step(hint.Depth)];
        hint.Depth += OrderKey.StepBits;
        return Prefetch(ref hint) && hint.At.IsNode;
    }

    public void ForeseeEntry(in Digest digest, in LookupHint hint)
    {
        if (hint.At.IsLeaf)
        {
            var leaf = _memory.LeafAt(hint.At);
            for (var matches = GuessMatches(leaf, digest); matches != 0; matches &= matches - 1)
            {
                _memory.PrefetchEntry(leaf.Handle(BitOperations.TrailingZeroCount(matches)));
            }
        }
    }

    /// The last step: the place of the record's image as it seems to be; 0 when nothing is found.
    public ulong GuessPlace(in Digest digest, in LookupHint hint)
    {
        if (!hint.At.IsLeaf)
        {
            return 0;
        }

        var leaf = _memory.LeafAt(hint.At);
        for (var matches = GuessMatches(leaf, digest); matches != 0; matches &= matches - 1)
        {
            var handle = leaf.Handle(BitOperations.TrailingZeroCount(matches));
            if (_memory.Entries.Exists(handle) && _memory.EntryAt(handle).Is(digest))
            {
                return _memory.EntryAt(handle).Place;
            }
        }

        return 0;
    }

    /// A cursor that stands just behind the digest, whether or not a record has it.
    public IndexCursor CursorAfter(in Digest digest)
    {
        var key = new OrderKey(digest, StateOf(digest.Partition).Stretch);
        return key.TryNextRegion(OrderKey.Bits, out var next)
            ? new IndexCursor { From = next }
            : new IndexCursor { IsAtEnd = true };
    }

    /// The next records in digest order; zero when the partition is done. The lock may be dropped between two calls: every
    /// record that exists throughout is seen exactly once.
    public int NextLeaf(int partition, ref IndexCursor cursor, Span<EntryHandle> into)
    {
        Invariant.Holds(into.Length >= LeafCapacity);
        ref var state = ref StateOf(partition);
        var tree = new DigestTree(_memory, ref state, partition);
        var walk = new LeafWalk(_memory, state.Stretch, partition);
        var count = 0;
        while (count == 0 && !cursor.IsAtEnd)
        {
            var branch = tree.LeafOf(cursor.From, out var depth);
            count = branch.IsNone ? 0 : walk.InOrder(_memory.LeafAt(branch), cursor.From, into);
            cursor.IsAtEnd = !cursor.From.TryNextRegion(depth, out cursor.From);
        }

        return count;
    }

    /// The same as copies that outlive the lock, as a checkpoint stores them.
    public int NextRows(int partition, ref IndexCursor cursor, Span<RecordEntry> into)
    {
        Span<EntryHandle> handles = stackalloc EntryHandle[LeafCapacity];
        var count = NextLeaf(partition, ref cursor, handles);
        for (var i = 0; i < count; i++)
        {
            into[i] = this[handles[i]].WithoutHold();
        }

        return count;
    }

    /// The expired records of the next leaf that has any, in no order. Leaves in which nothing expired cost a look at one
    /// cache line. The partition is done when the cursor is at its end: zero alone only says that a fair piece of it is.
    public int NextExpired(int partition, ref IndexCursor cursor, uint now, Span<EntryHandle> into)
    {
        Invariant.Holds(into.Length >= LeafCapacity);
        ref var state = ref StateOf(partition);
        var tree = new DigestTree(_memory, ref state, partition);
        var walk = new LeafWalk(_memory, state.Stretch, partition);
        var count = 0;
        for (var seen = 0; count == 0 && seen < SkippedLeavesMax && !cursor.IsAtEnd; seen++)
        {
            var branch = tree.LeafOf(cursor.From, out var depth);
            count = branch.IsNone ? 0 : walk.Expired(_memory.LeafAt(branch), now, into);
            cursor.IsAtEnd = !cursor.From.TryNextRegion(depth, out cursor.From);
        }

        return count;
    }

    /// No lock may be held, and nobody may come any more.
    public void Dispose()
    {
        _memory.Dispose();
        _partitions.Dispose();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ref PartitionState StateOf(int partition) => ref _partitions.At<PartitionState>((long)partition * PartitionState.Size);

    private bool Prefetch(ref LookupHint hint)
    {
        if (hint.At.IsNone || !_memory.Exists(hint.At))
        {
            hint.At = Branch.None;
            return false;
        }

        _memory.Prefetch(hint.At);
        return true;
    }

    private static ulong GuessMatches(Leaf leaf, in Digest digest) => leaf.Matching(Leaf.TagOf(digest)) & ((1UL << leaf.Capacity) - 1);
}

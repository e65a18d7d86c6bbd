using System.Runtime.InteropServices;
using Aerie.Foundation;

namespace Aerie.Storage;

/// Which blocks are free, held or waiting for the defragmenter.
///
///   free ──TryOpen──► held ──last hold dropped──► settled ──used falls to 0──► free
///                      ▲                            │
///                      └───────TryPin (victim)──────┘
///
/// A block is held by the cursor that appends to it, by each image being filled, and by a walk. Holds and used units
/// share one word that is only changed atomically, so exactly one thread sees it become zero, and that one frees the
/// block: no hold, nothing used, therefore nobody who could know the block. A new hold needs an open cursor, a
/// settled block that is still used, or an existing hold. The gate guards the lists; its sections do not call the backing.
internal sealed class BlockSpace
{
    private const long OneHold = 1L << 32;
    private const int None = -1;

    /// Settled blocks are listed by whole per cent used, so "below defrag-lwm-pct" is a question of the list alone.
    private const int BucketCount = 101;

    private readonly IBlockBacking _backing;
    private readonly Block[] _blocks;
    private readonly Usage[] _usage;
    private readonly int[] _bucketHead = new int[BucketCount];
    private readonly int[] _bucketLength = new int[BucketCount];
    private SpinGate _gate;
    private int _freeWarm = None;
    private int _freeCold = None;
    private int _quarantine = None;
    private int _freeBlocks;
    private int _quarantined;
    private long _brokenBlocks;

    /// Owners are numbered from 0.
    public BlockSpace(IBlockBacking backing, int owners)
    {
        _backing = backing;
        _blocks = new Block[backing.BlockCount];
        _usage = new Usage[owners];
        Array.Fill(_bucketHead, None);
        foreach (ref var block in _blocks.AsSpan())
        {
            block.Bucket = None;
        }
    }

    /// Ends the beginning: blocks that nobody adopted are free, the first ones first.
    public void FreeTheRest()
    {
        for (var block = _blocks.Length - 1; block >= 0; block--)
        {
            if (_blocks[block].Word == 0)
            {
                PushFree(block, warm: false);
            }
        }
    }

    /// A block that was found with records in it. It is held until DropHold; images are added with AddUsed.
    public void Adopt(int block, int owner, int units)
    {
        ref var entry = ref _blocks[block];
        Invariant.Holds(entry.Word == 0);
        entry.Owner = (byte)owner;
        entry.Length = units;
        entry.IsSealed = true;
        Volatile.Write(ref entry.Word, OneHold);
    }

    /// A block that holds a checkpoint: neither free nor used by records until GiveBack.
    public void AdoptCheckpoint(int block)
    {
        ref var entry = ref _blocks[block];
        Invariant.Holds(entry.Word == 0);
        Claim(ref entry);
    }

    /// The same with a free block, unless only `spared` are left.
    public bool TryTake(int spared, out int block)
    {
        _gate.Enter();
        var taken = _freeBlocks > spared;
        block = taken ? PopFreeLocked() : None;
        _gate.Exit();
        if (taken)
        {
            Claim(ref _blocks[block]);
        }

        return taken;
    }

    public bool IsCheckpoint(int block) => _blocks[block].IsCheckpoint;

    /// As free as any other that was freed: after the next flush.
    public void GiveBack(int block)
    {
        Invariant.Holds(_blocks[block].IsCheckpoint);
        _blocks[block].IsCheckpoint = false;
        DropHold(block);
    }

    /// So many marks of removed records were appended to the block, whether or not they are still needed. Under the gate of
    /// the cursor that holds the block, or at the beginning.
    public void AddMarks(int block, int marks) => Interlocked.Add(ref _blocks[block].Marks, marks);

    public BlockBooks BooksOf(int block)
    {
        ref var entry = ref _blocks[block];
        return new BlockBooks(
            Volatile.Read(ref entry.Word) != 0 && !entry.IsCheckpoint, Volatile.Read(ref entry.Length), Volatile.Read(ref entry.Marks));
    }

    /// Any thread; negative for what turned out to be dead.
    public void AddUsed(int block, int units)
    {
        ref var entry = ref _blocks[block];
        Interlocked.Add(ref _usage[entry.Owner].Taken, units);
        Interlocked.Add(ref entry.Word, units);
    }

    public bool IsAdopted(int block) => Volatile.Read(ref _blocks[block].Word) != 0;

    public int FreeBlocks => Volatile.Read(ref _freeBlocks);

    public int QuarantinedBlocks => Volatile.Read(ref _quarantined);

    public long BrokenBlocks => Volatile.Read(ref _brokenBlocks);

    /// Takes a free block, unless only `spared` are left. It comes with the hold of the cursor that opened it.
    public bool TryOpen(int owner, int spared, out int block)
    {
        _gate.Enter();
        var taken = _freeBlocks > spared;
        block = taken ? PopFreeLocked() : None;
        _gate.Exit();
        if (!taken)
        {
            return false;
        }

        if (!_backing.TryOpen(block))
        {
            PushFree(block, warm: false);
            return false;
        }

        ref var entry = ref _blocks[block];
        entry.Owner = (byte)owner;
        entry.Length = 0;
        entry.Marks = 0;
        entry.Walked = 0;
        entry.IsSealed = false;
        entry.IsBroken = false;
        Volatile.Write(ref entry.Word, OneHold);
        return true;
    }

    /// For an image to be filled: under the gate of the cursor that holds the block.
    public void Hold(int block, int units)
    {
        ref var entry = ref _blocks[block];
        Volatile.Write(ref _usage[entry.Owner].Taken, _usage[entry.Owner].Taken + units);
        Interlocked.Add(ref entry.Word, OneHold + units);
    }

    /// How far the block is filled, by the cursor before it drops its hold.
    public void SetLength(int block, int units) => _blocks[block].Length = units;

    /// An image of the open block is still being filled. Under the gate of the cursor that holds it.
    public bool IsBeingFilled(int block) => HoldsOf(Volatile.Read(ref _blocks[block].Word)) > 1;

    /// How far a walk has come that was given up. What is in front is done with: it was moved, or nobody needs it.
    public int WalkedOf(int block) => _blocks[block].Walked;

    /// By whoever has pinned the block.
    public void SetWalked(int block, int unit) => _blocks[block].Walked = unit;

    public int LengthOf(int block) => _blocks[block].Length;

    public int OwnerOf(int block) => _blocks[block].Owner;

    /// The last hold to go seals the block first: until then others may still be filling it, and afterwards it may be
    /// freed by any release. True when this call has sealed it.
    public bool DropHold(int block, int unitsBack = 0)
    {
        ref var entry = ref _blocks[block];
        if (unitsBack != 0)
        {
            CountBack(entry.Owner, unitsBack);
        }

        while (true)
        {
            var word = Volatile.Read(ref entry.Word);
            Invariant.Holds(HoldsOf(word) > 0 && UsedOf(word) >= unitsBack);
            if (HoldsOf(word) == 1)
            {
                break;
            }

            if (Interlocked.CompareExchange(ref entry.Word, word - OneHold - unitsBack, word) == word)
            {
                return false;
            }
        }

        var seals = !entry.IsSealed;
        if (seals)
        {
            entry.IsSealed = true;
            _backing.Seal(block, entry.Length * StorageUnit.Length);
        }

        var left = Interlocked.Add(ref entry.Word, -OneHold - unitsBack);
        if (left == 0)
        {
            Free(block);
        }
        else
        {
            List(block);
        }

        return seals;
    }

    public void Release(int block, int units)
    {
        ref var entry = ref _blocks[block];
        CountBack(entry.Owner, units); // before the block may get another owner
        var left = Interlocked.Add(ref entry.Word, -units);
        Invariant.Holds(UsedOf(left) >= 0); // else: released twice
        if (left == 0)
        {
            Free(block);
        }
        else if (HoldsOf(left) == 0 && BucketOf(UsedOf(left)) != Volatile.Read(ref entry.Bucket))
        {
            List(block);
        }
    }

    /// Takes the emptiest settled block that is used less than the per cent given, with a hold for the caller.
    public bool TryPin(int percent, out int block)
    {
        block = None;
        _gate.Enter();
        for (var bucket = 0; bucket < percent && block == None; bucket++)
        {
            block = PinFromLocked(bucket);
        }

        _gate.Exit();
        return block != None;
    }

    /// A walk met bytes that are no chain: the block is not listed again, or the defragmenter would pick it for ever.
    public void MarkBroken(int block)
    {
        _blocks[block].IsBroken = true;
        Interlocked.Increment(ref _brokenBlocks);
    }

    public int BlocksBelow(int percent)
    {
        var sum = 0;
        for (var bucket = 0; bucket < percent; bucket++)
        {
            sum += Volatile.Read(ref _bucketLength[bucket]);
        }

        return sum;
    }

    public long UsedUnits()
    {
        var sum = 0L;
        for (var owner = 0; owner < _usage.Length; owner++)
        {
            sum += UsedUnitsOf(owner);
        }

        return sum;
    }

    public int UsedUnitsIn(int block, out bool isFree)
    {
        var word = Volatile.Read(ref _blocks[block].Word);
        isFree = word == 0;
        return UsedOf(word);
    }

    /// What is used of the blocks of one owner. Exact when nobody appends or releases.
    public long UsedUnitsOf(int owner)
    {
        var returned = Volatile.Read(ref _usage[owner].Returned); // first: what was returned has been taken before
        return Volatile.Read(ref _usage[owner].Taken) - returned;
    }

    // Sealed, so that giving it back seals nothing.
    private static void Claim(ref Block entry)
    {
        entry.Owner = 0;
        entry.Length = 0;
        entry.Marks = 0;
        entry.IsSealed = true;
        entry.IsBroken = false;
        entry.IsCheckpoint = true;
        Volatile.Write(ref entry.Word, OneHold);
    }

    private static int HoldsOf(long word) => (int)(word >> 32);

    private static int UsedOf(long word) => (int)word;

    private int BucketOf(int usedUnits) => (int)(usedUnits * 100L / (StorageUnit.PerBlock - _backing.FirstUnit));

    private void CountBack(int owner, int units) => Interlocked.Add(ref _usage[owner].Returned, units);

    private void Free(int block)
    {
        _gate.Enter();
        UnlinkLocked(block);
        if (_backing.IsPersistent)
        {
            _blocks[block].Next = _quarantine;
            _quarantine = block;
            Interlocked.Increment(ref _quarantined);
        }

        _gate.Exit();
        if (!_backing.IsPersistent)
        {
            PushFree(block, _backing.Discard(block));
        }
    }

    /// Blocks freed since the last call, as a chain: free for use when what was appended before this call is safe.
    public int TakeQuarantine()
    {
        _gate.Enter();
        var chain = _quarantine;
        _quarantine = None;
        _gate.Exit();
        return chain;
    }

    /// The flush has failed.
    public void ReturnQuarantine(int chain)
    {
        while (chain != None)
        {
            var next = _blocks[chain].Next;
            _gate.Enter();
            _blocks[chain].Next = _quarantine;
            _quarantine = chain;
            _gate.Exit();
            chain = next;
        }
    }

    public void FreeQuarantined(int chain)
    {
        while (chain != None)
        {
            var next = _blocks[chain].Next;
            Interlocked.Decrement(ref _quarantined);
            PushFree(chain, _backing.Discard(chain));
            chain = next;
        }
    }

    /// Puts a settled block where its use says. Whoever was faster may have freed, pinned or even reopened it: the word tells.
    private void List(int block)
    {
        ref var entry = ref _blocks[block];
        _gate.Enter();
        var word = Volatile.Read(ref entry.Word);
        if (HoldsOf(word) == 0 && UsedOf(word) > 0 && !entry.IsBroken)
        {
            UnlinkLocked(block);
            LinkLocked(block, BucketOf(UsedOf(word)));
        }

        _gate.Exit();
    }

    private int PinFromLocked(int bucket)
    {
        var candidate = _bucketHead[bucket];
        for (var looked = 0; looked < _bucketLength[bucket]; looked++)
        {
            if (TryHoldUsed(candidate))
            {
                UnlinkLocked(candidate);
                return candidate;
            }

            candidate = _blocks[candidate].Next; // this one has just become empty; whoever emptied it waits for the gate
        }

        return None;
    }

    private bool TryHoldUsed(int block)
    {
        ref var word = ref _blocks[block].Word;
        while (true)
        {
            var seen = Volatile.Read(ref word);
            if (UsedOf(seen) == 0)
            {
                return false;
            }

            Invariant.Holds(HoldsOf(seen) == 0);
            if (Interlocked.CompareExchange(ref word, seen + OneHold, seen) == seen)
            {
                return true;
            }
        }
    }

    // The buckets are rings, new blocks last: a victim that could not be emptied comes back behind its equals.
    private void LinkLocked(int block, int bucket)
    {
        ref var entry = ref _blocks[block];
        ref var head = ref _bucketHead[bucket];
        if (head == None)
        {
            head = block;
            entry.Next = block;
            entry.Previous = block;
        }
        else
        {
            var last = _blocks[head].Previous;
            entry.Next = head;
            entry.Previous = last;
            _blocks[last].Next = block;
            _blocks[head].Previous = block;
        }

        _bucketLength[bucket]++;
        Volatile.Write(ref entry.Bucket, bucket);
    }

    private void UnlinkLocked(int block)
    {
        ref var entry = ref _blocks[block];
        if (entry.Bucket == None)
        {
            return;
        }

        ref var head = ref _bucketHead[entry.Bucket];
        _bucketLength[entry.Bucket]--;
        if (entry.Next == block)
        {
            head = None;
        }
        else
        {
            _blocks[entry.Previous].Next = entry.Next;
            _blocks[entry.Next].Previous = entry.Previous;
            head = head == block ? entry.Next : head;
        }

        Volatile.Write(ref entry.Bucket, None);
    }

    private int PopFreeLocked()
    {
        ref var list = ref _freeWarm == None ? ref _freeCold : ref _freeWarm;
        var block = list;
        list = _blocks[block].Next;
        _freeBlocks--;
        return block;
    }

    private void PushFree(int block, bool warm)
    {
        _gate.Enter();
        ref var list = ref warm ? ref _freeWarm : ref _freeCold;
        _blocks[block].Next = list;
        list = block;
        _freeBlocks++;
        _gate.Exit();
    }

    /// A cache line each: the words of blocks that different cores append to must not share one.
    [StructLayout(LayoutKind.Sequential, Size = 64)]
    private struct Block
    {
        /// Used units (low half) and holds (high half).
        public long Word;

        /// Units filled, once its cursor left it.
        public int Length;

        /// Marks of removed records appended in its present life.
        public int Marks;

        public int Walked;

        /// The list that it stands in, None outside of all.
        public int Bucket;

        public int Next;
        public int Previous;
        public byte Owner;
        public bool IsSealed;
        public bool IsBroken;
        public bool IsCheckpoint;
    }

    /// Units ever taken and returned in the blocks of one owner. Taken is written under its cursor's gate, Returned by
    /// everybody: a cache line each.
    [StructLayout(LayoutKind.Explicit, Size = 128)]
    private struct Usage
    {
        [FieldOffset(0)]
        public long Taken;

        [FieldOffset(64)]
        public long Returned;
    }
}

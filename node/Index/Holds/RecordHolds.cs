using System.Runtime.InteropServices;
using Aerie.Foundation;

namespace Aerie.Index.Holds;

/// One command at a time owns a record: a bit in its entry says so, and this side table keeps who waits, first come, first
/// served. When the owner lets go, the hold passes to the first waiter without becoming free in between, so nobody overtakes.
///
/// The caller holds the lock of the record's partition in every member. The table has a gate of its own, taken for records
/// that are awaited only, and all memory it will ever have: a flood of waiters meets Busy.
public sealed class RecordHolds
{
    private const int Nil = -1;

    private readonly ulong _hashKey;
    private readonly int[] _buckets;
    private readonly Queue[] _queues;
    private readonly Place[] _places;
    private SpinGate _gate;
    private int _freeQueue;
    private int _freePlace;
    private int _waiting;

    /// The hash key is secret and random in production, because clients choose digests and could make them collide.
    public RecordHolds(int waitersMax, ulong hashKey)
    {
        Invariant.Holds(waitersMax > 0);
        _hashKey = hashKey;
        _buckets = new int[System.Numerics.BitOperations.RoundUpToPowerOf2((uint)waitersMax)];
        _queues = new Queue[waitersMax];
        _places = new Place[waitersMax];
        _buckets.AsSpan().Fill(Nil);
        for (var i = 0; i < waitersMax; i++)
        {
            _queues[i].Next = _places[i].Next = i + 1 < waitersMax ? i + 1 : Nil;
        }
    }

    /// Waiters of all records. Any thread, without a lock.
    public int Waiting => Volatile.Read(ref _waiting);

    public static bool TryHold(ref RecordEntry entry)
    {
        if (entry.IsHeld)
        {
            return false;
        }

        entry.IsHeld = true;
        return true;
    }

    /// The record is held by somebody else: waits behind all who came before. A limit of zero leaves only the node's.
    public EnqueueResult Enqueue(in Digest digest, ref RecordEntry entry, Waiter waiter, int limit)
    {
        Invariant.Holds(entry.IsHeld);
        _gate.Enter();
        var queued = TryEnqueueLocked(digest, waiter, limit);
        _gate.Exit();
        if (!queued)
        {
            return EnqueueResult.Busy;
        }

        entry.IsAwaited = true;
        return EnqueueResult.Queued;
    }

    /// The owner lets go. True: the record now belongs to the next, who must be told.
    public bool Release(in Digest digest, ref RecordEntry entry, out Waiter next)
    {
        Invariant.Holds(entry.IsHeld);
        next = default;
        if (!entry.IsAwaited)
        {
            entry.IsHeld = false;
            return false;
        }

        _gate.Enter();
        var found = TryDequeueLocked(digest, out next, out var isLast);
        _gate.Exit();
        Invariant.Holds(found);
        entry.IsAwaited = !isLast;
        return true;
    }

    /// The owner removed the record's entry, and the hold with it: call until false. Each waiter starts over, as for a record
    /// that it never saw.
    public bool TryAbandon(in Digest digest, out Waiter next)
    {
        _gate.Enter();
        var found = TryDequeueLocked(digest, out next, out _);
        _gate.Exit();
        return found;
    }

    private bool TryEnqueueLocked(in Digest digest, Waiter waiter, int limit)
    {
        if (_freePlace == Nil)
        {
            return false;
        }

        ref var link = ref LinkTo(digest);
        if (link == Nil)
        {
            link = OpenQueue(digest);
        }

        ref var queue = ref _queues[link];
        if (limit != 0 && queue.Count >= limit)
        {
            return false;
        }

        var place = _freePlace;
        _freePlace = _places[place].Next;
        _places[place] = new Place { Waiter = waiter, Next = Nil };
        (queue.Count == 0 ? ref queue.Head : ref _places[queue.Tail].Next) = place;
        queue.Tail = place;
        queue.Count++;
        _waiting++;
        return true;
    }

    private bool TryDequeueLocked(in Digest digest, out Waiter next, out bool isLast)
    {
        next = default;
        isLast = true;
        ref var link = ref LinkTo(digest);
        if (link == Nil)
        {
            return false;
        }

        ref var queue = ref _queues[link];
        var place = queue.Head;
        next = _places[place].Waiter;
        queue.Head = _places[place].Next;
        queue.Count--;
        _waiting--;
        _places[place].Next = _freePlace;
        _freePlace = place;
        isLast = queue.Count == 0;
        if (isLast)
        {
            CloseQueue(ref link);
        }

        return true;
    }

    // There is a free queue whenever there is a free place: every open queue has at least one waiter.
    private int OpenQueue(in Digest digest)
    {
        var opened = _freeQueue;
        _freeQueue = _queues[opened].Next;
        _queues[opened] = new Queue { Digest = digest, Head = Nil, Tail = Nil, Next = Nil };
        return opened;
    }

    private void CloseQueue(ref int link)
    {
        var closed = link;
        link = _queues[closed].Next;
        _queues[closed].Next = _freeQueue;
        _freeQueue = closed;
    }

    /// What names the digest's queue, or would name it.
    private ref int LinkTo(in Digest digest)
    {
        ref var link = ref _buckets[HashOf(digest) & (uint)(_buckets.Length - 1)];
        while (link != Nil && _queues[link].Digest != digest)
        {
            link = ref _queues[link].Next;
        }

        return ref link;
    }

    private uint HashOf(in Digest digest)
    {
        var words = MemoryMarshal.Cast<Digest, uint>(new ReadOnlySpan<Digest>(in digest));
        var low = (((ulong)words[1] << 32) | words[0]) ^ _hashKey;
        var high = (((ulong)words[3] << 32) | words[2]) ^ (_hashKey * 0x9E3779B97F4A7C15);
        var product = Math.BigMul(low, high, out var rest) ^ rest ^ (words[4] * (_hashKey | 1));
        return (uint)(product ^ (product >> 32));
    }

    private struct Queue
    {
        public Digest Digest;
        public int Head;
        public int Tail;
        public int Count;
        public int Next; // in the bucket, or in the free list
    }

    private struct Place
    {
        public Waiter Waiter;
        public int Next; // in the queue, or in the free list
    }
}

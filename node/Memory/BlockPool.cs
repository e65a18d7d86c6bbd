using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Aerie.Foundation;

namespace Aerie.Memory;

/// Equal blocks in one reserved region, named by 32-bit handles. A block never moves while it is lent. Returned blocks form
/// chains inside the blocks themselves, so that the pool costs nothing beside them.
///
/// Several threads take and return at once: each stripe keeps up to two chains of free blocks and a run of blocks never used;
/// only a whole chain or run goes through the shared part. Freed memory stays with the pool: it is used again before any
/// that was never touched, and at most three batches per stripe cannot be seen by the other stripes.
public sealed class BlockPool : IDisposable
{
    /// Zero is never lent, so that zeroed memory names no block.
    public const uint None = 0;

    private const int StripeCount = 16;

    /// Blocks in a chain or run: enough to make the shared gate rare, few enough that idle stripes hold little back.
    private const int Batch = 64;

    /// A huge page is resident as a whole when its first byte is touched.
    private const long Granule = NativeRegion.HugePage;

    private readonly NativeRegion _region;
    private readonly MemoryBudget _budget;
    private readonly Stripe[] _stripes = new Stripe[StripeCount];
    private readonly uint _capacity;
    private SpinGate _gate;
    private uint _chains; // under _gate
    private uint _carved = 1; // written under _gate
    private long _touchable; // under _gate: bytes paid for from the budget

    /// The address space limits the pool even when the budget does not; it costs nothing until touched.
    public BlockPool(int blockSize, long addressSpace, uint blocksMax, MemoryBudget budget)
    {
        Invariant.Holds(blockSize >= 8 && blockSize % 8 == 0);
        BlockSize = blockSize;
        _budget = budget;
        _capacity = (uint)Math.Min(blocksMax, addressSpace / blockSize);
        _region = NativeRegion.Reserve(addressSpace);
    }

    public int BlockSize { get; }

    /// Blocks lent out now. Exact when no other thread takes or returns.
    public long Lent
    {
        get
        {
            var lent = 0L;
            foreach (ref var stripe in _stripes.AsSpan())
            {
                lent += Volatile.Read(ref stripe.Lent);
            }

            return lent;
        }
    }

    /// False when the budget or the address space is used up. The block holds what its last owner left in it.
    public bool TryTake(int stripeHint, out uint handle)
    {
        ref var stripe = ref _stripes[stripeHint & (StripeCount - 1)];
        stripe.Gate.Enter();
        handle = TakeLocked(ref stripe);
        stripe.Gate.Exit();
        return handle != None;
    }

    /// As many as there is room for. False: not all of them could be had, and those that could stay lent.
    public bool TryTake(int stripeHint, Span<uint> handles)
    {
        ref var stripe = ref _stripes[stripeHint & (StripeCount - 1)];
        stripe.Gate.Enter();
        var taken = true;
        foreach (ref var handle in handles)
        {
            handle = TakeLocked(ref stripe);
            taken &= handle != None;
        }

        stripe.Gate.Exit();
        return taken;
    }

    /// The handle must not be used afterwards.
    public void Return(int stripeHint, uint handle)
    {
        Invariant.Holds(handle != None && handle < _carved);
        ref var stripe = ref _stripes[stripeHint & (StripeCount - 1)];
        stripe.Gate.Enter();
        if (stripe.CurrentLength == Batch)
        {
            if (stripe.Spare != None)
            {
                PushChain(stripe.Spare);
            }

            stripe.Spare = stripe.Current;
            stripe.Current = None;
            stripe.CurrentLength = 0;
        }

        At<FreeBlock>(handle).Next = stripe.Current;
        stripe.Current = handle;
        stripe.CurrentLength++;
        stripe.Lent--;
        stripe.Gate.Exit();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref T At<T>(uint handle)
        where T : unmanaged
        => ref _region.At<T>((long)handle * BlockSize);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Span<byte> Span(uint handle) => _region.Span((long)handle * BlockSize, BlockSize);

    /// Whether reading the block is harmless. For hints that follow handles without the owner's lock and may meet anything.
    public bool Exists(uint handle) => handle != None && handle < Volatile.Read(ref _carved);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Prefetch(uint handle, int offset = 0) => _region.Prefetch(((long)handle * BlockSize) + offset);

    public void Dispose() => _region.Dispose();

    // Freed blocks before fresh ones, the stripe's own before shared ones.
    private uint TakeLocked(ref Stripe stripe)
    {
        if (stripe.Current == None)
        {
            Refill(ref stripe);
        }

        uint handle;
        if (stripe.Current != None)
        {
            handle = stripe.Current;
            stripe.Current = At<FreeBlock>(handle).Next;
            stripe.CurrentLength--;
        }
        else if (stripe.Fresh < stripe.FreshEnd)
        {
            handle = stripe.Fresh++;
        }
        else
        {
            return None;
        }

        stripe.Lent++;
        return handle;
    }

    private void Refill(ref Stripe stripe)
    {
        if (stripe.Spare != None)
        {
            stripe.Current = stripe.Spare;
            stripe.Spare = None;
            stripe.CurrentLength = Batch;
        }
        else if (stripe.Fresh == stripe.FreshEnd)
        {
            _gate.Enter();
            if (_chains != None)
            {
                stripe.Current = _chains;
                stripe.CurrentLength = Batch;
                _chains = At<FreeBlock>(_chains).NextChain;
            }
            else
            {
                CarveLocked(ref stripe);
            }

            _gate.Exit();
        }
    }

    private void CarveLocked(ref Stripe stripe)
    {
        var end = Math.Min((long)_carved + Batch, _capacity);
        var needed = Math.Min((((end * BlockSize) + Granule - 1) / Granule) * Granule, _region.Length);
        if (needed > _touchable && _budget.TryTake(needed - _touchable))
        {
            _touchable = needed;
        }

        end = Math.Min(end, _touchable / BlockSize);
        if (end > _carved)
        {
            stripe.Fresh = _carved;
            stripe.FreshEnd = (uint)end;
            Volatile.Write(ref _carved, (uint)end);
        }
    }

    private void PushChain(uint chain)
    {
        _gate.Enter();
        At<FreeBlock>(chain).NextChain = _chains;
        _chains = chain;
        _gate.Exit();
    }

    private struct FreeBlock
    {
        public uint Next;
        public uint NextChain; // of the first block of a chain of exactly Batch blocks
    }

    // Two cache lines apart, so that no two stripes share one.
    [StructLayout(LayoutKind.Sequential, Size = 128)]
    private struct Stripe
    {
        public SpinGate Gate;
        public uint Current;
        public int CurrentLength;
        public uint Spare; // None, or a chain of exactly Batch blocks
        public uint Fresh;
        public uint FreshEnd;
        public long Lent; // negative where more is returned than taken
    }
}

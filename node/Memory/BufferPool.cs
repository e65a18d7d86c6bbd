using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Aerie.Foundation;

namespace Aerie.Memory;

/// Names a rented buffer. The generation makes a stale id fail loudly instead of reading another request's bytes.
public readonly record struct BufferId(int Slot, uint Generation)
{
    public static readonly BufferId None = new(-1, 0);

    public bool IsNone => Slot < 0;
}

/// Native buffers of one event loop: not thread-safe, never on the managed heap. Small and standard buffers are kept and
/// handed out last-in-first-out, so that a quiet loop keeps re-using the few that are in the processor's cache; larger ones
/// are allocated to measure and given back to the system at once. What is lent out is counted: a loop that ends with
/// buffers outstanding has leaked.
public sealed unsafe class BufferPool : IDisposable
{
    /// For what waits: the start of a message whose rest may never come. Many connections may hold one each.
    public const int SmallLength = 4 * 1024;

    /// One socket read: most requests are far smaller, one of 64 KiB still arrives in one piece.
    public const int StandardLength = 64 * 1024;

    /// Buffers of each kept length that stay when idle, 4 MiB; a burst gives the rest back.
    private const int KeptMax = 64;

    /// Spreads equal-sized buffers over cache sets: their first bytes would otherwise all compete for the same few.
    private const int ColourStep = 5 * 64;

    private const int Colours = 12;

    /// Bytes of each aligned length that stay when idle: 256 single pages.
    private const int KeptAlignedBytes = 1024 * 1024;

    private readonly Stack<int> _freeSlots = new();
    private readonly Stack<nint> _kept = new();
    private readonly Stack<nint> _keptSmall = new();
    private readonly Stack<nint>?[] _keptAligned = new Stack<nint>?[StandardLength / Page.Length];
    private Slot[] _slots = new Slot[64];
    private int _slotsUsed;
    private int _nextColour;
    private bool _isDisposed;

    public int Outstanding { get; private set; }

    /// Bytes lent out and kept.
    public long BytesHeld { get; private set; }

    /// At least so many bytes; see Length.
    public BufferId Rent(int length = StandardLength)
    {
        Invariant.Holds(length >= 0);

        // the memory first: if the system refuses it, no slot is lost
        length = length <= SmallLength ? SmallLength : Math.Max(length, StandardLength);
        var memory = length switch
        {
            SmallLength => _keptSmall.Count > 0 ? (byte*)_keptSmall.Pop() : AllocatePlain(length),
            StandardLength => _kept.Count > 0 ? (byte*)_kept.Pop() : AllocateStandard(),
            _ => AllocatePlain(length),
        };
        return Lend(memory, length, isAligned: false);
    }

    /// For direct I/O: begins at a page and is of whole pages, at least so many bytes.
    public BufferId RentAligned(int length)
    {
        Invariant.Holds(length > 0);
        length = Page.RoundUp(length);
        var kept = length <= StandardLength ? KeptAligned(length) : null;
        var memory = kept is { Count: > 0 } ? (byte*)kept.Pop() : AllocateAligned(length);
        return Lend(memory, length, isAligned: true);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Span<byte> Span(BufferId id)
    {
        ref var entry = ref Entry(id);
        return new Span<byte>(entry.Memory, entry.Length);
    }

    public int Length(BufferId id) => Entry(id).Length;

    public void Return(BufferId id)
    {
        ref var entry = ref Entry(id);
        if (!TryKeep(entry))
        {
            Free(entry.Memory, entry.Length, entry.IsAligned);
        }

        Forget(ref entry, id.Slot);
    }

    /// Takes a buffer out of this pool, on its way to the pool of another thread. Until it is attached there, nobody counts
    /// it but whoever carries it.
    public DetachedBuffer Detach(BufferId id)
    {
        ref var entry = ref Entry(id);
        var detached = new DetachedBuffer(entry.Memory, entry.Length, entry.IsAligned);
        BytesHeld -= entry.Length;
        Forget(ref entry, id.Slot);
        return detached;
    }

    /// Takes over a buffer that another pool detached. Exactly once each.
    public BufferId Attach(DetachedBuffer detached)
    {
        Invariant.Holds(detached.Memory != null);
        BytesHeld += detached.Length;
        return Lend(detached.Memory, detached.Length, detached.IsAligned);
    }

    /// The buffer's bytes for other threads to read. They must be done before the owner returns the buffer, and the owner
    /// may not write meanwhile.
    public BufferView View(BufferId id)
    {
        ref var entry = ref Entry(id);
        return new BufferView(entry.Memory, entry.Length);
    }

    /// Gives the kept buffers back to the system. Lent ones stay valid until returned.
    public void Dispose()
    {
        _isDisposed = true;
        while (_kept.Count > 0)
        {
            Free((byte*)_kept.Pop(), StandardLength, isAligned: false);
        }

        while (_keptSmall.Count > 0)
        {
            Free((byte*)_keptSmall.Pop(), SmallLength, isAligned: false);
        }

        for (var length = Page.Length; length <= StandardLength; length += Page.Length)
        {
            for (var kept = KeptAligned(length); kept.Count > 0;)
            {
                Free((byte*)kept.Pop(), length, isAligned: true);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ref Slot Entry(BufferId id)
    {
        Invariant.Holds((uint)id.Slot < (uint)_slotsUsed);
        ref var entry = ref _slots[id.Slot];
        Invariant.Holds(entry.Generation == id.Generation);
        return ref entry;
    }

    private BufferId Lend(byte* memory, int length, bool isAligned)
    {
        var slot = _freeSlots.Count > 0 ? _freeSlots.Pop() : NewSlot();
        ref var entry = ref _slots[slot];
        entry.Memory = memory;
        entry.Length = length;
        entry.IsAligned = isAligned;
        entry.Generation++;
        Outstanding++;
        return new BufferId(slot, entry.Generation);
    }

    private Stack<nint> KeptAligned(int length) => _keptAligned[(length / Page.Length) - 1] ??= new Stack<nint>();

    private bool TryKeep(in Slot entry)
    {
        if (_isDisposed || entry.Length > StandardLength)
        {
            return false;
        }

        var kept = entry.IsAligned ? KeptAligned(entry.Length) : entry.Length == SmallLength ? _keptSmall : _kept;
        if (kept.Count >= (entry.IsAligned ? KeptAlignedBytes / entry.Length : KeptMax))
        {
            return false;
        }

        kept.Push((nint)entry.Memory);
        return true;
    }

    private void Forget(ref Slot entry, int slot)
    {
        entry.Memory = null;
        entry.Generation++;
        _freeSlots.Push(slot);
        Outstanding--;
    }

    private int NewSlot()
    {
        if (_slotsUsed == _slots.Length)
        {
            Array.Resize(ref _slots, _slots.Length * 2);
        }

        return _slotsUsed++;
    }

    private byte* AllocatePlain(int length)
    {
        var memory = (byte*)NativeMemory.Alloc((nuint)length);
        BytesHeld += length;
        return memory;
    }

    private byte* AllocateAligned(int length)
    {
        var memory = (byte*)NativeMemory.AlignedAlloc((nuint)length, Page.Length);
        BytesHeld += length;
        return memory;
    }

    // The colour is stored in front of the buffer, so that freeing finds the start of the allocation.
    private byte* AllocateStandard()
    {
        var offset = 64 + (_nextColour * ColourStep);
        _nextColour = (_nextColour + 1) % Colours;
        var start = (byte*)NativeMemory.AlignedAlloc((nuint)(StandardLength + 64 + (Colours * ColourStep)), 64);
        BytesHeld += StandardLength;
        var memory = start + offset;
        ((int*)memory)[-1] = offset;
        return memory;
    }

    private void Free(byte* memory, int length, bool isAligned)
    {
        if (isAligned)
        {
            NativeMemory.AlignedFree(memory);
        }
        else if (length == StandardLength)
        {
            NativeMemory.AlignedFree(memory - ((int*)memory)[-1]);
        }
        else
        {
            NativeMemory.Free(memory);
        }

        BytesHeld -= length;
    }

    private struct Slot
    {
        public byte* Memory;
        public int Length;
        public bool IsAligned;
        public uint Generation;
    }
}

/// A buffer between two pools.
public readonly unsafe struct DetachedBuffer
{
    internal readonly byte* Memory;
    internal readonly int Length;
    internal readonly bool IsAligned;

    internal DetachedBuffer(byte* memory, int length, bool isAligned)
    {
        Memory = memory;
        Length = length;
        IsAligned = isAligned;
    }
}

/// Read-only sight of a buffer that another thread owns and keeps alive.
public readonly unsafe struct BufferView
{
    private readonly byte* _memory;
    private readonly int _length;

    internal BufferView(byte* memory, int length)
    {
        _memory = memory;
        _length = length;
    }

    public ReadOnlySpan<byte> Bytes => new(_memory, _length);
}

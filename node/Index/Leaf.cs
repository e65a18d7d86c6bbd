using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Aerie.Foundation;

namespace Aerie.Index;

/// A bucket of up to 49 entries, unordered, in one to four cache lines: header of 8 bytes, a tag byte per entry, a handle per
/// entry. All tags lie in the first line whatever the size, so that one comparison answers for the whole leaf.
internal readonly ref struct Leaf
{
    public const int LinesMax = 4;
    public const int CapacityMax = 49;
    public const int LineLength = 64;

    private const int CountAt = 0;
    private const int DepthAt = 1;
    private const int MinVoidTimeAt = 4;
    private const int TagsAt = 8;

    private readonly Span<byte> _block;
    private readonly int _handlesAt;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Leaf(Span<byte> block)
    {
        _block = block;
        _handlesAt = HandlesAt(block.Length / LineLength);
    }

    public int Count
    {
        get => _block[CountAt];
        private set => _block[CountAt] = (byte)value;
    }

    /// Bits of the key that all entries here share.
    public int Depth
    {
        get => _block[DepthAt];
        set => _block[DepthAt] = (byte)value;
    }

    /// No entry expires before; zero: none expires. May be earlier than the truth, never later.
    public uint MinVoidTime
    {
        get => MemoryMarshal.Read<uint>(_block[MinVoidTimeAt..]);
        set => MemoryMarshal.Write(_block[MinVoidTimeAt..], value);
    }

    public int Capacity => CapacityOf(_block.Length / LineLength);

    public bool IsFull => Count == Capacity;

    public ReadOnlySpan<uint> Handles => MemoryMarshal.Cast<byte, uint>(_block.Slice(_handlesAt, Count * sizeof(uint)));

    public static int CapacityOf(int lines) => lines switch { 1 => 11, 2 => 24, 3 => 36, _ => CapacityMax };

    public static int LinesFor(int count) => count switch { <= 11 => 1, <= 24 => 2, <= 36 => 3, _ => 4 };

    /// The last digest byte: none of the bits that choose the leaf.
    public static byte TagOf(in Digest digest) => MemoryMarshal.AsBytes(new ReadOnlySpan<Digest>(in digest))[19];

    public void Clear(int depth)
    {
        _block[..TagsAt].Clear();
        Depth = depth;
    }

    /// A bit for each entry whose tag matches.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong Matching(byte tag)
    {
        ReadOnlySpan<byte> line = _block[..LineLength];
        ulong matches;
        if (Vector512.IsHardwareAccelerated)
        {
            matches = Vector512.Equals(Vector512.Create(line), Vector512.Create(tag)).ExtractMostSignificantBits();
        }
        else
        {
            var wanted = Vector256.Create(tag);
            matches = Vector256.Equals(Vector256.Create(line), wanted).ExtractMostSignificantBits()
                | ((ulong)Vector256.Equals(Vector256.Create(line[32..]), wanted).ExtractMostSignificantBits() << 32);
        }

        return (matches >> TagsAt) & ((1UL << Count) - 1);
    }

    public byte Tag(int slot) => _block[TagsAt + slot];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public uint Handle(int slot) => MemoryMarshal.Read<uint>(_block[(_handlesAt + (slot * sizeof(uint)))..]);

    public void Add(byte tag, uint handle)
    {
        var slot = Count;
        Invariant.Holds(slot < Capacity);
        _block[TagsAt + slot] = tag;
        MemoryMarshal.Write(_block[(_handlesAt + (slot * sizeof(uint)))..], handle);
        Count = slot + 1;
    }

    public void RemoveAt(int slot)
    {
        var last = Count - 1;
        _block[TagsAt + slot] = _block[TagsAt + last];
        MemoryMarshal.Write(_block[(_handlesAt + (slot * sizeof(uint)))..], Handle(last));
        Count = last;
    }

    public void AddAll(Leaf other)
    {
        for (var slot = 0; slot < other.Count; slot++)
        {
            Add(other.Tag(slot), other.Handle(slot));
        }

        NoteVoidTime(other.MinVoidTime);
    }

    public void NoteVoidTime(uint voidTime)
    {
        if (voidTime != 0 && (MinVoidTime == 0 || voidTime < MinVoidTime))
        {
            MinVoidTime = voidTime;
        }
    }

    // Behind the tags of a full leaf, at the next multiple of four.
    private static int HandlesAt(int lines) => lines switch { 1 => 20, 2 => 32, 3 => 44, _ => 60 };
}

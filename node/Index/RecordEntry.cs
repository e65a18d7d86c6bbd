using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Aerie.Foundation;

namespace Aerie.Index;

/// All that memory keeps of one record: 40 bytes, of which the node holds billions. The offsets are a format (checkpoints
/// store entries as they are). Read and written under the lock of the record's partition only.
///
/// The lowest byte of the digest is not here: it is the low byte of the partition number.
[StructLayout(LayoutKind.Explicit, Size = Size)]
public struct RecordEntry
{
    public const int Size = 40;
    public const int SetIdMax = (1 << 12) - 1;
    public const ulong LastUpdateTimeMax = (1UL << 40) - 1;

    /// Locations and sizes count units of 16 bytes.
    public const ulong LocationMax = (1UL << 44) - 1;
    public const uint UnitsMax = (1U << UnitsBits) - 1;

    private const int UnitsBits = 20;
    private const int FlagsMask = 0x000F;
    private const int SetHighMask = 0x00F0;
    private const int TimeHighMask = 0xFF00;

    [FieldOffset(0)] private ulong _digest1;
    [FieldOffset(8)] private ulong _digest9;
    [FieldOffset(16)] private ushort _digest17;
    [FieldOffset(18)] private byte _digest19;
    [FieldOffset(19)] private byte _setLow;
    [FieldOffset(20)] private ushort _generation;
    [FieldOffset(22)] private ushort _bits; // flags 0..3, high bits of the set id 4..7, of the last-update-time 8..15
    [FieldOffset(24)] private uint _voidTime;
    [FieldOffset(28)] private uint _timeLow;
    [FieldOffset(32)] private ulong _place; // size 0..19, location 20..63

    public ushort Generation
    {
        readonly get => _generation;
        set => _generation = value;
    }

    /// Seconds since 2010; zero never expires. Whoever lowers it tells the index (NoteVoidTime).
    public uint VoidTime
    {
        readonly get => _voidTime;
        set => _voidTime = value;
    }

    public int SetId
    {
        readonly get => _setLow | ((_bits & SetHighMask) << 4);
        set
        {
            Invariant.Holds((uint)value <= SetIdMax);
            _setLow = (byte)value;
            _bits = (ushort)((_bits & ~SetHighMask) | ((value >> 4) & SetHighMask));
        }
    }

    /// Milliseconds since 2010.
    public ulong LastUpdateTime
    {
        readonly get => _timeLow | ((ulong)(_bits & TimeHighMask) << 24);
        set
        {
            Invariant.Holds(value <= LastUpdateTimeMax);
            _timeLow = (uint)value;
            _bits = (ushort)((_bits & ~TimeHighMask) | (int)((value >> 24) & TimeHighMask));
        }
    }

    public readonly ulong Location => _place >> UnitsBits;

    /// Length of the image in storage units.
    public readonly uint Units => (uint)_place & UnitsMax;

    /// One command owns the record until it lets go.
    public bool IsHeld
    {
        readonly get => Has(RecordFlags.Held);
        internal set => Put(RecordFlags.Held, value);
    }

    /// Commands queue for the hold: whoever lets go must look into RecordHolds.
    public bool IsAwaited
    {
        readonly get => Has(RecordFlags.Awaited);
        internal set => Put(RecordFlags.Awaited, value);
    }

    /// A deleted record that must be remembered.
    public bool IsTombstone
    {
        readonly get => Has(RecordFlags.Tombstone);
        set => Put(RecordFlags.Tombstone, value);
    }

    /// Location and size together, as the storage engine's RecordLocation packs them. 0: nothing was stored yet.
    public ulong Place
    {
        readonly get => _place;
        set => _place = value;
    }

    /// Takes over everything but the digest, and the hold, which is the index's business.
    public void Assign(in RecordEntry state)
    {
        Generation = state.Generation;
        VoidTime = state.VoidTime;
        LastUpdateTime = state.LastUpdateTime;
        SetId = state.SetId;
        IsTombstone = state.IsTombstone;
        _place = state._place;
    }

    /// As a checkpoint stores it: who holds or awaits a record does not outlive the process.
    public readonly RecordEntry WithoutHold()
    {
        var copy = this;
        copy.IsHeld = false;
        copy.IsAwaited = false;
        return copy;
    }

    /// The bits of an entry that WithoutHold has made.
    public readonly bool IsStored => (_bits & FlagsMask & ~(int)RecordFlags.Tombstone) == 0;

    public void SetPlace(ulong location, uint units)
    {
        Invariant.Holds(location <= LocationMax && units <= UnitsMax);
        _place = (location << UnitsBits) | units;
    }

    public readonly Digest Digest(int partition)
    {
        Span<byte> bytes = stackalloc byte[Foundation.Digest.Length];
        bytes[0] = (byte)partition;
        MemoryMarshal.Write(bytes[1..], _digest1);
        MemoryMarshal.Write(bytes[9..], _digest9);
        MemoryMarshal.Write(bytes[17..], _digest17);
        bytes[19] = _digest19;
        return MemoryMarshal.Read<Digest>(bytes);
    }

    internal readonly byte LastDigestByte => _digest19;

    /// Whether this is the digest's entry, both being of the same partition.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal readonly bool Is(in Digest digest)
    {
        var bytes = MemoryMarshal.AsBytes(new ReadOnlySpan<Digest>(in digest));
        return MemoryMarshal.Read<ulong>(bytes[9..]) == _digest9
            && MemoryMarshal.Read<ulong>(bytes[1..]) == _digest1
            && MemoryMarshal.Read<ushort>(bytes[17..]) == _digest17
            && bytes[19] == _digest19;
    }

    internal void Reset(in Digest digest)
    {
        var bytes = MemoryMarshal.AsBytes(new ReadOnlySpan<Digest>(in digest));
        this = default;
        _digest1 = MemoryMarshal.Read<ulong>(bytes[1..]);
        _digest9 = MemoryMarshal.Read<ulong>(bytes[9..]);
        _digest17 = MemoryMarshal.Read<ushort>(bytes[17..]);
        _digest19 = bytes[19];
    }

    private readonly bool Has(RecordFlags flag) => (_bits & FlagsMask & (int)flag) != 0;

    private void Put(RecordFlags flag, bool value) => _bits = (ushort)(value ? _bits | (int)flag : _bits & ~(int)flag);

    [Flags]
    private enum RecordFlags
    {
        Held = 1,
        Tombstone = 2,
        Awaited = 4,
    }
}

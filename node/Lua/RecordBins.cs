using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Aerie.DataModel;
using Aerie.DataModel.Bins;
using Aerie.DataModel.Packed;
using Aerie.Foundation;
using Aerie.Lua.Native;
using Aerie.Lua.Values;

namespace Aerie.Lua;

/// The bins of the record as the script of one call sees them: what it has assigned, and the lists, maps and blobs that it has
/// read, so that reading a bin twice gives the same object. Assigned bins go to the record with create and update; what is only
/// read is never written, even when the script has changed the object.
internal sealed unsafe class RecordBins
{
    /// Names that one call may assign or read objects of. More is an error of the script.
    private const int SlotsMax = 1024;

    /// A record of more cannot be stored; what is longer overflows and is refused.
    private const int ValueLengthMax = 8 * 1024 * 1024;

    private readonly LuaState _state;

    /// Lua values of slots, by their number, so that they live as long as the call.
    private readonly int _heldKey;
    private readonly GrowingBytes _packed = new(ValueLengthMax);
    private Slot[] _slots = new Slot[16];
    private int _count;
    private IUdfRecord? _record;

    public RecordBins(LuaState state, nint lua)
    {
        _state = state;
        LuaApi.NewTable(lua, _slots.Length, 0);
        _heldKey = LuaApi.Keep(lua, LuaApi.Registry);
    }

    private enum Content : byte
    {
        Nothing,
        Integer,
        Double,
        Boolean,

        /// A Lua value that is held.
        Held,
    }

    /// Null: no call is under way, the script has kept the record of an earlier one.
    public IUdfRecord? Record => _record;

    public void Begin(IUdfRecord? record) => _record = record;

    /// After the call. What the script still holds of it is its own.
    public void Clear()
    {
        Forget(_state.Main);
        _record = null;
    }

    /// Pushes the value of a bin; nil where there is none.
    public void Push(nint lua, ReadOnlySpan<byte> name)
    {
        if (name.Length > RecordDraft.NameLengthMax)
        {
            LuaApi.PushNil(lua);
            return;
        }

        var key = Name.Of(name);
        var slot = Find(key);
        if (slot >= 0)
        {
            PushSlot(lua, slot);
            return;
        }

        var value = _record!.Bin(name);
        NewValues.PushBin(_state, lua, value);
        if (value.Type is > ParticleType.String and not ParticleType.Bool)
        {
            slot = Add(key);
            Hold(lua, slot);
        }
    }

    /// Assigns the value at an index to a bin; nil removes it. False: it is none that a bin could have.
    public bool TryAssign(nint lua, ReadOnlySpan<byte> name, int index)
    {
        var type = LuaApi.Type(lua, index);
        if (type > LuaApi.TypeString && !Packing.IsStorable(lua, index))
        {
            return false;
        }

        if (name.Length is 0 or > RecordDraft.NameLengthMax)
        {
            throw new ScriptException($"can't set bin {System.Text.Encoding.UTF8.GetString(name)}: its name has no or more than 15 bytes");
        }

        var key = Name.Of(name);
        var at = Find(key);
        at = at >= 0 ? at : Add(key);
        ref var slot = ref _slots[at];
        slot.IsAssigned = true;
        switch (type)
        {
            case LuaApi.TypeNil:
                slot.Content = Content.Nothing;
                return true;
            case LuaApi.TypeBoolean:
                slot.Content = Content.Boolean;
                slot.Bits = LuaApi.ToBoolean(lua, index);
                return true;
            case LuaApi.TypeNumber when LuaApi.IsInteger(lua, index) != 0:
                slot.Content = Content.Integer;
                slot.Bits = LuaApi.ToInteger(lua, index, null);
                return true;
            case LuaApi.TypeNumber:
                slot.Content = Content.Double;
                slot.Bits = BitConverter.DoubleToInt64Bits(LuaApi.ToNumber(lua, index, null));
                return true;
            default:
                LuaApi.PushValue(lua, index);
                Hold(lua, at);
                LuaApi.SetTop(lua, -2);
                return true;
        }
    }

    /// Hands all assigned bins to the record, for the create or update that follows.
    public ResultCode SetAssigned(nint lua)
    {
        for (var at = 0; at < _count; at++)
        {
            if (!_slots[at].IsAssigned)
            {
                continue;
            }

            var result = SetBin(lua, at);
            if (result != ResultCode.Ok)
            {
                return result;
            }
        }

        return ResultCode.Ok;
    }

    /// The record has taken what was assigned.
    public void MarkStored()
    {
        for (var at = 0; at < _count; at++)
        {
            _slots[at].IsAssigned = false;
        }
    }

    /// The record is gone, and with it what was read and assigned.
    public void Forget(nint lua)
    {
        if (_count == 0)
        {
            return;
        }

        LuaApi.RawGet(lua, LuaApi.Registry, _heldKey);
        for (var at = 0; at < _count; at++)
        {
            if (_slots[at].IsHeld)
            {
                LuaApi.PushNil(lua);
                LuaApi.RawSet(lua, -2, at + 1);
                _slots[at].IsHeld = false;
            }
        }

        LuaApi.SetTop(lua, -2);
        _count = 0;
    }

    private ResultCode SetBin(nint lua, int at)
    {
        ref var slot = ref _slots[at];
        Span<byte> nameBytes = stackalloc byte[Name.Size];
        var name = slot.Name.Bytes(nameBytes);
        if (slot.Content == Content.Nothing)
        {
            return _record!.RemoveBin(name);
        }

        _packed.Clear();
        ParticleType type;
        switch (slot.Content)
        {
            case Content.Integer:
                Packing.WriteLong(_packed, slot.Bits);
                type = ParticleType.Integer;
                break;
            case Content.Double:
                Packing.WriteLong(_packed, slot.Bits);
                type = ParticleType.Double;
                break;
            case Content.Boolean:
                _packed.Append((byte)slot.Bits);
                type = ParticleType.Bool;
                break;
            default:
                PushSlot(lua, at);
                type = Packing.WriteBin(_state, lua, LuaApi.Top(lua), _packed);
                LuaApi.SetTop(lua, -2);
                break;
        }

        return _packed.Overflowed ? ResultCode.RecordTooBig : _record!.SetBin(name, type, _packed.Read(0, _packed.Length));
    }

    private void PushSlot(nint lua, int at)
    {
        ref var slot = ref _slots[at];
        switch (slot.Content)
        {
            case Content.Integer:
                LuaApi.PushInteger(lua, slot.Bits);
                return;
            case Content.Double:
                LuaApi.PushNumber(lua, BitConverter.Int64BitsToDouble(slot.Bits));
                return;
            case Content.Boolean:
                LuaApi.PushBoolean(lua, (int)slot.Bits);
                return;
            case Content.Held:
                LuaApi.RawGet(lua, LuaApi.Registry, _heldKey);
                LuaApi.RawGet(lua, -1, at + 1);
                LuaApi.Rotate(lua, -2, 1);
                LuaApi.SetTop(lua, -2);
                return;
            default:
                LuaApi.PushNil(lua);
                return;
        }
    }

    // The value on top, which stays there, becomes the slot's.
    private void Hold(nint lua, int at)
    {
        LuaApi.RawGet(lua, LuaApi.Registry, _heldKey);
        LuaApi.PushValue(lua, -2);
        LuaApi.RawSet(lua, -2, at + 1);
        LuaApi.SetTop(lua, -2);
        _slots[at].Content = Content.Held;
        _slots[at].IsHeld = true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int Find(in Name name)
    {
        for (var at = 0; at < _count; at++)
        {
            if (_slots[at].Name.Equals(name))
            {
                return at;
            }
        }

        return -1;
    }

    private int Add(in Name name)
    {
        if (_count == _slots.Length)
        {
            if (_count == SlotsMax)
            {
                throw new ScriptException($"a function may use at most {SlotsMax} bins");
            }

            Array.Resize(ref _slots, _count * 2);
        }

        _slots[_count] = new Slot { Name = name };
        return _count++;
    }

    private struct Slot
    {
        public Name Name;
        public long Bits;
        public Content Content;
        public bool IsAssigned;
        public bool IsHeld;
    }

    /// Up to fifteen bytes, then zeros, and the length in the last one.
    private readonly record struct Name(ulong Low, ulong High)
    {
        public const int Size = 16;

        public static Name Of(ReadOnlySpan<byte> name)
        {
            var length = (ulong)name.Length << 56;
            return name.Length > sizeof(ulong)
                ? new Name(MemoryMarshal.Read<ulong>(name), Short(name[sizeof(ulong)..]) | length)
                : new Name(Short(name), length);
        }

        // Up to eight bytes as a number, by reads that overlap instead of a copy.
        private static ulong Short(ReadOnlySpan<byte> bytes)
        {
            switch (bytes.Length)
            {
                case sizeof(ulong):
                    return MemoryMarshal.Read<ulong>(bytes);
                case >= sizeof(uint):
                    var end = bytes.Length - sizeof(uint);
                    return MemoryMarshal.Read<uint>(bytes) | ((ulong)MemoryMarshal.Read<uint>(bytes[end..]) << (8 * end));
                case 0:
                    return 0;
                default:
                    var last = bytes.Length - 1;
                    return bytes[0] | ((ulong)bytes[bytes.Length / 2] << (8 * (bytes.Length / 2))) | ((ulong)bytes[last] << (8 * last));
            }
        }

        public ReadOnlySpan<byte> Bytes(Span<byte> target)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(target, Low);
            BinaryPrimitives.WriteUInt64LittleEndian(target[sizeof(ulong)..], High);
            return target[..target[Size - 1]];
        }
    }
}

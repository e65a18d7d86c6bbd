using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Aerie.DataModel.Packed;
using Aerie.Lua.Native;

namespace Aerie.Lua.Values;

/// A list or map on a Lua stack, and its slots: the part that lists and maps have in common.
internal readonly unsafe ref struct Elements(LuaState state, nint lua, int index, ContainerBox* box)
{
    /// The slot of a nil: the complement of no element.
    private const int Nil = ~0;

    /// Nobody needs more, and offsets stay far from overflow.
    private const int SlotsMax = 8 * 1024 * 1024;

    /// An element or pair at the front that says how the rest is ordered.
    private const byte OrderMask = 0x03;

    private readonly LuaState _state = state;
    private readonly nint _lua = lua;
    private readonly ContainerBox* _box = box;

    /// Where the userdata lies; never relative to the top.
    private readonly int _index = index;

    public ContainerBox* Box => _box;

    public LuaState State => _state;

    public nint Lua => _lua;

    private ReadOnlySpan<byte> Packed => new(_box->Packed, _box->PackedLength);

    /// Fills the slots, if nobody has looked inside yet.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Open()
    {
        if (_box->IsUnread)
        {
            Read();
        }
    }

    public int Slot(int at) => _box->Slots[at];

    /// Pushes the value of a slot. What the script could change is the same object every time.
    public void Push(int at)
    {
        var slot = _box->Slots[at];
        if (slot == Nil)
        {
            LuaApi.PushNil(_lua);
        }
        else if (slot < 0)
        {
            LuaApi.GetUserValue(_lua, _index, ContainerBox.ElementsValue);
            LuaApi.RawGet(_lua, -1, ~slot);
            LuaApi.Rotate(_lua, -2, 1);
            LuaApi.SetTop(_lua, -2);
        }
        else
        {
            PushPacked(slot);
            if (IsChangeable(_box->Packed[slot]) && LuaApi.Type(_lua, -1) == LuaApi.TypeUserdata)
            {
                Keep(at);
            }
        }
    }

    /// Pushes the key of an entry. A blob is a copy: nobody may change a key where it lies.
    public void PushKey(int at)
    {
        var slot = _box->Slots[at];
        if (slot >= 0)
        {
            PushPacked(slot);
            return;
        }

        Push(at);
        var bytes = Boxes.Bytes(_lua, -1);
        if (bytes != null)
        {
            NewValues.PushBytes(_state, _lua, bytes->Content, (DataModel.ParticleType)bytes->Type);
            LuaApi.Rotate(_lua, -2, 1);
            LuaApi.SetTop(_lua, -2);
        }
    }

    /// Makes the value on top of the stack, which is popped, the value of a slot.
    public void Set(int at)
    {
        _box->IsChanged = true;
        if (LuaApi.Type(_lua, -1) == LuaApi.TypeNil)
        {
            _box->Slots[at] = Nil;
            LuaApi.SetTop(_lua, -2);
            return;
        }

        Keep(at);
        LuaApi.SetTop(_lua, -2);
    }

    /// Opens a gap of `count` slots, all nil.
    public void Insert(int at, int count)
    {
        var used = _box->Count * _box->SlotsPerEntry;
        EnsureSlots(used + count);
        var slots = new Span<int>(_box->Slots, used + count);
        slots[at..used].CopyTo(slots[(at + count)..]);
        slots.Slice(at, count).Fill(Nil);
        _box->Count += count / _box->SlotsPerEntry;
        _box->IsChanged = true;
        _state.Charge((used - at) / 64);
    }

    public void Remove(int at, int count)
    {
        var used = _box->Count * _box->SlotsPerEntry;
        var slots = new Span<int>(_box->Slots, used);
        slots[(at + count)..].CopyTo(slots[at..]);
        _box->Count -= count / _box->SlotsPerEntry;
        _box->IsChanged = true;
        _state.Charge((used - at) / 64);
    }

    /// The packed bytes of a slot that still has them.
    public ReadOnlySpan<byte> PackedFrom(int slot) => Packed[slot..];

    private void PushPacked(int slot)
    {
        var first = _box->Packed[slot];
        if (first is <= 0x7F or >= 0xE0)
        {
            LuaApi.PushInteger(_lua, (sbyte)first);
            return;
        }

        var needsBuffer = IsContainer(first);
        if (needsBuffer)
        {
            LuaApi.GetUserValue(_lua, _index, ContainerBox.PackedValue);
        }

        var buffer = needsBuffer ? LuaApi.Top(_lua) : 0;
        if (!NewValues.TryPushPacked(_state, _lua, _box->Packed + slot, _box->PackedLength - slot, buffer))
        {
            throw ScriptException.BadPacking;
        }

        if (needsBuffer)
        {
            LuaApi.Rotate(_lua, -2, 1);
            LuaApi.SetTop(_lua, -2);
        }
    }

    // By its first byte: the head of a list or map.
    private static bool IsContainer(byte first) => first is (>= 0x80 and <= 0x9F) or (>= 0xDC and <= 0xDF);

    // By its first byte: may be a list, map or blob. Numbers and the like are not.
    private static bool IsChangeable(byte first) => first is (>= 0x80 and <= 0xBF) or (>= 0xC4 and <= 0xC6) or (>= 0xD9 and <= 0xDF);

    // The value on top becomes an element of the table, and stays on top. A slot that is there already keeps its place.
    private void Keep(int at)
    {
        var slot = _box->Slots[at];
        var element = slot < Nil ? ~slot : ++_box->ElementCount;
        if (LuaApi.GetUserValue(_lua, _index, ContainerBox.ElementsValue) != LuaApi.TypeTable)
        {
            LuaApi.SetTop(_lua, -2);
            LuaApi.NewTable(_lua, 4, 0);
            LuaApi.PushValue(_lua, -1);
            LuaApi.SetUserValue(_lua, _index, ContainerBox.ElementsValue);
        }

        LuaApi.PushValue(_lua, -2);
        LuaApi.RawSet(_lua, -2, element);
        LuaApi.SetTop(_lua, -2);
        _box->Slots[at] = ~element;
    }

    private void EnsureSlots(int needed)
    {
        if (needed <= _box->SlotCapacity)
        {
            return;
        }

        if (needed > SlotsMax)
        {
            throw ScriptException.OutOfMemory;
        }

        var capacity = Math.Max(needed, Math.Min(2 * _box->SlotCapacity, SlotsMax));
        var slots = (int*)NewValues.PushBuffer(_state, _lua, capacity * sizeof(int));
        NativeMemory.Copy(_box->Slots, slots, (nuint)(_box->Count * _box->SlotsPerEntry * sizeof(int)));
        LuaApi.SetUserValue(_lua, _index, ContainerBox.SlotsValue);
        _box->Slots = slots;
        _box->SlotCapacity = capacity;
    }

    private void Read()
    {
        var packed = Packed;
        var reader = new PackedReader(packed);
        if (!reader.TryRead(out var head))
        {
            throw ScriptException.BadPacking;
        }

        var count = head.Count;
        _box->Count = 0;
        var offset = reader.Offset;
        if (count > 0 && reader.TryRead(out var first) && first.Kind == PackedKind.Extension)
        {
            _box->Order = (byte)(first.Tag & OrderMask);
            var isMap = _box->Kind == BoxKind.Map;
            offset = isMap ? PackedSkip.Next(packed, reader.Offset) : reader.Offset;
            count--;
        }

        var slots = count * _box->SlotsPerEntry;
        EnsureSlots(slots);
        for (var at = 0; at < slots; at++)
        {
            if ((uint)offset >= (uint)packed.Length)
            {
                throw ScriptException.BadPacking;
            }

            _box->Slots[at] = offset;
            offset = PackedSkip.Next(packed, offset);
        }

        if (offset != packed.Length)
        {
            throw ScriptException.BadPacking;
        }

        _box->Count = count;
        _box->IsUnread = false;
        _state.Charge(slots / 8);
    }
}

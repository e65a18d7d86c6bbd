using System.Runtime.CompilerServices;
using Aerie.DataModel;
using Aerie.DataModel.Bins;
using Aerie.DataModel.Packed;
using Aerie.Lua.Native;

namespace Aerie.Lua.Values;

/// Makes Lua values: of packed bytes, of bins, and empty ones.
internal static unsafe class NewValues
{
    /// No value that a script makes may be larger; a record has 8 MiB at most.
    public const int BytesMax = 16 * 1024 * 1024;

    /// Containers with more elements get their slots when somebody looks inside: most large ones are only passed on.
    private const int InlineEntriesMax = 32;
    private const int EmptyCapacity = 8;

    /// In front of the bytes of a buffer: no box begins with a zero.
    private const int BufferHeader = sizeof(long);

    /// Throws what becomes an error of the script when a block of this size does not fit into the state any more.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void NeedsRoom(LuaState state, nint lua, long bytes)
    {
        if (bytes > 256 && !state.Heap->HasRoom(bytes))
        {
            MakeRoom(state, lua, bytes);
        }
    }

    /// Pushes a userdata with nothing but memory in it and returns where that begins.
    public static byte* PushBuffer(LuaState state, nint lua, int length)
    {
        NeedsRoom(state, lua, length);
        var buffer = (byte*)LuaApi.NewUserdata(lua, (nuint)(BufferHeader + length), 0);
        *(long*)buffer = 0;
        return buffer + BufferHeader;
    }

    public static BytesBox* PushBytes(LuaState state, nint lua, scoped ReadOnlySpan<byte> content, ParticleType type, int capacity)
    {
        NeedsRoom(state, lua, capacity);
        var box = (BytesBox*)LuaApi.NewUserdata(lua, (nuint)(BytesBox.Header + capacity), BytesBox.UserValues);
        box->Kind = type == ParticleType.GeoJson ? BoxKind.GeoJson : BoxKind.Bytes;
        box->Type = (int)type;
        box->Size = content.Length;
        box->Capacity = capacity;
        box->Data = (byte*)box + BytesBox.Header;
        content.CopyTo(new Span<byte>(box->Data, capacity));
        new Span<byte>(box->Data + content.Length, capacity - content.Length).Clear();
        SetClass(lua, type == ParticleType.GeoJson ? state.Known.GeoJsonClass : state.Known.BytesClass);
        return box;
    }

    public static void PushBytes(LuaState state, nint lua, scoped ReadOnlySpan<byte> content, ParticleType type) =>
        PushBytes(state, lua, content, type, content.Length);

    public static ContainerBox* PushEmpty(LuaState state, nint lua, BoxKind kind, int entries)
    {
        var slots = Math.Max(entries, EmptyCapacity / 2) * (kind == BoxKind.Map ? 2 : 1);
        NeedsRoom(state, lua, (long)slots * sizeof(int));
        var box = NewContainer(state, lua, kind, slots);
        box->IsChanged = true;
        box->IsSorted = true;
        return box;
    }

    /// Strings are C strings to scripts: they end at their first zero byte.
    public static void PushString(LuaState state, nint lua, ReadOnlySpan<byte> text)
    {
        NeedsRoom(state, lua, text.Length);
        var end = text.IndexOf((byte)0);
        LuaState.PushText(lua, end < 0 ? text : text[..end]);
    }

    public static void PushBin(LuaState state, nint lua, BinValue value)
    {
        var bytes = value.Bytes;
        switch (value.Type)
        {
            case ParticleType.Null:
                LuaApi.PushNil(lua);
                return;
            case ParticleType.Integer:
                LuaApi.PushInteger(lua, Integers.Widen(bytes));
                return;
            case ParticleType.Double:
                LuaApi.PushNumber(lua, BitConverter.Int64BitsToDouble(Integers.Widen(bytes)));
                return;
            case ParticleType.Bool:
                LuaApi.PushBoolean(lua, bytes[0]);
                return;
            case ParticleType.String:
                PushString(state, lua, bytes);
                return;
            case ParticleType.List or ParticleType.Map:
                PushContainer(state, lua, bytes, value.Type == ParticleType.Map ? BoxKind.Map : BoxKind.List);
                return;
            case ParticleType.GeoJson:
                PushBytes(state, lua, GeoJsonParticle.Text(bytes), ParticleType.GeoJson);
                return;
            default:
                PushBytes(state, lua, bytes, value.Type);
                return;
        }
    }

    /// Pushes the packed value, of which `value` is the whole rest of the buffer at least. `buffer` is the place on the stack of
    /// the buffer that it lies in. False: it is no packed value.
    public static bool TryPushPacked(LuaState state, nint lua, byte* value, int length, int buffer)
    {
        var reader = new PackedReader(new ReadOnlySpan<byte>(value, length));
        if (!reader.TryRead(out var item))
        {
            return false;
        }

        switch (item.Kind)
        {
            case PackedKind.False or PackedKind.True:
                LuaApi.PushBoolean(lua, (int)item.Bits);
                return true;
            case PackedKind.Integer:
                LuaApi.PushInteger(lua, item.Bits);
                return true;
            case PackedKind.Double:
                LuaApi.PushNumber(lua, item.Double);
                return true;
            case PackedKind.Text:
                PushString(state, lua, item.Bytes);
                return true;
            case PackedKind.Bytes or PackedKind.GeoJson:
                PushBytes(state, lua, item.Bytes, (ParticleType)item.Tag);
                return true;
            case PackedKind.List or PackedKind.Map:
                reader = new PackedReader(new ReadOnlySpan<byte>(value, length));
                if (!reader.TrySkip())
                {
                    return false;
                }

                PushPackedContainer(state, lua, value, reader.Offset, buffer, item);
                return true;
            default:
                LuaApi.PushNil(lua);
                return true;
        }
    }

    // What lies inside is looked at when the script does.
    private static void PushPackedContainer(LuaState state, nint lua, byte* packed, int length, int buffer, scoped in PackedItem head)
    {
        var kind = head.Kind == PackedKind.Map ? BoxKind.Map : BoxKind.List;
        var slots = head.Count <= InlineEntriesMax ? head.Count * (kind == BoxKind.Map ? 2 : 1) : 0;
        var box = NewContainer(state, lua, kind, slots);
        box->Packed = packed;
        box->PackedLength = length;
        box->IsUnread = true;
        box->Count = head.Count;
        LuaApi.PushValue(lua, buffer);
        LuaApi.SetUserValue(lua, -2, ContainerBox.PackedValue);
    }

    private static void PushContainer(LuaState state, nint lua, ReadOnlySpan<byte> packed, BoxKind kind)
    {
        var target = PushBuffer(state, lua, packed.Length);
        packed.CopyTo(new Span<byte>(target, packed.Length));
        var reader = new PackedReader(packed);
        if (!reader.TryRead(out var head) || head.Kind != (kind == BoxKind.Map ? PackedKind.Map : PackedKind.List))
        {
            throw ScriptException.BadPacking;
        }

        PushPackedContainer(state, lua, target, packed.Length, LuaApi.Top(lua), head);

        LuaApi.Rotate(lua, -2, 1);
        LuaApi.SetTop(lua, -2);
    }

    private static ContainerBox* NewContainer(LuaState state, nint lua, BoxKind kind, int slots)
    {
        var box = (ContainerBox*)LuaApi.NewUserdata(
            lua, (nuint)(ContainerBox.Header + (slots * sizeof(int))), ContainerBox.UserValues);
        *box = new ContainerBox { Kind = kind, SlotCapacity = slots, Slots = (int*)((byte*)box + ContainerBox.Header) };
        SetClass(lua, kind == BoxKind.Map ? state.Known.MapClass : state.Known.ListClass);
        return box;
    }

    public static void SetClass(nint lua, int classKey)
    {
        LuaApi.RawGet(lua, LuaApi.Registry, classKey);
        LuaApi.SetMetatable(lua, -2);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void MakeRoom(LuaState state, nint lua, long bytes)
    {
        LuaApi.Collect(lua, LuaApi.GcCollect, 0, 0, 0);
        state.Heap->Refusals++;
        state.Charge(LuaRuntime.TickInterval);
        if (!state.Heap->HasRoom(bytes))
        {
            throw ScriptException.OutOfMemory;
        }
    }
}

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Aerie.Lua.Values;

/// What a userdata of the engine is. It is the first word of each; scripts cannot make userdata of their own.
internal enum BoxKind
{
    Record = 0x5245_4331,
    List = 0x4C49_5331,
    Map = 0x4D41_5031,
    Bytes = 0x4259_5431,
    GeoJson = 0x4745_4F31,
    Iterator = 0x4954_4531,
}

[StructLayout(LayoutKind.Sequential)]
internal struct Box
{
    public BoxKind Kind;
}

/// A blob or a GeoJSON text. The bytes lie behind the box, or, once it has outgrown that place, in the buffer that is its user
/// value: Lua owns and counts both.
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct BytesBox
{
    public const int BufferValue = 1;
    public const int UserValues = 1;

    public BoxKind Kind;

    /// The particle type it is stored as.
    public int Type;
    public int Size;
    public int Capacity;
    public byte* Data;

    public static int Header => (sizeof(BytesBox) + 7) & ~7;

    public readonly ReadOnlySpan<byte> Content => new(Data, Size);
}

/// A list or a map. Its elements are slots: the offset of the packed element, or (negative) the complement of an index into the
/// table of Lua values that is its user value. Packed elements become Lua values when the script asks for one that it could
/// change, so a list of a thousand blobs of which two are touched costs two conversions.
///
/// A list has a slot per element, a map two per entry, key and value. Entries of a map whose order is known are sorted by key.
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct ContainerBox
{
    /// The table of elements that are Lua values.
    public const int ElementsValue = 1;

    /// Keeps the packed bytes alive; nested containers share it.
    public const int PackedValue = 2;

    /// The slots, when they do not lie behind the box.
    public const int SlotsValue = 3;
    public const int UserValues = 3;

    public BoxKind Kind;

    /// Elements of a list, entries of a map.
    public int Count;
    public int SlotCapacity;

    /// Elements in the table so far; an index is not used again.
    public int ElementCount;

    /// Of the packed form as it came, whole.
    public int PackedLength;

    /// How the packed form said that it is ordered.
    public byte Order;

    /// The slots are not filled yet: nobody has looked inside.
    public bool IsUnread;

    /// Elements were set, added or removed: the packed form is not what this is any more.
    public bool IsChanged;

    /// The entries of a map are in the order of their keys.
    public bool IsSorted;
    public byte* Packed;
    public int* Slots;

    public static int Header => (sizeof(ContainerBox) + 7) & ~7;

    public readonly int SlotsPerEntry => Kind == BoxKind.Map ? 2 : 1;

    /// Every element is still where the packed form has it.
    public readonly bool IsAsPacked => Packed != null && !IsChanged && ElementCount == 0;
}

internal enum IteratorYield
{
    Element,
    Key,
    Value,
    Pair,
}

/// A walk over a list or map, which is its user value. Only a position is kept: elements may come and go meanwhile.
[StructLayout(LayoutKind.Sequential)]
internal struct IteratorBox
{
    public const int ContainerValue = 1;

    public BoxKind Kind;
    public IteratorYield Yields;
    public int Position;
}

internal static unsafe class Boxes
{
    /// Null: the value there is something else.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Box* At(nint lua, int index) => (Box*)Native.LuaApi.ToUserdata(lua, index);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static BytesBox* Bytes(nint lua, int index)
    {
        var box = At(lua, index);
        return box != null && box->Kind == BoxKind.Bytes ? (BytesBox*)box : null;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ContainerBox* Container(nint lua, int index, BoxKind kind)
    {
        var box = At(lua, index);
        return box != null && box->Kind == kind ? (ContainerBox*)box : null;
    }
}

using Aerie.DataModel;
using Aerie.DataModel.Packed;
using Aerie.Lua.Native;

namespace Aerie.Lua.Values;

/// The key of a map entry, wherever it lies. Scripts may use integers, strings and blobs; stored maps can have others, which
/// are kept and shown but not found.
internal readonly unsafe ref struct MapKey
{
    private MapKey(PackedKind kind, long number, ReadOnlySpan<byte> bytes)
    {
        Kind = kind;
        Number = number;
        Bytes = bytes;
    }

    public PackedKind Kind { get; }

    public long Number { get; }

    public ReadOnlySpan<byte> Bytes { get; }

    /// False: the Lua value there cannot be a key.
    public static bool TryOfLua(nint lua, int index, out MapKey key)
    {
        key = default;
        switch (LuaApi.Type(lua, index))
        {
            case LuaApi.TypeNumber when LuaApi.IsInteger(lua, index) != 0:
                key = new MapKey(PackedKind.Integer, LuaApi.ToInteger(lua, index, null), default);
                return true;
            case LuaApi.TypeString:
                key = new MapKey(PackedKind.Text, 0, LuaStack.CString(lua, index));
                return true;
            case LuaApi.TypeUserdata when Boxes.Bytes(lua, index) is var bytes && bytes != null && bytes->Type == (int)ParticleType.Bytes:
                key = new MapKey(PackedKind.Bytes, 0, bytes->Content);
                return true;
            default:
                return false;
        }
    }

    public static MapKey OfPacked(ReadOnlySpan<byte> packed)
    {
        var reader = new PackedReader(packed);
        return reader.TryRead(out var item) ? new MapKey(item.Kind, item.Bits, item.Raw.IsEmpty ? item.Raw : item.Bytes) : default;
    }

    /// The order in which maps are walked: integers, strings, blobs; each by its value.
    public int ComparedTo(scoped MapKey other)
    {
        if (Kind != other.Kind)
        {
            return Kind < other.Kind ? -1 : 1;
        }

        return Kind switch
        {
            PackedKind.Integer => Number.CompareTo(other.Number),
            PackedKind.Double => BitConverter.Int64BitsToDouble(Number).CompareTo(BitConverter.Int64BitsToDouble(other.Number)),
            _ => Bytes.SequenceCompareTo(other.Bytes),
        };
    }
}

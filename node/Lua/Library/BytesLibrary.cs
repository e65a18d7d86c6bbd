using System.Runtime.InteropServices;
using Aerie.DataModel;
using Aerie.Lua.Native;
using Aerie.Lua.Values;

namespace Aerie.Lua.Library;

/// Bytes: bytes(n), `b[i]`, `#b` and the part of bytes.* that is not about numbers; and geojson(). Positions count from 1. Most
/// functions answer false or nothing where they cannot do what is asked, and take wrong numbers of arguments for that.
internal static unsafe class BytesLibrary
{
    public const string Class = "Bytes";
    public const string GeoJsonClass = "GeoJSON";

    private const string Library = "bytes";

    public static Callback[] Callbacks { get; } =
    [
        new(Class, "__index", &GetByte),
        new(Class, "__newindex", &SetByte),
        new(Class, "__len", &Size),
        new(Class, "__tostring", &Text),
        new(Library, "__call", &Construct),
        new(Library, "size", &Size),
        new(Library, "set_size", &SetSize),
        new(Library, "get_type", &GetBlobType),
        new(Library, "set_type", &SetBlobType),
        new(Library, "get_byte", &GetByte),
        new(Library, "set_byte", &SetByte),
        new(Library, "append_byte", &AppendByte),
        new(Library, "get_string", &GetString),
        new(Library, "set_string", &SetString),
        new(Library, "append_string", &AppendString),
        new(Library, "get_bytes", &GetBytes),
        new(Library, "set_bytes", &SetBytes),
        new(Library, "append_bytes", &AppendBytes),
        new(Library, "tostring", &Text),
        new("geojson", "__call", &ConstructGeoJson),
        new(GeoJsonClass, "__tostring", &Text),
    ];

    /// Makes room behind the content. What is new there is zero. False: no value may be that large.
    public static bool TryReserve(LuaState state, nint lua, BytesBox* box, long capacity)
    {
        if (capacity <= box->Capacity)
        {
            return true;
        }

        if (capacity > NewValues.BytesMax)
        {
            return false;
        }

        var larger = (int)Math.Min(Math.Max(capacity, 2L * box->Capacity), NewValues.BytesMax);
        var data = NewValues.PushBuffer(state, lua, larger);
        NativeMemory.Copy(box->Data, data, (nuint)box->Size);
        NativeMemory.Clear(data + box->Size, (nuint)(larger - box->Size));
        LuaApi.SetUserValue(lua, 1, BytesBox.BufferValue);
        box->Data = data;
        box->Capacity = larger;
        state.Charge(larger / 256);
        return true;
    }

    /// Writes at a position from 0 on, growing the content. The bytes at argument 1.
    public static bool TryWrite(LuaState state, nint lua, BytesBox* box, long position, scoped ReadOnlySpan<byte> content)
    {
        var end = position + content.Length;
        if (!TryReserve(state, lua, box, end))
        {
            return false;
        }

        content.CopyTo(new Span<byte>(box->Data + position, content.Length));
        box->Size = Math.Max(box->Size, (int)end);
        return true;
    }

    public static int NoBytes(LuaState state, nint lua, int index, string function) =>
        Arguments.Bad(state, lua, index, function, Class);

    private static int GetByte(LuaState state, nint lua)
    {
        var box = Boxes.Bytes(lua, 1);
        if (box == null)
        {
            return NoBytes(state, lua, 1, "get_byte");
        }

        if (!LuaStack.TryInteger(lua, 2, 0, out var position))
        {
            return Arguments.BadInteger(state, lua, 2, "get_byte");
        }

        return (ulong)(position - 1) < (ulong)box->Size ? Arguments.Integer(lua, box->Data[position - 1]) : 0;
    }

    private static int SetByte(LuaState state, nint lua)
    {
        var box = Boxes.Bytes(lua, 1);
        if (box == null)
        {
            return NoBytes(state, lua, 1, "set_byte");
        }

        if (!LuaStack.TryInteger(lua, 2, 0, out var position))
        {
            return Arguments.BadInteger(state, lua, 2, "set_byte");
        }

        if (!LuaStack.TryInteger(lua, 3, 0, out var value))
        {
            return Arguments.BadInteger(state, lua, 3, "set_byte");
        }

        if (position < 1 || value is < byte.MinValue or > byte.MaxValue)
        {
            return Arguments.Boolean(lua, false);
        }

        if (position <= box->Size)
        {
            box->Data[position - 1] = (byte)value;
            return Arguments.Boolean(lua, true);
        }

        return Arguments.Boolean(lua, TryWrite(state, lua, box, position - 1, [(byte)value]));
    }

    private static int AppendByte(LuaState state, nint lua)
    {
        if (!TryAppend(state, lua, "append_byte", out var box, out var failed))
        {
            return failed;
        }

        if (!LuaStack.TryInteger(lua, 2, 0, out var value))
        {
            return Arguments.BadInteger(state, lua, 2, "append_byte");
        }

        return Arguments.Boolean(
            lua, value is >= byte.MinValue and <= byte.MaxValue && TryWrite(state, lua, box, box->Size, [(byte)value]));
    }

    private static int Size(LuaState state, nint lua)
    {
        var box = Boxes.Bytes(lua, 1);
        return box != null ? Arguments.Integer(lua, box->Size) : NoBytes(state, lua, 1, "size");
    }

    private static int SetSize(LuaState state, nint lua)
    {
        var box = Boxes.Bytes(lua, 1);
        if (box == null)
        {
            return NoBytes(state, lua, 1, "set_size");
        }

        if (!LuaStack.TryInteger(lua, 2, 0, out var capacity))
        {
            return Arguments.BadInteger(state, lua, 2, "set_size");
        }

        return Arguments.Boolean(lua, LuaApi.Top(lua) == 2 && capacity >= 0 && capacity <= box->Capacity);
    }

    private static int GetBlobType(LuaState state, nint lua)
    {
        var box = Boxes.Bytes(lua, 1);
        return box != null ? Arguments.Integer(lua, box->Type) : NoBytes(state, lua, 1, "get_type");
    }

    private static int SetBlobType(LuaState state, nint lua)
    {
        var box = Boxes.Bytes(lua, 1);
        if (box == null)
        {
            return NoBytes(state, lua, 1, "set_type");
        }

        if (!LuaStack.TryInteger(lua, 2, 0, out var type))
        {
            return Arguments.BadInteger(state, lua, 2, "set_type");
        }

        if (type is < 1 or > byte.MaxValue)
        {
            return Arguments.Boolean(lua, false);
        }

        box->Type = (int)type;
        return Arguments.Boolean(lua, true);
    }

    /// bytes.get_string(b, position, length): what lies beyond the end is not there.
    private static int GetString(LuaState state, nint lua)
    {
        if (!TryRange(state, lua, "get_string", out var content, out var failed))
        {
            return failed;
        }

        NewValues.NeedsRoom(state, lua, content.Length);
        LuaState.PushText(lua, content);
        return 1;
    }

    private static int GetBytes(LuaState state, nint lua)
    {
        if (!TryRange(state, lua, "get_bytes", out var content, out var failed))
        {
            return failed;
        }

        NewValues.PushBytes(state, lua, content, ParticleType.Bytes);
        return 1;
    }

    private static int SetString(LuaState state, nint lua)
    {
        var box = Boxes.Bytes(lua, 1);
        if (box == null)
        {
            return NoBytes(state, lua, 1, "set_string");
        }

        if (!LuaStack.TryInteger(lua, 2, 0, out var position))
        {
            return Arguments.BadInteger(state, lua, 2, "set_string");
        }

        return Arguments.Boolean(
            lua,
            position is >= 1 and <= NewValues.BytesMax && LuaStack.TryText(lua, 3, out var text)
                && TryWrite(state, lua, box, position - 1, text));
    }

    private static int AppendString(LuaState state, nint lua)
    {
        if (!TryAppend(state, lua, "append_string", out var box, out var failed))
        {
            return failed;
        }

        return Arguments.Boolean(
            lua, LuaStack.TryText(lua, 2, out var text) && text.Length > 0 && TryWrite(state, lua, box, box->Size, text));
    }

    /// bytes.set_bytes(b, position, source, length)
    private static int SetBytes(LuaState state, nint lua)
    {
        var box = Boxes.Bytes(lua, 1);
        if (box == null)
        {
            return NoBytes(state, lua, 1, "set_bytes");
        }

        if (!LuaStack.TryInteger(lua, 2, 0, out var position))
        {
            return Arguments.BadInteger(state, lua, 2, "set_bytes");
        }

        return position is < 1 or > NewValues.BytesMax
            ? Arguments.Boolean(lua, false)
            : CopyFrom(state, lua, box, position - 1, 3, "set_bytes");
    }

    /// bytes.append_bytes(b, source, length)
    private static int AppendBytes(LuaState state, nint lua)
    {
        var box = Boxes.Bytes(lua, 1);
        return box != null ? CopyFrom(state, lua, box, box->Size, 2, "append_bytes") : NoBytes(state, lua, 1, "append_bytes");
    }

    // The source and the length lie at `index` and behind. A source may be the target itself: room is made before it is read.
    private static int CopyFrom(LuaState state, nint lua, BytesBox* box, long position, int index, string function)
    {
        var source = Boxes.Bytes(lua, index);
        if (source == null)
        {
            return NoBytes(state, lua, index, function);
        }

        if (!LuaStack.TryInteger(lua, index + 1, 0, out var length))
        {
            return Arguments.BadInteger(state, lua, index + 1, function);
        }

        length = Math.Min(length, source->Size);
        if (length < 0 || !TryReserve(state, lua, box, position + length))
        {
            return Arguments.Boolean(lua, false);
        }

        return Arguments.Boolean(lua, TryWrite(state, lua, box, position, source->Content[..(int)length]));
    }

    private static int Text(LuaState state, nint lua)
    {
        var box = Boxes.At(lua, 1);
        if (box == null || box->Kind is not (BoxKind.Bytes or BoxKind.GeoJson))
        {
            return NoBytes(state, lua, 1, "tostring");
        }

        if (((BytesBox*)box)->Size == 0)
        {
            LuaState.PushText(lua, box->Kind == BoxKind.Bytes ? "Bytes()"u8 : "GeoJSON()"u8);
            return 1;
        }

        return ScratchValues.PushText(state, lua, 1);
    }

    /// bytes() and bytes(n): empty, with room for n.
    private static int Construct(LuaState state, nint lua)
    {
        if (LuaApi.Top(lua) > 2 || !LuaStack.TryInteger(lua, 2, 0, out var capacity) || capacity is < 0 or > NewValues.BytesMax)
        {
            return 0;
        }

        NewValues.PushBytes(state, lua, default, ParticleType.Bytes, (int)capacity);
        return 1;
    }

    private static int ConstructGeoJson(LuaState state, nint lua)
    {
        if (LuaApi.Top(lua) != 2 || !LuaStack.TryText(lua, 2, out var text))
        {
            return 0;
        }

        NewValues.PushBytes(state, lua, text, ParticleType.GeoJson);
        return 1;
    }

    private static bool TryAppend(LuaState state, nint lua, string function, out BytesBox* box, out int failed)
    {
        failed = 0;
        box = Boxes.Bytes(lua, 1);
        if (box == null)
        {
            failed = NoBytes(state, lua, 1, function);
        }
        else if (LuaApi.Top(lua) != 2)
        {
            failed = Arguments.Boolean(lua, false);
        }

        return failed == 0;
    }

    private static bool TryRange(LuaState state, nint lua, string function, out ReadOnlySpan<byte> content, out int failed)
    {
        content = default;
        failed = 0;
        var box = Boxes.Bytes(lua, 1);
        if (box == null)
        {
            failed = NoBytes(state, lua, 1, function);
            return false;
        }

        if (!LuaStack.TryInteger(lua, 2, 0, out var position))
        {
            failed = Arguments.BadInteger(state, lua, 2, function);
            return false;
        }

        if (!LuaStack.TryInteger(lua, 3, 0, out var length))
        {
            failed = Arguments.BadInteger(state, lua, 3, function);
            return false;
        }

        if (LuaApi.Top(lua) != 3 || position < 1 || length < 0)
        {
            return false;
        }

        var start = (int)Math.Min(position - 1, box->Size);
        content = box->Content.Slice(start, (int)Math.Min(length, box->Size - start));
        return true;
    }
}

using System.Buffers.Binary;
using Aerie.Lua.Native;
using Aerie.Lua.Values;

namespace Aerie.Lua.Library;

/// Integers inside bytes: bytes.get_int16, set_int32_le, append_int64_be, get_var_int and their like. Without an ending they are
/// big-endian.
internal static unsafe class BytesNumbers
{
    private const string Library = "bytes";
    private const int VarIntLengthMax = 5;

    public static Callback[] Callbacks { get; } =
    [
        new(Library, "get_int16", &Get16),
        new(Library, "get_int16_be", &Get16),
        new(Library, "get_int16_le", &Get16Little),
        new(Library, "get_int32", &Get32),
        new(Library, "get_int32_be", &Get32),
        new(Library, "get_int32_le", &Get32Little),
        new(Library, "get_int64", &Get64),
        new(Library, "get_int64_be", &Get64),
        new(Library, "get_int64_le", &Get64Little),
        new(Library, "set_int16", &Set16),
        new(Library, "set_int16_be", &Set16),
        new(Library, "set_int16_le", &Set16Little),
        new(Library, "set_int32", &Set32),
        new(Library, "set_int32_be", &Set32),
        new(Library, "set_int32_le", &Set32Little),
        new(Library, "set_int64", &Set64),
        new(Library, "set_int64_be", &Set64),
        new(Library, "set_int64_le", &Set64Little),
        new(Library, "append_int16", &Append16),
        new(Library, "append_int16_be", &Append16),
        new(Library, "append_int16_le", &Append16Little),
        new(Library, "append_int32", &Append32),
        new(Library, "append_int32_be", &Append32),
        new(Library, "append_int32_le", &Append32Little),
        new(Library, "append_int64", &Append64),
        new(Library, "append_int64_be", &Append64),
        new(Library, "append_int64_le", &Append64Little),
        new(Library, "get_var_int", &GetVarInt),
        new(Library, "set_var_int", &SetVarInt),
        new(Library, "append_var_int", &AppendVarInt),
    ];

    private static int Get16(LuaState state, nint lua) => Get(state, lua, 2, isLittle: false);

    private static int Get16Little(LuaState state, nint lua) => Get(state, lua, 2, isLittle: true);

    private static int Get32(LuaState state, nint lua) => Get(state, lua, 4, isLittle: false);

    private static int Get32Little(LuaState state, nint lua) => Get(state, lua, 4, isLittle: true);

    private static int Get64(LuaState state, nint lua) => Get(state, lua, 8, isLittle: false);

    private static int Get64Little(LuaState state, nint lua) => Get(state, lua, 8, isLittle: true);

    private static int Set16(LuaState state, nint lua) => Set(state, lua, 2, isLittle: false);

    private static int Set16Little(LuaState state, nint lua) => Set(state, lua, 2, isLittle: true);

    private static int Set32(LuaState state, nint lua) => Set(state, lua, 4, isLittle: false);

    private static int Set32Little(LuaState state, nint lua) => Set(state, lua, 4, isLittle: true);

    private static int Set64(LuaState state, nint lua) => Set(state, lua, 8, isLittle: false);

    private static int Set64Little(LuaState state, nint lua) => Set(state, lua, 8, isLittle: true);

    private static int Append16(LuaState state, nint lua) => Append(state, lua, 2, isLittle: false);

    private static int Append16Little(LuaState state, nint lua) => Append(state, lua, 2, isLittle: true);

    private static int Append32(LuaState state, nint lua) => Append(state, lua, 4, isLittle: false);

    private static int Append32Little(LuaState state, nint lua) => Append(state, lua, 4, isLittle: true);

    private static int Append64(LuaState state, nint lua) => Append(state, lua, 8, isLittle: false);

    private static int Append64Little(LuaState state, nint lua) => Append(state, lua, 8, isLittle: true);

    // Nothing where the number does not lie inside.
    private static int Get(LuaState state, nint lua, int width, bool isLittle)
    {
        if (!TryPosition(state, lua, 2, out var box, out var position, out var failed))
        {
            return failed;
        }

        if (position < 0 || position + width > box->Size)
        {
            return 0;
        }

        return Arguments.Integer(lua, Read(box->Content.Slice((int)position, width), isLittle));
    }

    private static int Set(LuaState state, nint lua, int width, bool isLittle)
    {
        if (!TryPosition(state, lua, 3, out var box, out var position, out var failed))
        {
            return failed;
        }

        if (!LuaStack.TryInteger(lua, 3, 0, out var value))
        {
            return Arguments.BadInteger(state, lua, 3, "set");
        }

        return Arguments.Boolean(
            lua, position is >= 0 and < NewValues.BytesMax && TryWrite(state, lua, box, position, value, width, isLittle));
    }

    private static int Append(LuaState state, nint lua, int width, bool isLittle)
    {
        var box = Boxes.Bytes(lua, 1);
        if (box == null)
        {
            return BytesLibrary.NoBytes(state, lua, 1, "append");
        }

        if (!LuaStack.TryInteger(lua, 2, 0, out var value))
        {
            return Arguments.BadInteger(state, lua, 2, "append");
        }

        return Arguments.Boolean(lua, LuaApi.Top(lua) == 2 && TryWrite(state, lua, box, box->Size, value, width, isLittle));
    }

    /// The number and how many bytes it takes: seven bits in each, lowest first.
    private static int GetVarInt(LuaState state, nint lua)
    {
        if (!TryPosition(state, lua, 2, out var box, out var position, out var failed))
        {
            return failed;
        }

        if (position < 0)
        {
            return 0;
        }

        uint value = 0;
        var length = 0;
        var content = box->Content;
        while (length < VarIntLengthMax && position + length < content.Length)
        {
            var part = content[(int)position + length];
            value |= (uint)(part & 0x7F) << (7 * length++);
            if (part < 0x80)
            {
                break;
            }
        }

        LuaApi.PushInteger(lua, value);
        LuaApi.PushInteger(lua, length);
        return 2;
    }

    private static int SetVarInt(LuaState state, nint lua)
    {
        if (!TryPosition(state, lua, 3, out var box, out var position, out var failed))
        {
            return failed;
        }

        return WriteVarInt(state, lua, box, position, 3);
    }

    private static int AppendVarInt(LuaState state, nint lua)
    {
        var box = Boxes.Bytes(lua, 1);
        return box != null ? WriteVarInt(state, lua, box, box->Size, 2) : BytesLibrary.NoBytes(state, lua, 1, "append_var_int");
    }

    // Answers how many bytes were written; zero: none.
    private static int WriteVarInt(LuaState state, nint lua, BytesBox* box, long position, int valueIndex)
    {
        if (!LuaStack.TryInteger(lua, valueIndex, 0, out var value))
        {
            return Arguments.BadInteger(state, lua, valueIndex, "var_int");
        }

        if (position is < 0 or >= NewValues.BytesMax || value is < int.MinValue or > int.MaxValue)
        {
            return Arguments.Integer(lua, 0);
        }

        Span<byte> bytes = stackalloc byte[VarIntLengthMax];
        var length = 0;
        var rest = (uint)value;
        while (rest >= 0x80)
        {
            bytes[length++] = (byte)(rest | 0x80);
            rest >>= 7;
        }

        bytes[length++] = (byte)rest;
        return Arguments.Integer(lua, BytesLibrary.TryWrite(state, lua, box, position, bytes[..length]) ? length : 0);
    }

    private static bool TryWrite(LuaState state, nint lua, BytesBox* box, long position, long value, int width, bool isLittle)
    {
        var bits = 8 * width;
        if (width < sizeof(long) && (value < -(1L << (bits - 1)) || value >= 1L << (bits - 1)))
        {
            return false;
        }

        Span<byte> bytes = stackalloc byte[sizeof(long)];
        if (isLittle)
        {
            BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
            bytes = bytes[..width];
        }
        else
        {
            BinaryPrimitives.WriteInt64BigEndian(bytes, value);
            bytes = bytes[(sizeof(long) - width)..];
        }

        return BytesLibrary.TryWrite(state, lua, box, position, bytes);
    }

    private static long Read(ReadOnlySpan<byte> bytes, bool isLittle) => (bytes.Length, isLittle) switch
    {
        (2, false) => BinaryPrimitives.ReadInt16BigEndian(bytes),
        (2, true) => BinaryPrimitives.ReadInt16LittleEndian(bytes),
        (4, false) => BinaryPrimitives.ReadInt32BigEndian(bytes),
        (4, true) => BinaryPrimitives.ReadInt32LittleEndian(bytes),
        (_, false) => BinaryPrimitives.ReadInt64BigEndian(bytes),
        _ => BinaryPrimitives.ReadInt64LittleEndian(bytes),
    };

    // The position, from 0 on, at argument 2. With another number of arguments nothing is done: false or nothing is the answer.
    private static bool TryPosition(LuaState state, nint lua, int count, out BytesBox* box, out long position, out int failed)
    {
        failed = 0;
        position = 0;
        box = Boxes.Bytes(lua, 1);
        if (box == null)
        {
            failed = BytesLibrary.NoBytes(state, lua, 1, "bytes");
            return false;
        }

        if (LuaApi.Top(lua) != count)
        {
            failed = count == 2 ? 0 : Arguments.Boolean(lua, false);
            return false;
        }

        if (!LuaStack.TryInteger(lua, 2, 0, out position))
        {
            failed = Arguments.BadInteger(state, lua, 2, "bytes");
            return false;
        }

        position--;
        return true;
    }
}

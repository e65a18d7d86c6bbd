using System.Runtime.CompilerServices;
using Aerie.Lua.Native;

namespace Aerie.Lua;

/// Reads what callbacks find on the stack. Nothing here raises, and only NumberText allocates.
internal static unsafe class LuaStack
{
    /// The string there, whole. Only for strings. The bytes stay as long as the string is on the stack.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ReadOnlySpan<byte> String(nint lua, int index)
    {
        nuint length;
        var bytes = LuaApi.StringBytes(lua, index, &length);
        return new ReadOnlySpan<byte>(bytes, checked((int)length));
    }

    /// The string there as a C string: up to its first zero byte. Only for strings.
    public static ReadOnlySpan<byte> CString(nint lua, int index)
    {
        var whole = String(lua, index);
        var end = whole.IndexOf((byte)0);
        return end < 0 ? whole : whole[..end];
    }

    /// A string, or a number, which becomes one in its place, as Lua's own functions take it.
    public static bool TryText(nint lua, int index, out ReadOnlySpan<byte> text)
    {
        text = default;
        switch (LuaApi.Type(lua, index))
        {
            case LuaApi.TypeString:
                text = String(lua, index);
                return true;
            case LuaApi.TypeNumber:
                nuint length;
                var bytes = LuaApi.NumberToString(lua, index, &length);
                text = new ReadOnlySpan<byte>(bytes, (int)length);
                return true;
            default:
                return false;
        }
    }

    /// An integer, or what Lua converts to one. `missing` where nothing or nil stands.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryInteger(nint lua, int index, long missing, out long value)
    {
        var type = LuaApi.Type(lua, index);
        if (type == LuaApi.TypeNumber)
        {
            int isNumber;
            value = LuaApi.ToInteger(lua, index, &isNumber);
            return isNumber != 0;
        }

        value = missing;
        return type <= LuaApi.TypeNil || TryIntegerText(lua, index, type, out value);
    }

    private static bool TryIntegerText(nint lua, int index, int type, out long value)
    {
        value = 0;
        if (type != LuaApi.TypeString)
        {
            return false;
        }

        int isNumber;
        value = LuaApi.TextToInteger(lua, index, &isNumber);
        return isNumber != 0;
    }
}

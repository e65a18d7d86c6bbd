using System.Text;
using Aerie.Lua.Native;

namespace Aerie.Lua.Library;

/// What a callback answers to arguments that it cannot use: the texts are Lua's own.
internal static class Arguments
{
    public static int Bad(LuaState state, nint lua, int index, string function, string expected)
    {
        var found = ErrorText.TypeName(LuaApi.Type(lua, index));
        return state.Fail(lua, Encoding.UTF8.GetBytes($"bad argument #{index} to '{function}' ({expected} expected, got {found})"));
    }

    public static int BadInteger(LuaState state, nint lua, int index, string function) =>
        LuaApi.Type(lua, index) == LuaApi.TypeNumber
            ? state.Fail(lua, Encoding.UTF8.GetBytes($"bad argument #{index} to '{function}' (number has no integer representation)"))
            : Bad(state, lua, index, function, "number");

    public static int Integer(nint lua, long value)
    {
        LuaApi.PushInteger(lua, value);
        return 1;
    }

    public static int Boolean(nint lua, bool value)
    {
        LuaApi.PushBoolean(lua, value ? 1 : 0);
        return 1;
    }

    public static int Nil(nint lua)
    {
        LuaApi.PushNil(lua);
        return 1;
    }
}

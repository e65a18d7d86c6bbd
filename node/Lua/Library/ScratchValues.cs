using Aerie.Lua.Native;
using Aerie.Lua.Values;

namespace Aerie.Lua.Library;

/// What is made of a value only to be measured or shown.
internal static class ScratchValues
{
    public static long PackedLength(LuaState state, nint lua, int index)
    {
        var scratch = state.Scratch;
        scratch.Clear();
        state.BeginWalk();
        Packing.Write(state, lua, index, scratch, 0);
        return scratch.Overflowed ? throw ScriptException.OutOfMemory : scratch.Length;
    }

    public static int PushText(LuaState state, nint lua, int index)
    {
        var scratch = state.Scratch;
        scratch.Clear();
        state.BeginWalk();
        ValueText.Write(state, lua, index, scratch, 0);
        if (scratch.Overflowed)
        {
            throw ScriptException.OutOfMemory;
        }

        NewValues.NeedsRoom(state, lua, scratch.Length);
        LuaState.PushText(lua, scratch.Read(0, scratch.Length));
        return 1;
    }
}

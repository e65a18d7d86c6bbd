using System.Runtime.InteropServices;
using Aerie.Lua.Native;

namespace Aerie.Lua.Library;

/// What scripts log goes out with the line that said it.
internal static unsafe class ScriptLog
{
    public static bool IsLogged(LuaState state, long level) => state.Runtime.Options.Log?.IsEnabled(Level(level)) ?? false;

    public static void Write(LuaState state, nint lua, long level, ReadOnlySpan<byte> text)
    {
        if (!IsLogged(state, level))
        {
            return;
        }

        LuaApi.Activation place;
        var known = ErrorText.TryPlace(lua, &place);
        var file = known ? MemoryMarshal.CreateReadOnlySpanFromNullTerminated(place.ShortSource) : default;
        state.Runtime.Options.Log!.Write(Level(level), file, known ? place.CurrentLine : 0, text);
        state.Charge(text.Length / 16);
    }

    // Numbers beyond the known ones are as serious as the nearest.
    private static UdfLogLevel Level(long level) => (UdfLogLevel)Math.Clamp(level, (long)UdfLogLevel.Warn, (long)UdfLogLevel.Trace);
}

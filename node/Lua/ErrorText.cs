using System.Text;
using Aerie.Lua.Native;

namespace Aerie.Lua;

/// Texts of errors, as clients get them: `file:line: message`.
internal static unsafe class ErrorText
{
    /// Longer ones are cut: a script can make an error of megabytes.
    private const int LengthMax = 16 * 1024;

    private const int LevelsMax = 64;

    public static ReadOnlySpan<byte> Of(Doom doom) => doom switch
    {
        Doom.Timeout => "UDF Execution Timeout"u8,
        Doom.Memory => "not enough memory"u8,
        _ => "internal error"u8,
    };

    /// Pushes the message with the place of the innermost line of a module in front.
    public static void PushWithPlace(nint lua, scoped ReadOnlySpan<byte> message)
    {
        Span<byte> place = stackalloc byte[PlaceMax];
        var length = WritePlace(lua, place);
        var text = new byte[length + message.Length];
        place[..length].CopyTo(text);
        message.CopyTo(text.AsSpan(length));
        LuaState.PushText(lua, text);
    }

    /// What the client gets for the error that ended a thread. The stack of the thread must still stand as the error left it.
    public static byte[] OfFailedThread(LuaState state)
    {
        var lua = state.Thread;
        if (state.Doom != Doom.None)
        {
            return Placed(lua, Of(state.Doom));
        }

        switch (LuaApi.Top(lua) == 0 ? LuaApi.TypeNone : LuaApi.Type(lua, -1))
        {
            case LuaApi.TypeString:
                var text = LuaStack.String(lua, -1);
                text = text[..Math.Min(text.Length, LengthMax)];
                return text.StartsWith(PreludePlace) ? Placed(lua, WithoutPlace(text)) : text.ToArray();
            case LuaApi.TypeNumber when LuaApi.IsInteger(lua, -1) != 0:
                return Encoding.UTF8.GetBytes($"{LuaApi.ToInteger(lua, -1, null)}");
            case LuaApi.TypeNumber:
                return Encoding.UTF8.GetBytes($"{LuaApi.ToNumber(lua, -1, null)}");
            case var type:
                return Placed(lua, Encoding.UTF8.GetBytes($"error object is a {TypeName(type)} value"));
        }
    }

    public static string TypeName(int type) => type switch
    {
        LuaApi.TypeNone => "no value",
        LuaApi.TypeNil => "nil",
        LuaApi.TypeBoolean => "boolean",
        LuaApi.TypeNumber => "number",
        LuaApi.TypeString => "string",
        LuaApi.TypeTable => "table",
        6 => "function",
        8 => "thread",
        _ => "userdata",
    };

    /// The innermost line of a module: `file` and its number. False: the script is not inside one.
    public static bool TryPlace(nint lua, LuaApi.Activation* found)
    {
        fixed (byte* what = "Sl\0"u8)
        {
            for (var level = 0; level < LevelsMax && LuaApi.GetStack(lua, level, found) != 0; level++)
            {
                LuaApi.GetInfo(lua, what, found);
                if (found->CurrentLine > 0 && *found->Source == (byte)'@')
                {
                    return true;
                }
            }
        }

        return false;
    }

    private const int PlaceMax = 96;

    /// How Lua's own functions name a line of the prelude, which means nothing to anybody: the script's line takes its place.
    private static ReadOnlySpan<byte> PreludePlace => "aerie:"u8;

    private static ReadOnlySpan<byte> WithoutPlace(ReadOnlySpan<byte> text)
    {
        var end = text.IndexOf(": "u8);
        return end < 0 ? text : text[(end + 2)..];
    }

    private static byte[] Placed(nint lua, ReadOnlySpan<byte> message)
    {
        Span<byte> place = stackalloc byte[PlaceMax];
        var length = WritePlace(lua, place);
        return [.. place[..length], .. message];
    }

    private static int WritePlace(nint lua, Span<byte> target)
    {
        LuaApi.Activation place;
        if (!TryPlace(lua, &place))
        {
            return 0;
        }

        var file = System.Runtime.InteropServices.MemoryMarshal.CreateReadOnlySpanFromNullTerminated(place.ShortSource);
        file.CopyTo(target);
        var at = file.Length;
        target[at++] = (byte)':';
        place.CurrentLine.TryFormat(target[at..], out var digits);
        at += digits;
        ": "u8.CopyTo(target[at..]);
        return at + 2;
    }
}

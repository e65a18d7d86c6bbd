using System.Text;
using Aerie.Lua.Native;

namespace Aerie.Lua.Library;

/// What only the prelude calls.
internal static unsafe class NativeLibrary
{
    /// What a step that may take long costs at least, so that a script of such steps alone is interrupted in time.
    private const int StepInstructions = 50;

    public static Callback[] Callbacks { get; } =
    [
        new(Library.Callbacks.Native, "tick", &Tick),
        new(Library.Callbacks.Native, "counted", &Counted),
        new(Library.Callbacks.Native, "at_top", &AtTop),
        new(Library.Callbacks.Native, "pauses", &Pauses),
        new(Library.Callbacks.Native, "now", &Now),
        new(Library.Callbacks.Native, "is_logged", &IsLogged),
        new(Library.Callbacks.Native, "log", &Log),
        new(Library.Callbacks.Native, "compile", &Compile),
    ];

    private static int Tick(LuaState state, nint lua)
    {
        state.Charge(StepInstructions);
        return 0;
    }

    /// counted(co): a new coroutine, as it must be before it runs.
    private static int Counted(LuaState state, nint lua)
    {
        state.Count(LuaApi.ToThread(lua, 1));
        LuaApi.SetTop(lua, 1);
        return 1;
    }

    /// Whether the script's own main line runs, and none of its coroutines.
    private static int AtTop(LuaState state, nint lua) => Arguments.Boolean(lua, lua == state.Thread);

    /// pauses(co), for who has resumed it: nil, when it has yielded by itself or ended; else whether to yield, too.
    private static int Pauses(LuaState state, nint lua) =>
        state.Pauses(lua, 1) is { } pauses ? Arguments.Boolean(lua, pauses) : Arguments.Nil(lua);

    /// Seconds since 1970.
    private static int Now(LuaState state, nint lua) => Arguments.Integer(lua, state.Runtime.Clock.UnixMilliseconds / 1000);

    private static int IsLogged(LuaState state, nint lua) =>
        Arguments.Boolean(lua, ScriptLog.IsLogged(state, LuaApi.ToInteger(lua, 1, null)));

    private static int Log(LuaState state, nint lua)
    {
        ScriptLog.Write(state, lua, LuaApi.ToInteger(lua, 1, null), LuaStack.String(lua, 2));
        return 0;
    }

    /// A registered module as a function; or nil and why its text is none.
    private static int Compile(LuaState state, nint lua)
    {
        if (LuaApi.Type(lua, 1) != LuaApi.TypeString)
        {
            return Arguments.Bad(state, lua, 1, "require", "string");
        }

        var name = Encoding.UTF8.GetString(LuaStack.String(lua, 1));
        if (state.Use(name) is not { } module)
        {
            return state.Fail(lua, Encoding.UTF8.GetBytes($"module '{name}' not found"));
        }

        if (state.Load(lua, module.Bytes, module.ChunkName))
        {
            return 1;
        }

        LuaApi.PushNil(lua);
        LuaApi.Rotate(lua, -2, 1);
        return 2;
    }
}

using Aerie.Foundation;
using Aerie.Lua.Native;

namespace Aerie.Lua.Library;

/// The object `aerospike`: its methods write the record, and answer a result code.
internal static unsafe class AerospikeLibrary
{
    private const string Library = "aerospike";

    /// What the reference's server answers to calls that do nothing there.
    private const int NoContext = 2;

    public static Callback[] Callbacks { get; } =
    [
        new(Library, "create", &Create),
        new(Library, "update", &Update),
        new(Library, "exists", &Exists),
        new(Library, "remove", &Remove),
        new(Library, "log", &Log),
        new(Library, "get_current_time", &CurrentTime),
        new(Library, "set_context", &SetContext),
        new(Library, "get_config", &Config),
    ];

    private static int Create(LuaState state, nint lua)
    {
        if (RecordLibrary.At(state, lua, 2) is not { } record)
        {
            return Arguments.Bad(state, lua, 2, "create", RecordLibrary.Class);
        }

        return Store(state, lua, record, state.Bins.SetAssigned(lua), isCreate: true);
    }

    private static int Update(LuaState state, nint lua)
    {
        if (RecordLibrary.At(state, lua, 2) is not { } record)
        {
            return Arguments.Bad(state, lua, 2, "update", RecordLibrary.Class);
        }

        return Store(state, lua, record, state.Bins.SetAssigned(lua), isCreate: false);
    }

    private static int Store(LuaState state, nint lua, IUdfRecord record, ResultCode set, bool isCreate)
    {
        var result = set != ResultCode.Ok ? set : isCreate ? record.Create() : record.Update();
        if (result == ResultCode.Ok)
        {
            state.Bins.MarkStored();
        }

        return Arguments.Integer(lua, (long)result);
    }

    private static int Exists(LuaState state, nint lua) =>
        RecordLibrary.At(state, lua, 2) is { } record
            ? Arguments.Boolean(lua, record.Exists)
            : Arguments.Bad(state, lua, 2, "exists", RecordLibrary.Class);

    private static int Remove(LuaState state, nint lua)
    {
        if (RecordLibrary.At(state, lua, 2) is not { } record)
        {
            return Arguments.Bad(state, lua, 2, "remove", RecordLibrary.Class);
        }

        var result = record.Remove();
        if (result == ResultCode.Ok)
        {
            state.Bins.Forget(lua);
        }

        return Arguments.Integer(lua, (long)result);
    }

    private static int Log(LuaState state, nint lua)
    {
        if (!LuaStack.TryInteger(lua, 2, 0, out var level))
        {
            return Arguments.BadInteger(state, lua, 2, "log");
        }

        if (LuaStack.TryText(lua, 3, out var text))
        {
            ScriptLog.Write(state, lua, level, text);
        }

        return 0;
    }

    private static int CurrentTime(LuaState state, nint lua) => Arguments.Integer(lua, state.Runtime.Clock.UnixMilliseconds);

    private static int SetContext(LuaState state, nint lua) => Arguments.Integer(lua, NoContext);

    private static int Config(LuaState state, nint lua) => Arguments.Integer(lua, 0);
}

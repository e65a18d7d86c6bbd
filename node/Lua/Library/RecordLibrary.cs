using System.Text;
using Aerie.DataModel;
using Aerie.Lua.Native;
using Aerie.Lua.Values;

namespace Aerie.Lua.Library;

/// `rec.bin`, `rec.bin = value` and record.*: what a script asks of its record.
internal static unsafe class RecordLibrary
{
    public const string Class = "Record";

    private const string Library = "record";

    public static Callback[] Callbacks { get; } =
    [
        new(Class, "__index", &Index),
        new(Class, "__newindex", &NewIndex),
        new(Library, "ttl", &TimeToLive),
        new(Library, "last_update_time", &LastUpdateTime),
        new(Library, "gen", &Generation),
        new(Library, "size", &Size),
        new(Library, "memory_size", &MemorySize),
        new(Library, "device_size", &DeviceSize),
        new(Library, "key", &Key),
        new(Library, "setname", &SetName),
        new(Library, "digest", &Digest),
        new(Library, "numbins", &BinCount),
        new(Library, "bin_names", &BinNames),
        new(Library, "set_ttl", &SetTimeToLive),
        new(Library, "drop_key", &DropKey),
    ];

    /// The record of the call, if that is what lies there.
    public static IUdfRecord? At(LuaState state, nint lua, int index)
    {
        var box = Boxes.At(lua, index);
        return box != null && box->Kind == BoxKind.Record ? state.Bins.Record : null;
    }

    private static int Index(LuaState state, nint lua)
    {
        if (At(state, lua, 1) is null)
        {
            return NoRecord(state, lua, "__index");
        }

        if (LuaApi.Type(lua, 2) != LuaApi.TypeString)
        {
            return Arguments.Nil(lua);
        }

        state.Bins.Push(lua, LuaStack.String(lua, 2));
        return 1;
    }

    private static int NewIndex(LuaState state, nint lua)
    {
        if (At(state, lua, 1) is null)
        {
            return NoRecord(state, lua, "__newindex");
        }

        if (LuaApi.Type(lua, 2) != LuaApi.TypeString)
        {
            return 0;
        }

        var name = LuaStack.String(lua, 2);
        return state.Bins.TryAssign(lua, name, 3)
            ? 0
            : state.Fail(lua, Encoding.UTF8.GetBytes($"can't set bin {Encoding.UTF8.GetString(name)} to unsupported type"));
    }

    private static int TimeToLive(LuaState state, nint lua) => Metadata(state, lua, UdfMetadata.TimeToLive, "ttl");

    private static int LastUpdateTime(LuaState state, nint lua) => Metadata(state, lua, UdfMetadata.LastUpdateTime, "last_update_time");

    private static int Generation(LuaState state, nint lua) => Metadata(state, lua, UdfMetadata.Generation, "gen");

    private static int Size(LuaState state, nint lua) => Metadata(state, lua, UdfMetadata.Size, "size");

    private static int MemorySize(LuaState state, nint lua) => Metadata(state, lua, UdfMetadata.MemorySize, "memory_size");

    private static int DeviceSize(LuaState state, nint lua) => Metadata(state, lua, UdfMetadata.DeviceSize, "device_size");

    private static int Metadata(LuaState state, nint lua, UdfMetadata what, string function) =>
        At(state, lua, 1) is { } record ? Arguments.Integer(lua, record.Metadata(what)) : NoRecord(state, lua, function);

    private static int Key(LuaState state, nint lua)
    {
        if (At(state, lua, 1) is not { } record)
        {
            return NoRecord(state, lua, "key");
        }

        NewValues.PushBin(state, lua, record.Key);
        return 1;
    }

    private static int SetName(LuaState state, nint lua)
    {
        if (At(state, lua, 1) is not { } record)
        {
            return NoRecord(state, lua, "setname");
        }

        LuaState.PushText(lua, record.SetName);
        return 1;
    }

    private static int Digest(LuaState state, nint lua)
    {
        if (At(state, lua, 1) is not { } record)
        {
            return NoRecord(state, lua, "digest");
        }

        NewValues.PushBytes(state, lua, record.Digest, ParticleType.Bytes);
        return 1;
    }

    private static int BinCount(LuaState state, nint lua) =>
        At(state, lua, 1) is { } record ? Arguments.Integer(lua, record.BinCount) : NoRecord(state, lua, "numbins");

    private static int BinNames(LuaState state, nint lua)
    {
        if (At(state, lua, 1) is not { } record)
        {
            return NoRecord(state, lua, "bin_names");
        }

        var count = record.BinCount;
        LuaApi.NewTable(lua, count, 0);
        for (var i = 0; i < count; i++)
        {
            LuaState.PushText(lua, record.BinName(i));
            LuaApi.RawSet(lua, -2, i + 1);
        }

        return 1;
    }

    private static int SetTimeToLive(LuaState state, nint lua)
    {
        if (At(state, lua, 1) is not { } record)
        {
            return NoRecord(state, lua, "set_ttl");
        }

        if (!LuaStack.TryInteger(lua, 2, 0, out var seconds))
        {
            return Arguments.BadInteger(state, lua, 2, "set_ttl");
        }

        record.SetTimeToLive(unchecked((uint)seconds));
        return 0;
    }

    private static int DropKey(LuaState state, nint lua)
    {
        if (At(state, lua, 1) is not { } record)
        {
            return NoRecord(state, lua, "drop_key");
        }

        record.DropKey();
        return 0;
    }

    private static int NoRecord(LuaState state, nint lua, string function) => Arguments.Bad(state, lua, 1, function, Class);
}

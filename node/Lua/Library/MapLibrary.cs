using Aerie.Lua.Native;
using Aerie.Lua.Values;

namespace Aerie.Lua.Library;

/// Maps: map.*, `m[k]`, `m.k`. Keys are integers, strings and blobs; under any other key, nil among them, nothing is found and
/// nothing is stored, without an error. Storing nil removes.
internal static unsafe class MapLibrary
{
    public const string Class = "Map";

    private const string Library = "map";

    public static Callback[] Callbacks { get; } =
    [
        new(Class, "__index", &Index),
        new(Class, "__newindex", &NewIndex),
        new(Class, "__len", &Size),
        new(Class, "__tostring", &Text),
        new(Library, "__call", &Construct),
        new(Library, "new", &New),
        new(Library, "create", &New),
        new(Library, "iterator", &Pairs),
        new(Library, "pairs", &Pairs),
        new(Library, "keys", &Keys),
        new(Library, "values", &Values),
        new(Library, "remove", &Remove),
        new(Library, "size", &Size),
        new(Library, "nbytes", &PackedSize),
        new(Library, "tostring", &Text),
    ];

    private static int Index(LuaState state, nint lua)
    {
        if (!TryOpen(state, lua, 1, out var entries))
        {
            return NoMap(state, lua, "__index");
        }

        if (!MapKey.TryOfLua(lua, 2, out var key))
        {
            return Arguments.Nil(lua);
        }

        var entry = entries.Find(key);
        if (entry < 0)
        {
            return Arguments.Nil(lua);
        }

        entries.Elements.Push(MapEntries.ValueSlot(entry));
        return 1;
    }

    private static int NewIndex(LuaState state, nint lua)
    {
        if (!TryOpen(state, lua, 1, out var entries))
        {
            return NoMap(state, lua, "__newindex");
        }

        if (IsRecord(lua, 3))
        {
            return 0;
        }

        LuaApi.SetTop(lua, 3);
        Assign(entries, 2);
        return 0;
    }

    // The value, which is popped, lies on top.
    private static void Assign(MapEntries entries, int keyIndex)
    {
        var lua = entries.Elements.Lua;
        if (!MapKey.TryOfLua(lua, keyIndex, out var key))
        {
            LuaApi.SetTop(lua, -2);
            return;
        }

        var entry = entries.Find(key);
        var isRemoval = LuaApi.Type(lua, -1) == LuaApi.TypeNil || !Packing.IsStorable(lua, -1);
        if (isRemoval)
        {
            LuaApi.SetTop(lua, -2);
            if (entry >= 0)
            {
                entries.Remove(entry);
            }
        }
        else if (entry >= 0)
        {
            entries.Elements.Set(MapEntries.ValueSlot(entry));
        }
        else
        {
            entries.Add(~entry, keyIndex);
        }
    }

    private static int Remove(LuaState state, nint lua)
    {
        if (!TryOpen(state, lua, 1, out var entries))
        {
            return NoMap(state, lua, "remove");
        }

        if (MapKey.TryOfLua(lua, 2, out var key) && entries.Find(key) is var entry and >= 0)
        {
            entries.Remove(entry);
        }

        return 0;
    }

    private static int Size(LuaState state, nint lua) =>
        TryOpen(state, lua, 1, out var entries) ? Arguments.Integer(lua, entries.Count) : NoMap(state, lua, "size");

    private static int PackedSize(LuaState state, nint lua) =>
        Boxes.Container(lua, 1, BoxKind.Map) != null
            ? Arguments.Integer(lua, ScratchValues.PackedLength(state, lua, 1))
            : NoMap(state, lua, "nbytes");

    private static int Text(LuaState state, nint lua) =>
        Boxes.Container(lua, 1, BoxKind.Map) != null ? ScratchValues.PushText(state, lua, 1) : NoMap(state, lua, "tostring");

    private static int Pairs(LuaState state, nint lua) => Iterate(state, lua, IteratorYield.Pair, "pairs");

    private static int Keys(LuaState state, nint lua) => Iterate(state, lua, IteratorYield.Key, "keys");

    private static int Values(LuaState state, nint lua) => Iterate(state, lua, IteratorYield.Value, "values");

    private static int Iterate(LuaState state, nint lua, IteratorYield yields, string function)
    {
        if (!TryOpen(state, lua, 1, out var entries))
        {
            return NoMap(state, lua, function);
        }

        entries.Sort();
        return IteratorLibrary.PushIteration(state, lua, yields);
    }

    /// map.create(capacity): the capacity is a hint, and without a good one there is no map.
    private static int New(LuaState state, nint lua)
    {
        if (LuaApi.Top(lua) != 1 || !LuaStack.TryInteger(lua, 1, 0, out var capacity) || capacity < 1)
        {
            return 0;
        }

        NewValues.PushEmpty(state, lua, BoxKind.Map, (int)Math.Min(capacity, 32));
        return 1;
    }

    /// map() and map{…}: of the table's fields.
    private static int Construct(LuaState state, nint lua)
    {
        var hasTable = LuaApi.Top(lua) is 2 or 3 && LuaApi.Type(lua, 2) == LuaApi.TypeTable;
        LuaApi.SetTop(lua, 2);
        var box = NewValues.PushEmpty(state, lua, BoxKind.Map, 0);
        if (!hasTable)
        {
            return 1;
        }

        var entries = new MapEntries(new Elements(state, lua, 3, box));
        LuaApi.PushNil(lua);
        while (LuaApi.Next(lua, 2) != 0)
        {
            if (Packing.IsStorable(lua, -1))
            {
                Assign(entries, LuaApi.Top(lua) - 1);
            }
            else
            {
                LuaApi.SetTop(lua, -2);
            }
        }

        state.Charge(4L * box->Count);
        return 1;
    }

    private static bool TryOpen(LuaState state, nint lua, int index, out MapEntries entries)
    {
        var box = Boxes.Container(lua, index, BoxKind.Map);
        if (box == null)
        {
            entries = default;
            return false;
        }

        var elements = new Elements(state, lua, index, box);
        elements.Open();
        entries = new MapEntries(elements);
        return true;
    }

    private static bool IsRecord(nint lua, int index)
    {
        var box = Boxes.At(lua, index);
        return box != null && box->Kind == BoxKind.Record;
    }

    private static int NoMap(LuaState state, nint lua, string function) => Arguments.Bad(state, lua, 1, function, Class);
}

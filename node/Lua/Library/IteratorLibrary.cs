using Aerie.Lua.Native;
using Aerie.Lua.Values;

namespace Aerie.Lua.Library;

/// Walks over lists and maps: what `for … in list.iterator(l)` and its like run on, and iterator.has_next and next.
internal static unsafe class IteratorLibrary
{
    public const string Class = "Iterator";

    private const string Library = "iterator";

    public static Callback[] Callbacks { get; } =
    [
        new(Class, "has_next", &HasNext),
        new(Class, "next", &Next),
        new(Library, "__call", &Called),
        new(Library, "has_next", &HasNext),
        new(Library, "next", &Next),
    ];

    /// Pushes what a generic for needs: the function that steps, and the walk over the container at index 1.
    public static int PushIteration(LuaState state, nint lua, IteratorYield yields)
    {
        LuaApi.RawGet(lua, LuaApi.Registry, state.Known.IteratorNext);
        var box = (IteratorBox*)LuaApi.NewUserdata(lua, (nuint)sizeof(IteratorBox), 1);
        *box = new IteratorBox { Kind = BoxKind.Iterator, Yields = yields };
        NewValues.SetClass(lua, state.Known.IteratorClass);
        LuaApi.PushValue(lua, 1);
        LuaApi.SetUserValue(lua, -2, IteratorBox.ContainerValue);
        return 2;
    }

    private static int Next(LuaState state, nint lua)
    {
        var box = At(lua);
        if (box == null)
        {
            return Arguments.Bad(state, lua, 1, "next", Class);
        }

        LuaApi.SetTop(lua, 1);
        LuaApi.GetUserValue(lua, 1, IteratorBox.ContainerValue);
        var container = (ContainerBox*)LuaApi.ToUserdata(lua, 2);
        if (box->Position >= container->Count)
        {
            return Arguments.Nil(lua);
        }

        var elements = new Elements(state, lua, 2, container);
        var position = box->Position++;
        if (box->Yields == IteratorYield.Element)
        {
            elements.Push(position);
            return 1;
        }

        if (box->Yields != IteratorYield.Value)
        {
            elements.PushKey(MapEntries.KeySlot(position));
        }

        if (box->Yields != IteratorYield.Key)
        {
            elements.Push(MapEntries.ValueSlot(position));
        }

        return box->Yields == IteratorYield.Pair ? 2 : 1;
    }

    private static int HasNext(LuaState state, nint lua)
    {
        var box = At(lua);
        if (box == null)
        {
            return Arguments.Bad(state, lua, 1, "has_next", Class);
        }

        LuaApi.GetUserValue(lua, 1, IteratorBox.ContainerValue);
        var container = (ContainerBox*)LuaApi.ToUserdata(lua, -1);
        return Arguments.Boolean(lua, box->Position < container->Count);
    }

    // The library's table itself is the first argument.
    private static int Called(LuaState state, nint lua)
    {
        LuaApi.Rotate(lua, 1, -1);
        LuaApi.SetTop(lua, -2);
        return Next(state, lua);
    }

    private static IteratorBox* At(nint lua)
    {
        var box = Boxes.At(lua, 1);
        return box != null && box->Kind == BoxKind.Iterator ? (IteratorBox*)box : null;
    }
}

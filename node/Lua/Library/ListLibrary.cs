using Aerie.Lua.Native;
using Aerie.Lua.Values;

namespace Aerie.Lua.Library;

/// Lists: list.*, `l[i]`, `#l`. Indexes count from 1. What cannot be an element (tables, functions, the record) is not stored,
/// without an error.
internal static unsafe class ListLibrary
{
    public const string Class = "List";

    private const string Library = "list";

    /// A list grows by what is assigned beyond its end; no further than this at once.
    private const int CountMax = 4 * 1024 * 1024;

    public static Callback[] Callbacks { get; } =
    [
        new(Class, "__index", &Index),
        new(Class, "__newindex", &NewIndex),
        new(Class, "__len", &Size),
        new(Class, "__tostring", &Text),
        new(Library, "__call", &Construct),
        new(Library, "new", &New),
        new(Library, "create", &New),
        new(Library, "insert", &Insert),
        new(Library, "append", &Append),
        new(Library, "prepend", &Prepend),
        new(Library, "remove", &Remove),
        new(Library, "concat", &Concat),
        new(Library, "trim", &Trim),
        new(Library, "take", &Take),
        new(Library, "drop", &Drop),
        new(Library, "size", &Size),
        new(Library, "nbytes", &PackedSize),
        new(Library, "iterator", &Iterate),
        new(Library, "tostring", &Text),
    ];

    private static int Index(LuaState state, nint lua)
    {
        var box = Boxes.Container(lua, 1, BoxKind.List);
        if (box == null)
        {
            return NoList(state, lua, 1, "__index");
        }

        if (!LuaStack.TryInteger(lua, 2, 0, out var index))
        {
            return Arguments.BadInteger(state, lua, 2, "__index");
        }

        var elements = new Elements(state, lua, 1, box);
        elements.Open();
        if ((ulong)(index - 1) >= (ulong)box->Count)
        {
            return Arguments.Nil(lua);
        }

        elements.Push((int)index - 1);
        return 1;
    }

    private static int NewIndex(LuaState state, nint lua)
    {
        var box = Boxes.Container(lua, 1, BoxKind.List);
        if (box == null)
        {
            return NoList(state, lua, 1, "__newindex");
        }

        if (!LuaStack.TryInteger(lua, 2, 0, out var index))
        {
            return Arguments.BadInteger(state, lua, 2, "__newindex");
        }

        if (index is < 1 or > CountMax || !Packing.IsStorable(lua, 3))
        {
            return 0;
        }

        var elements = new Elements(state, lua, 1, box);
        elements.Open();
        if (index > box->Count)
        {
            elements.Insert(box->Count, (int)index - box->Count);
        }

        LuaApi.SetTop(lua, 3);
        elements.Set((int)index - 1);
        return 0;
    }

    private static int Insert(LuaState state, nint lua)
    {
        if (!LuaStack.TryInteger(lua, 2, 0, out var index))
        {
            return Arguments.BadInteger(state, lua, 2, "insert");
        }

        return InsertAt(state, lua, index, 3, "insert");
    }

    private static int Append(LuaState state, nint lua) => InsertAt(state, lua, long.MaxValue, 2, "append");

    private static int Prepend(LuaState state, nint lua) => InsertAt(state, lua, 1, 2, "prepend");

    // Beyond the end the list is filled with nils; long.MaxValue stands for the end.
    private static int InsertAt(LuaState state, nint lua, long index, int value, string function)
    {
        if (!TryOpen(state, lua, 1, out var elements))
        {
            return NoList(state, lua, 1, function);
        }

        var box = elements.Box;
        index = index == long.MaxValue ? box->Count + 1 : index;
        if (index is < 1 or > CountMax || !Packing.IsStorable(lua, value))
        {
            return 0;
        }

        LuaApi.SetTop(lua, value);
        var at = (int)index - 1;
        if (at > box->Count)
        {
            elements.Insert(box->Count, at - box->Count);
        }

        elements.Insert(at, 1);
        elements.Set(at);
        return 0;
    }

    private static int Remove(LuaState state, nint lua)
    {
        if (!TryOpen(state, lua, 1, out var elements))
        {
            return NoList(state, lua, 1, "remove");
        }

        if (!LuaStack.TryInteger(lua, 2, 0, out var index))
        {
            return Arguments.BadInteger(state, lua, 2, "remove");
        }

        if (index >= 1 && index <= elements.Box->Count)
        {
            elements.Remove((int)index - 1, 1);
        }

        return 0;
    }

    /// Drops the elements from the index on.
    private static int Trim(LuaState state, nint lua)
    {
        if (!TryOpen(state, lua, 1, out var elements))
        {
            return NoList(state, lua, 1, "trim");
        }

        if (!LuaStack.TryInteger(lua, 2, 0, out var index))
        {
            return Arguments.BadInteger(state, lua, 2, "trim");
        }

        if (index >= 1 && index <= elements.Box->Count)
        {
            elements.Remove((int)index - 1, elements.Box->Count - (int)index + 1);
        }

        return 0;
    }

    private static int Concat(LuaState state, nint lua)
    {
        if (!TryOpen(state, lua, 1, out var target))
        {
            return NoList(state, lua, 1, "concat");
        }

        if (!TryOpen(state, lua, 2, out var source))
        {
            return NoList(state, lua, 2, "concat");
        }

        Copy(source, 0, source.Box->Count, target);
        return 0;
    }

    private static int Take(LuaState state, nint lua) => Part(state, lua, "take", takes: true);

    private static int Drop(LuaState state, nint lua) => Part(state, lua, "drop", takes: false);

    // A new list of the first n elements, or of those behind them.
    private static int Part(LuaState state, nint lua, string function, bool takes)
    {
        if (!TryOpen(state, lua, 1, out var source))
        {
            return NoList(state, lua, 1, function);
        }

        if (!LuaStack.TryInteger(lua, 2, 0, out var count))
        {
            return Arguments.BadInteger(state, lua, 2, function);
        }

        if (count <= 0)
        {
            return Arguments.Nil(lua);
        }

        var border = (int)Math.Min(count, source.Box->Count);
        var box = NewValues.PushEmpty(state, lua, BoxKind.List, takes ? border : source.Box->Count - border);
        var target = new Elements(state, lua, LuaApi.Top(lua), box);
        Copy(source, takes ? 0 : border, takes ? border : source.Box->Count, target);
        return 1;
    }

    // The elements are shared, as scripts expect it of lists of lists.
    private static void Copy(Elements source, int from, int to, Elements target)
    {
        var at = target.Box->Count;
        target.Insert(at, to - from);
        for (var i = from; i < to; i++)
        {
            source.Push(i);
            target.Set(at + i - from);
        }

        source.State.Charge(4L * (to - from));
    }

    private static int Size(LuaState state, nint lua) =>
        TryOpen(state, lua, 1, out var elements)
            ? Arguments.Integer(lua, elements.Box->Count)
            : NoList(state, lua, 1, "size");

    private static int PackedSize(LuaState state, nint lua) =>
        Boxes.Container(lua, 1, BoxKind.List) != null
            ? Arguments.Integer(lua, ScratchValues.PackedLength(state, lua, 1))
            : NoList(state, lua, 1, "nbytes");

    private static int Text(LuaState state, nint lua) =>
        Boxes.Container(lua, 1, BoxKind.List) != null ? ScratchValues.PushText(state, lua, 1) : NoList(state, lua, 1, "tostring");

    private static int Iterate(LuaState state, nint lua)
    {
        if (!TryOpen(state, lua, 1, out _))
        {
            return NoList(state, lua, 1, "iterator");
        }

        return IteratorLibrary.PushIteration(state, lua, IteratorYield.Element);
    }

    /// list.create(capacity): the capacity is a hint, and without a good one there is no list.
    private static int New(LuaState state, nint lua)
    {
        if (LuaApi.Top(lua) is < 1 or > 2
            || !LuaStack.TryInteger(lua, 1, -1, out var capacity)
            || capacity < 0
            || !LuaStack.TryInteger(lua, 2, 10, out var step)
            || step < 0)
        {
            return 0;
        }

        NewValues.PushEmpty(state, lua, BoxKind.List, (int)Math.Min(capacity, 64));
        return 1;
    }

    /// list() and list{…}: of the table's numbered fields.
    private static int Construct(LuaState state, nint lua)
    {
        var hasTable = LuaApi.Top(lua) == 2 && LuaApi.Type(lua, 2) == LuaApi.TypeTable;
        var box = NewValues.PushEmpty(state, lua, BoxKind.List, 0);
        if (!hasTable)
        {
            return 1;
        }

        var elements = new Elements(state, lua, 3, box);
        LuaApi.PushNil(lua);
        while (LuaApi.Next(lua, 2) != 0)
        {
            if (LuaApi.Type(lua, -2) == LuaApi.TypeNumber && Packing.IsStorable(lua, -1))
            {
                elements.Insert(box->Count, 1);
                elements.Set(box->Count - 1);
            }
            else
            {
                LuaApi.SetTop(lua, -2);
            }
        }

        state.Charge(2L * box->Count);
        return 1;
    }

    private static bool TryOpen(LuaState state, nint lua, int index, out Elements elements)
    {
        var box = Boxes.Container(lua, index, BoxKind.List);
        if (box == null)
        {
            elements = default;
            return false;
        }

        elements = new Elements(state, lua, index, box);
        elements.Open();
        return true;
    }

    private static int NoList(LuaState state, nint lua, int index, string function) =>
        Arguments.Bad(state, lua, index, function, Class);
}

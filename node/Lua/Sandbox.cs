using System.Reflection;
using Aerie.Foundation;
using Aerie.Lua.Library;
using Aerie.Lua.Native;
using Aerie.Lua.Values;

namespace Aerie.Lua;

/// Builds what scripts find in a state: the harmless part of Lua's libraries, the engine's own, and the prelude on top.
internal sealed unsafe class Sandbox
{
    /// The name of each library, and what its opening function is called.
    private static readonly string[] Opened =
    [
        "_G base", "string string", "table table", "math math", "utf8 utf8", "coroutine coroutine", "os os",
    ];

    private static readonly string[] Classes =
    [
        RecordLibrary.Class, ListLibrary.Class, MapLibrary.Class, BytesLibrary.Class, BytesLibrary.GeoJsonClass, IteratorLibrary.Class,
    ];

    private readonly LuaState _state;
    private readonly nint _lua;
    private readonly Dictionary<string, int> _classKeys = [];
    private int _wrapperKey;

    private Sandbox(LuaState state, nint lua)
    {
        _state = state;
        _lua = lua;
    }

    public static KnownValues Build(LuaState state, nint lua)
    {
        var sandbox = new Sandbox(state, lua);
        sandbox.OpenLibraries();
        sandbox.LoadWrapper();
        sandbox.AddClasses();
        sandbox.AddLibraries();
        var known = sandbox.Known();
        LuaApi.SetTop(lua, 0);
        return known;
    }

    private void OpenLibraries()
    {
        foreach (var library in Opened)
        {
            var names = library.Split(' ');
            fixed (byte* name = Bytes(names[0]))
            {
                LuaApi.OpenLibrary(_lua, name, LuaLibrary.Export("luaopen_" + names[1]), 1);
            }
        }

        LuaApi.SetTop(_lua, 0);
    }

    private void LoadWrapper()
    {
        if (_state.Runtime.Errors == LuaErrors.Wrapped)
        {
            LoadResource("Wrapper.lua");
            LuaApi.PushLight(_lua, (nint)_state.Heap);
            Call(1);
            _wrapperKey = LuaApi.Keep(_lua, LuaApi.Registry);
        }
    }

    // A class is a metatable. What getmetatable() shows of it is a table that scripts can compare with, under the class's name.
    private void AddClasses()
    {
        foreach (var name in Classes)
        {
            LuaApi.NewTable(_lua, 0, 8);
            AddCallbacks(name);
            LuaApi.NewTable(_lua, 0, 0);
            if (name == IteratorLibrary.Class)
            {
                AddCallbacks(name);
                SetField(-2, "__index", -1);
            }

            SetField(-2, "__metatable", -1);
            PushGlobals();
            SetField(-1, name, -2);
            LuaApi.SetTop(_lua, -3);
            _classKeys[name] = LuaApi.Keep(_lua, LuaApi.Registry);
        }
    }

    private void AddLibraries()
    {
        LoadResource("Prelude.lua");
        PushGlobals();
        var names = Callbacks.All.Select(callback => callback.Library);
        foreach (var name in names.Distinct(StringComparer.Ordinal).Except(Classes, StringComparer.Ordinal))
        {
            LuaApi.NewTable(_lua, 0, 16);
            AddCallbacks(name);
            AddCallMetatable(name);
            if (name == Callbacks.Native)
            {
                LuaApi.Rotate(_lua, -2, 1); // behind the prelude, as its argument
            }
            else
            {
                SetField(-2, name, -1);
                LuaApi.SetTop(_lua, -2);
            }
        }

        LuaApi.SetTop(_lua, -2);
        Call(1);
    }

    private KnownValues Known()
    {
        var require = LuaApi.Keep(_lua, LuaApi.Registry);
        PushCallback(Array.FindIndex(Callbacks.All, callback => callback is { Library: "iterator", Name: "next" }));
        var next = LuaApi.Keep(_lua, LuaApi.Registry);
        var box = (Box*)LuaApi.NewUserdata(_lua, (nuint)sizeof(Box), 0);
        box->Kind = BoxKind.Record;
        NewValues.SetClass(_lua, _classKeys[RecordLibrary.Class]);
        return new KnownValues
        {
            ListClass = _classKeys[ListLibrary.Class],
            MapClass = _classKeys[MapLibrary.Class],
            BytesClass = _classKeys[BytesLibrary.Class],
            GeoJsonClass = _classKeys[BytesLibrary.GeoJsonClass],
            IteratorClass = _classKeys[IteratorLibrary.Class],
            IteratorNext = next,
            Record = LuaApi.Keep(_lua, LuaApi.Registry),
            Require = require,
        };
    }

    // Of one library or class, into the table on top; `__call` belongs to the metatable of a library.
    private void AddCallbacks(string library)
    {
        for (var number = 0; number < Callbacks.All.Length; number++)
        {
            if (Callbacks.All[number].Library == library && Callbacks.All[number].Name != "__call")
            {
                PushCallback(number);
                SetField(-2, Callbacks.All[number].Name, -1);
                LuaApi.SetTop(_lua, -2);
            }
        }
    }

    private void AddCallMetatable(string library)
    {
        var number = Array.FindIndex(Callbacks.All, callback => callback.Library == library && callback.Name == "__call");
        if (number < 0)
        {
            return;
        }

        LuaApi.NewTable(_lua, 0, 2);
        PushCallback(number);
        SetField(-2, "__call", -1);
        LuaApi.SetTop(_lua, -2);
        SetField(-1, "__metatable", -2);
        LuaApi.SetMetatable(_lua, -2);
    }

    private void PushCallback(int number) => _state.Runtime.PushCallback(_lua, number, _wrapperKey);

    private void PushGlobals() => LuaApi.RawGet(_lua, LuaApi.Registry, LuaApi.RegistryGlobals);

    // table[name] = the value at an index; both indexes as they are before.
    private void SetField(int table, string name, int value)
    {
        LuaState.PushText(_lua, System.Text.Encoding.UTF8.GetBytes(name));
        LuaApi.PushValue(_lua, value - 1);
        LuaApi.RawSet(_lua, table - 2);
    }

    private void LoadResource(string file)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(file);
        var text = new byte[stream!.Length];
        stream.ReadExactly(text);
        var loaded = _state.Load(_lua, text, "=aerie");
        Invariant.Holds(loaded);
    }

    private void Call(int arguments)
    {
        if (LuaApi.ProtectedCall(_lua, arguments, 1, 0, 0, 0) != LuaApi.StatusOk)
        {
            Invariant.Broken(System.Text.Encoding.UTF8.GetString(LuaStack.String(_lua, -1)));
        }
    }

    private static byte[] Bytes(string text) => System.Text.Encoding.UTF8.GetBytes(text + "\0");
}

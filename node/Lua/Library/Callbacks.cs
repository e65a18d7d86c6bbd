namespace Aerie.Lua.Library;

/// A managed function that scripts can call: it finds its arguments on the stack from 1 on, pushes its results and returns how
/// many; or a negative number with the message of an error pushed. It may not call anything of Lua that can raise.
internal readonly unsafe struct Callback(string library, string name, delegate*<LuaState, nint, int> function)
{
    /// The global table it is a field of; the class it is a metamethod of; or Native, which only the prelude sees.
    public readonly string Library = library;
    public readonly string Name = name;
    public readonly delegate*<LuaState, nint, int> Function = function;
}

/// All callbacks; the place in the table is the number by which one is called.
internal static class Callbacks
{
    /// What the prelude builds the rest of.
    public const string Native = "native";

    public static readonly Callback[] All =
    [
        .. RecordLibrary.Callbacks,
        .. AerospikeLibrary.Callbacks,
        .. ListLibrary.Callbacks,
        .. MapLibrary.Callbacks,
        .. IteratorLibrary.Callbacks,
        .. BytesLibrary.Callbacks,
        .. BytesNumbers.Callbacks,
        .. StringLibrary.Callbacks,
        .. NativeLibrary.Callbacks,
    ];
}

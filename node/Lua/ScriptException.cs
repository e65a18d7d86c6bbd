using System.Text;

namespace Aerie.Lua;

/// What a script did cannot be done, and that rarely: it becomes an error of the script, at the line that called. What scripts
/// do wrong every day is reported by LuaState.Fail, which throws nothing.
internal sealed class ScriptException(string message) : Exception(message)
{
    public byte[] Text => Encoding.UTF8.GetBytes(Message);

    public static ScriptException OutOfMemory => new("not enough memory");

    public static ScriptException BadPacking => new("the stored value is not a valid list or map");

    public static ScriptException TooManyElements => new("the value has too many elements");

    public static ScriptException TooDeep => new("lists and maps are nested too deeply");
}

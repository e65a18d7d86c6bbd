using Aerie.Foundation;
using Aerie.Io;
using Aerie.Lua;

namespace Aerie.Node.Tests.Lua;

/// How scripts are held, as far as the machine decides.
public enum LuaWay
{
    /// As a node does it where it can.
    Signalled,
    Counted,
    Wrapped,
}

internal static class LuaWays
{
    public static UdfOptions Options(this LuaWay way) => new()
    {
        Clock = new SystemClock(),
        Errors = way == LuaWay.Wrapped ? LuaErrors.Wrapped : LuaErrors.Trampoline,
        Interrupts = way == LuaWay.Signalled ? LuaInterrupts.Signalled : LuaInterrupts.Counted,
    };
}

using Aerie.Foundation;

namespace Aerie.Lua;

/// How the engine runs functions.
public sealed record UdfOptions
{
    public required IClock Clock { get; init; }

    /// Where info(), warn() and their like go; null: nowhere.
    public IUdfLog? Log { get; init; }

    /// What one state may take, the module's own globals included. A call that needs more ends with "not enough memory".
    public long MemoryMax { get; init; } = 32 * 1024 * 1024;

    /// A function that has executed this many instructions in one turn is suspended, where Lua can suspend it: about a
    /// millisecond.
    public int InstructionsPerTurn { get; init; } = 100_000;

    /// How long Check lets the outermost statements of a module run.
    public long CheckNanoseconds { get; init; } = 1_000_000_000;

    /// False: every call loads its module anew, with fresh globals.
    public bool KeepsStates { get; init; } = true;

    /// Idle states that a worker keeps; the one that was used longest ago goes first.
    public int IdleStatesMax { get; init; } = 128;

    /// How errors are raised into Lua; null: as fits the machine.
    public LuaErrors? Errors { get; init; }

    public LuaInterrupts Interrupts { get; init; }

    /// For tests: whoever runs gets the signal at once, wherever that may be.
    internal bool SignalsAtOnce { get; init; }
}

/// How a script that runs on and on is stopped.
public enum LuaInterrupts : byte
{
    /// Its instructions are counted. The same script always stops at the same place, and its loops are half as fast.
    Counted,

    /// Only once it has run for about a millisecond: then a signal comes. Where signals cannot be used, all are counted.
    Signalled,
}

/// Managed code may not be jumped over by Lua's errors: they are raised after it has returned.
public enum LuaErrors : byte
{
    /// By a few emitted machine instructions around each callback (x64).
    Trampoline,

    /// By a Lua function around each callback. Runs everywhere, at about half the speed.
    Wrapped,
}

/// Takes what scripts log. Called on the thread that runs the script.
public interface IUdfLog
{
    bool IsEnabled(UdfLogLevel level);

    /// The text is UTF-8 as far as the script wrote UTF-8; `file` is a module's name with ".lua".
    void Write(UdfLogLevel level, ReadOnlySpan<byte> file, int line, ReadOnlySpan<byte> text);
}

/// Numbers as scripts say them.
public enum UdfLogLevel : byte
{
    Warn = 1,
    Info = 2,
    Debug = 3,
    Trace = 4,
}

namespace Aerie.Lua;

/// What one function has done on one worker. Written by the worker's thread alone, read by anybody.
internal sealed class FunctionCounters(string module, string function)
{
    /// One call of so many is timed, and stands for the others: reading the clock twice costs a third of a small function.
    private const int CallsPerTimed = 8;

    private long _calls;
    private long _errors;
    private long _nanoseconds;

    public string Module { get; } = module;

    public string Function { get; } = function;

    public bool IsTimed => _calls % CallsPerTimed == 0;

    public void Count(bool isError, long nanoseconds)
    {
        Volatile.Write(ref _calls, _calls + 1);
        Volatile.Write(ref _errors, _errors + (isError ? 1 : 0));
        Volatile.Write(ref _nanoseconds, _nanoseconds + (CallsPerTimed * nanoseconds));
    }

    public UdfStatistics Read() =>
        new(Module, Function, Volatile.Read(ref _calls), Volatile.Read(ref _errors), Volatile.Read(ref _nanoseconds));
}

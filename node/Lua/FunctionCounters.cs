namespace Aerie.Lua;

/// What one function has done on one worker. Written by the worker's thread alone, read by anybody.
internal sealed class FunctionCounters(string module, string function)
{
    private long _calls;
    private long _errors;
    private long _nanoseconds;

    public string Module { get; } = module;

    public string Function { get; } = function;

    public void Count(bool isError, long nanoseconds)
    {
        Volatile.Write(ref _calls, _calls + 1);
        Volatile.Write(ref _errors, _errors + (isError ? 1 : 0));
        Volatile.Write(ref _nanoseconds, _nanoseconds + nanoseconds);
    }

    public UdfStatistics Read() =>
        new(Module, Function, Volatile.Read(ref _calls), Volatile.Read(ref _errors), Volatile.Read(ref _nanoseconds));
}

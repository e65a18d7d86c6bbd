namespace Aerie.Lua;

/// Runs the functions that users register. It knows modules by name and text; where they are kept is not its matter.
/// Every member may be called from any thread; a worker and its runs belong to the thread that uses them.
public interface IUdfEngine : IDisposable
{
    /// Compiles a text and runs its outermost statements as a first call would, without keeping anything. Null: it is good.
    UdfSyntaxError? Check(string module, ReadOnlySpan<byte> text);

    /// Makes a module callable, `name` without the ending ".lua", or replaces its text. Nothing is compiled here: workers do that
    /// with the first call that comes after. Calls that run finish with the text they began with.
    void Register(string module, ReadOnlySpan<byte> text);

    /// False: there is no such module. Calls that run finish.
    bool Remove(string module);

    /// Lets all that was compiled go; what modules kept in globals is lost. Texts and statistics stay.
    void ClearCache();

    /// One for each event loop (or other thread that runs functions).
    IUdfWorker OpenWorker();

    /// A snapshot of what each function has done since its module was registered first, ordered by name.
    IReadOnlyList<UdfStatistics> Statistics();
}

/// Runs functions on one thread.
public interface IUdfWorker : IDisposable
{
    /// Runs a function until it ends or its turn is over. The bytes of the call are not used after this returns; the record
    /// is, until the run has finished or was released. A run that is suspended does not hinder other runs on this worker,
    /// not even of the same function. Whatever the record throws comes out of here, and the run is over then.
    UdfRun Start(in UdfCall call, IUdfRecord record);
}

/// What is called. Names and arguments lie in the request.
public readonly ref struct UdfCall
{
    public ReadOnlySpan<byte> Module { get; init; }

    public ReadOnlySpan<byte> Function { get; init; }

    /// A packed list, as field 33 of the wire brings it; empty: no arguments. What is no packed list ends as error 4.
    public ReadOnlySpan<byte> Arguments { get; init; }

    /// By the monotonic clock. A function that runs longer ends with code 100 and "UDF Execution Timeout".
    public long DeadlineNanoseconds { get; init; }
}

public enum UdfProgress : byte
{
    Finished,

    /// The turn is over: the loop serves others, then calls Resume.
    Suspended,
}

/// A text that does not compile, or whose outermost statements fail.
public sealed record UdfSyntaxError(string File, int Line, string Message);

/// Of one function of one module, all workers together.
public sealed record UdfStatistics(string Module, string Function, long Calls, long Errors, long Nanoseconds);

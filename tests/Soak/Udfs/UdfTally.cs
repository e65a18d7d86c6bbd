namespace Aerie.Soak.Udfs;

/// What all connections did together: enough to say what the node must have counted.
internal sealed class UdfTally
{
    private const int ProblemsShown = 20;

    private readonly long[] _calls = new long[UdfScripts.All.Count];
    private long _problems;
    private long _failed;
    private long _caught;
    private long _completed;
    private long _batchFailed;
    private long _batchCompleted;
    private long _refused;
    private long _hotSum;

    public long Problems => Volatile.Read(ref _problems);

    /// Answers that say what went wrong, of single calls and of rows of batches: each has come out of Lua by an error.
    public long ErrorPaths => Volatile.Read(ref _failed) + Volatile.Read(ref _batchFailed);

    /// Errors that functions raised and caught again, besides.
    public long Caught => Volatile.Read(ref _caught);

    public long SingleFailed => Volatile.Read(ref _failed);

    public long SingleCompleted => Volatile.Read(ref _completed);

    public long BatchFailed => Volatile.Read(ref _batchFailed);

    public long BatchCompleted => Volatile.Read(ref _batchCompleted);

    /// Answers 14: too many wait for the record that all share.
    public long Refused => Volatile.Read(ref _refused);

    /// What was added to the record that all share.
    public long HotSum => Volatile.Read(ref _hotSum);

    public long CallsOf(int script) => Volatile.Read(ref _calls[script]);

    public void NoteFailed(int script, bool inBatch)
    {
        Interlocked.Increment(ref _calls[script]);
        Interlocked.Add(ref _caught, UdfScripts.All[script].Caught);
        NoteFailed(inBatch);
    }

    public void NoteFailed(bool inBatch) => Interlocked.Increment(ref inBatch ? ref _batchFailed : ref _failed);

    public void NoteCompleted(bool inBatch) => Interlocked.Increment(ref inBatch ? ref _batchCompleted : ref _completed);

    public void NoteRefused() => Interlocked.Increment(ref _refused);

    public void NoteHot(long by) => Interlocked.Add(ref _hotSum, by);

    public void Problem(string text)
    {
        if (Interlocked.Increment(ref _problems) <= ProblemsShown)
        {
            Console.WriteLine($"PROBLEM {text}");
        }
    }
}

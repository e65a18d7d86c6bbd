using System.Collections.Concurrent;

namespace Aerie.Soak.Mixed;

/// What all workers of a mixed run did together: enough to say what the node must hold afterwards.
internal sealed class MixedTally(int hotKeys)
{
    private const int ProblemsShown = 20;

    private readonly ConcurrentDictionary<string, long> _inserted = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, long> _deleted = new(StringComparer.Ordinal);
    private readonly long[] _hotSums = new long[hotKeys];
    private long _operations;
    private long _problems;
    private long _busy;

    public long Operations => Volatile.Read(ref _operations);

    public long Problems => Volatile.Read(ref _problems);

    /// Answers 14, with which a node refuses a command that would wait behind too many others. Not an error.
    public long Busy => Volatile.Read(ref _busy);

    public IEnumerable<string> Sets => _inserted.Keys.Order(StringComparer.Ordinal);

    public long Inserted(string set) => _inserted.GetValueOrDefault(set);

    public long Deleted(string set) => _deleted.GetValueOrDefault(set);

    public long HotSum(int key) => Volatile.Read(ref _hotSums[key]);

    public void NoteOperation() => Interlocked.Increment(ref _operations);

    public void NoteInserted(string set) => _inserted.AddOrUpdate(set, 1, static (_, before) => before + 1);

    public void NoteDeleted(string set) => _deleted.AddOrUpdate(set, 1, static (_, before) => before + 1);

    public void NoteHot(int key, long added) => Interlocked.Add(ref _hotSums[key], added);

    public void NoteBusy() => Interlocked.Increment(ref _busy);

    public void Problem(string text)
    {
        if (Interlocked.Increment(ref _problems) <= ProblemsShown)
        {
            Console.WriteLine($"PROBLEM {text}");
        }
    }
}

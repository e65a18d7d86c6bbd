namespace Aerie.Memory;

/// How much native memory several owners may take together. Taken counts what the system had to give, so it is also the
/// truthful figure of what they use. Thread-safe.
public sealed class MemoryBudget(long limit)
{
    private long _taken;

    /// Bytes; zero means unlimited.
    public long Limit { get; } = limit;

    public long Taken => Volatile.Read(ref _taken);

    public bool TryTake(long bytes)
    {
        var taken = Interlocked.Add(ref _taken, bytes);
        if (Limit != 0 && taken > Limit)
        {
            Interlocked.Add(ref _taken, -bytes);
            return false;
        }

        return true;
    }
}

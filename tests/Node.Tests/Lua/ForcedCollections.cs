namespace Aerie.Node.Tests.Lua;

/// Threads that collect garbage all the time, so that a collection comes at every place of what runs meanwhile. Each waits for
/// progress between two collections: otherwise who is stopped by them may not get on for minutes on a busy machine.
internal sealed class ForcedCollections : IDisposable
{
    private readonly Thread[] _threads;
    private long _progress;
    private volatile bool _stops;

    public ForcedCollections(int threads = 2)
    {
        _threads = [.. Enumerable.Range(0, threads).Select(_ => new Thread(Collect))];
        Array.ForEach(_threads, thread => thread.Start());
    }

    /// What runs has come a step further.
    public void Note() => Interlocked.Increment(ref _progress);

    public void Dispose()
    {
        _stops = true;
        Array.ForEach(_threads, thread => thread.Join());
    }

    private void Collect()
    {
        var seen = 0L;
        for (var round = 0; !_stops; round++)
        {
            GC.Collect(round % 3, GCCollectionMode.Forced, blocking: true);
            var wait = default(SpinWait);
            while (!_stops && Interlocked.Read(ref _progress) == seen)
            {
                wait.SpinOnce(sleep1Threshold: -1);
            }

            seen = Interlocked.Read(ref _progress);
        }
    }
}

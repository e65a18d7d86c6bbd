namespace Aerie.TestKit;

/// Work on several threads at once. Whatever one of them throws comes out when all have ended.
public sealed class OnThreads
{
    private readonly List<Exception> _failures = [];
    private readonly List<Thread> _threads;

    private OnThreads(int count, Action<int> work)
    {
        _threads = [.. Enumerable.Range(0, count).Select(number => new Thread(() => Guard(() => work(number))))];
        _threads.ForEach(thread => thread.Start());
    }

    public bool AreRunning => _threads.Any(thread => thread.IsAlive);

    /// `work` is told which of the threads it is.
    public static void Run(int count, Action<int> work) => Start(count, work).Join();

    /// For who has something to do meanwhile. Join must follow.
    public static OnThreads Start(int count, Action<int> work) => new(count, work);

    public void Join()
    {
        _threads.ForEach(thread => thread.Join());
        if (_failures.Count > 0)
        {
            throw new AggregateException(_failures);
        }
    }

    private void Guard(Action work)
    {
        try
        {
            work();
        }
        catch (Exception failure)
        {
            lock (_failures)
            {
                _failures.Add(failure);
            }
        }
    }
}

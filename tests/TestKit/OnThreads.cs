namespace Aerie.TestKit;

/// Work on several threads at once. Whatever one of them throws comes out when all have ended.
public static class OnThreads
{
    /// `work` is told which of the threads it is.
    public static void Run(int count, Action<int> work)
    {
        var failures = new List<Exception>();
        var threads = Enumerable.Range(0, count).Select(number => new Thread(() => Guard(failures, () => work(number)))).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        if (failures.Count > 0)
        {
            throw new AggregateException(failures);
        }
    }

    private static void Guard(List<Exception> failures, Action work)
    {
        try
        {
            work();
        }
        catch (Exception failure)
        {
            lock (failures)
            {
                failures.Add(failure);
            }
        }
    }
}

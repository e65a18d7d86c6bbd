namespace Aerie.Server.Query;

/// The long queries of the node: those that run, and the latest that ended. Short ones come and go too fast to be watched.
/// Any thread. The number of active ones is bounded: each connection runs one at most, and each loop some in the background.
public sealed class QueryRegistry(Func<int> doneMax)
{
    private readonly Lock _gate = new();
    private readonly List<QueryStatus> _active = [];
    private readonly Queue<QueryStatus> _done = new();

    /// Ended ones first, oldest first.
    public IReadOnlyList<QueryStatus> Snapshot()
    {
        lock (_gate)
        {
            return [.. _done, .. _active];
        }
    }

    /// A client may use a number twice: a retry while the node still works on the first try. False when none is active.
    public bool Abort(ulong id) => AskAbort(status => status.Id == id) > 0;

    /// Returns how many were active.
    public int AbortAll() => AskAbort(_ => true);

    internal void Add(QueryStatus status)
    {
        lock (_gate)
        {
            _active.Add(status);
        }
    }

    /// False when a background query with this number runs already: a client that tries again must not have its operations
    /// carried out twice.
    internal bool TryAddBackground(QueryStatus status)
    {
        lock (_gate)
        {
            if (status.Id != 0 && _active.Exists(other => other.IsBackground && other.Id == status.Id))
            {
                return false;
            }

            _active.Add(status);
            return true;
        }
    }

    internal void Finish(QueryStatus status, QueryOutcome outcome, long now)
    {
        lock (_gate)
        {
            status.Finish(outcome, now);
            _active.Remove(status);
            _done.Enqueue(status);
            while (_done.Count > doneMax()) // `query-max-done` may have been lowered
            {
                _done.Dequeue();
            }
        }
    }

    private int AskAbort(Predicate<QueryStatus> which)
    {
        lock (_gate)
        {
            var found = _active.FindAll(which);
            found.ForEach(status => status.AskAbort());
            return found.Count;
        }
    }
}

using Aerie.Io;

namespace Aerie.Server.Transactions.Commits;

/// The long replies of one loop that go on when a flush round is over. Belongs to the loop's thread, but for Any.
internal sealed class FlushWaits(Action<ConnectionId, LongReply> wake)
{
    private List<LongReply> _waiting = [];
    private List<LongReply> _woken = [];
    private int _count;

    /// Somebody is to be told. Any thread.
    public bool Any => Volatile.Read(ref _count) != 0;

    /// The caller looks once more afterwards at what it waits for: a round that ends before that does not wake it.
    public void Add(LongReply reply)
    {
        _waiting.Add(reply);
        Interlocked.Exchange(ref _count, _waiting.Count);
    }

    public void WakeAll()
    {
        (_waiting, _woken) = (_woken, _waiting);
        Interlocked.Exchange(ref _count, 0);
        foreach (var reply in _woken)
        {
            wake(reply.Connection, reply); // knows whether the reply is still there
        }

        _woken.Clear();
    }
}

namespace Aerie.Server.Service;

/// Connections whose reply goes on by itself at some time. Most waits end earlier by other means, so a connection stands
/// here once, however often it waits, and a reply is woken at its time or before.
internal sealed class Sleepers
{
    private readonly PriorityQueue<ClientConnection, long> _byTime = new();

    /// Monotonic nanoseconds at which the first is due; long.MaxValue: nobody sleeps.
    public long WakeAt => _byTime.TryPeek(out _, out var wakeAt) ? wakeAt : long.MaxValue;

    public void Add(ClientConnection connection, long wakeAt)
    {
        if (wakeAt < connection.SleepsUntil)
        {
            connection.SleepsUntil = wakeAt;
            _byTime.Enqueue(connection, wakeAt);
        }
    }

    /// One that is due. It may have closed, or serve another client, meanwhile.
    public bool TryWake(long now, out ClientConnection connection)
    {
        while (_byTime.TryPeek(out connection!, out var wakeAt) && wakeAt <= now)
        {
            _byTime.Dequeue();
            if (connection.SleepsUntil == wakeAt) // else it was to be woken earlier, and was
            {
                connection.SleepsUntil = long.MaxValue;
                return true;
            }
        }

        return false;
    }
}

namespace Aerie.Io;

internal sealed class Listener(int file, int tag, uint serial)
{
    public int File { get; } = file;

    public int Tag { get; } = tag;

    /// Names it in epoll's events; never used again, so an event from before it was stopped finds nothing.
    public uint Serial { get; } = serial;

    /// Out of epoll, because the process had no descriptor for the next connection: the backlog would wake it for nothing.
    public bool IsResting { get; set; }
}

/// A handful of listening sockets, several of which may have one tag (a name with an IPv4 and an IPv6 address).
internal sealed class Listeners
{
    private readonly List<Listener> _listeners = [];
    private uint _serial;

    public List<Listener> All => _listeners;

    public Listener Add(int file, int tag)
    {
        var listener = new Listener(file, tag, ++_serial);
        _listeners.Add(listener);
        return listener;
    }

    public Listener? Find(uint serial)
    {
        foreach (var listener in _listeners)
        {
            if (listener.Serial == serial)
            {
                return listener;
            }
        }

        return null;
    }
}

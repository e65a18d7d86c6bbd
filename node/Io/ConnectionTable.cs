using System.Runtime.CompilerServices;
using Aerie.Memory;

namespace Aerie.Io;

/// What the engine knows of one socket. An idle connection costs this and nothing else on our side.
internal struct Connection
{
    public int File;
    public uint Generation;

    /// What epoll was last told to watch for.
    public uint Armed;

    /// The loop does not want to receive. Epoll learns it only if something arrives meanwhile: most pauses are short.
    public bool IsPaused;

    /// The loop has closed it and what waits is still being sent. The generation has moved on, so the loop's id is dead.
    public bool IsLingering;

    /// Filled bytes of an incomplete message, handed back by the loop.
    public BufferId Partial;
    public int Filled;

    /// Why a send failed; reported by the next Wait.
    public int Error;

    /// When a lingering connection is cut off.
    public long LingerUntil;

    public SendQueue Sends;
}

/// Slots and generations. A slot's generation moves on when it is taken and when it is left, so that neither an event nor
/// an id from before can name the next tenant.
internal sealed class ConnectionTable
{
    private readonly Stack<int> _free = new();
    private Connection[] _connections = new Connection[64];

    /// Slots ever used; every slot below it may be looked at.
    public int Used { get; private set; }

    public ref Connection this[int slot] => ref _connections[slot];

    /// No reference into the table may be held across this call: the table may move.
    public ConnectionId Add(int file)
    {
        var slot = _free.Count > 0 ? _free.Pop() : NewSlot();
        ref var connection = ref _connections[slot];
        var generation = connection.Generation + 1;
        connection = new Connection { File = file, Generation = generation, Partial = BufferId.None };
        return new ConnectionId(slot, generation);
    }

    public void Remove(int slot)
    {
        var generation = _connections[slot].Generation + 1;
        _connections[slot] = new Connection { File = -1, Generation = generation, Partial = BufferId.None };
        _free.Push(slot);
    }

    /// The generations of free and lingering slots have never been given out, so an equal one is a living id.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool IsAlive(ConnectionId id) =>
        (uint)id.Slot < (uint)Used && _connections[id.Slot].Generation == id.Generation;

    private int NewSlot()
    {
        if (Used == _connections.Length)
        {
            Array.Resize(ref _connections, _connections.Length * 2);
        }

        return Used++;
    }
}

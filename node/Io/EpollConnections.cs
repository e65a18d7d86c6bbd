using Aerie.Foundation;
using Aerie.Memory;

namespace Aerie.Io;

/// The sockets of one epoll engine from their coming to their end: receives, sends, what waits for a slow peer, and the
/// last bytes of those the loop has closed.
internal sealed unsafe class EpollConnections(Epoll epoll, IClock clock, BufferPool buffers, IoCounters counters) : IDisposable
{
    /// What a closed connection may take to get its last bytes: a peer that reads at all has them by then.
    private const long LingerSendingNanoseconds = 10_000_000_000;

    /// What a peer gets to read our last bytes before the socket goes. Closing at once would reset the connection if
    /// something unread has arrived, and the reset overtakes what we sent.
    private const long LingerReadNanoseconds = 1_000_000_000;

    private readonly ConnectionTable _connections = new();
    private readonly SendQueues _sends = new();
    private readonly Queue<ConnectionId> _failed = new();
    private readonly List<ConnectionId> _lingering = [];

    public bool AnyLingering => _lingering.Count > 0;

    // ---- what the loop asks ----

    /// Takes a connected, non-blocking socket over. A refusal by epoll shows as a Closed completion.
    public ConnectionId Add(int file)
    {
        var id = _connections.Add(file);
        ref var connection = ref _connections[id.Slot];
        connection.Armed = Native.EpollIn | Native.EpollPeerHangUp;
        if (!epoll.Add(file, connection.Armed, id))
        {
            connection.Error = Native.Errno;
            ReportLater(id, ref connection);
        }

        return id;
    }

    /// Gives the socket away; the id is dead.
    public int Detach(ConnectionId id)
    {
        Invariant.Holds(_connections.IsAlive(id));
        ref var connection = ref _connections[id.Slot];
        Invariant.Holds(connection.Partial.IsNone && connection.Sends.IsEmpty);
        var file = connection.File;
        epoll.Remove(file);
        _connections.Remove(id.Slot);
        return file;
    }

    public void ReceiveMoreInto(ConnectionId connection, BufferId buffer, int filled)
    {
        if (!_connections.IsAlive(connection))
        {
            buffers.Return(buffer);
            return;
        }

        ref var receiver = ref _connections[connection.Slot];
        Invariant.Holds(receiver.Partial.IsNone);
        Invariant.Holds(filled >= 0 && filled < buffers.Length(buffer));
        receiver.Partial = buffer;
        receiver.Filled = filled;
    }

    public void PauseReceiving(ConnectionId connection)
    {
        if (_connections.IsAlive(connection))
        {
            _connections[connection.Slot].IsPaused = true;
        }
    }

    public void ResumeReceiving(ConnectionId connection)
    {
        if (_connections.IsAlive(connection))
        {
            ref var resumed = ref _connections[connection.Slot];
            resumed.IsPaused = false;
            Arm(connection, ref resumed, resumed.Armed | Native.EpollIn);
        }
    }

    public bool Send(ConnectionId connection, BufferId buffer, int length)
    {
        Invariant.Holds(length > 0 && length <= buffers.Length(buffer));
        if (!_connections.IsAlive(connection) || _connections[connection.Slot].Error != 0)
        {
            buffers.Return(buffer);
            return true;
        }

        ref var sender = ref _connections[connection.Slot];
        var sent = sender.Sends.IsEmpty ? SendNow(ref sender, buffer, 0, length) : 0;
        if (sent == length || sender.Error != 0)
        {
            buffers.Return(buffer);
            ReportLater(connection, ref sender);
            return true;
        }

        _sends.Append(ref sender.Sends, buffer, sent, length - sent);
        Arm(connection, ref sender, sender.Armed | Native.EpollOut);
        return false;
    }

    public long PendingSendBytes(ConnectionId connection) =>
        _connections.IsAlive(connection) ? _connections[connection.Slot].Sends.Bytes : 0;

    public void Close(ConnectionId connection, CloseMode mode)
    {
        if (!_connections.IsAlive(connection))
        {
            return;
        }

        if (mode == CloseMode.AfterSending && _connections[connection.Slot].Error == 0)
        {
            Linger(connection.Slot);
        }
        else
        {
            Release(connection.Slot);
        }
    }

    public string PeerOf(ConnectionId connection) =>
        _connections.IsAlive(connection) ? Sockets.Peer(_connections[connection.Slot].File) : "unknown";

    /// Ends the closed connections whose time is over.
    public void CutLingering(long now)
    {
        for (var i = _lingering.Count - 1; i >= 0; i--)
        {
            var id = _lingering[i];
            var isGone = !_connections.IsAlive(id);
            if (!isGone && now < _connections[id.Slot].LingerUntil)
            {
                continue;
            }

            if (!isGone)
            {
                Release(id.Slot);
            }

            _lingering[i] = _lingering[^1];
            _lingering.RemoveAt(_lingering.Count - 1);
        }
    }

    public void Dispose()
    {
        for (var slot = 0; slot < _connections.Used; slot++)
        {
            if (_connections[slot].File >= 0)
            {
                Release(slot);
            }
        }
    }

    // ---- what the kernel says ----

    /// Completions of connections that were found broken outside Wait.
    public int ReportFailed(Span<Completion> into)
    {
        var filled = 0;
        while (filled < into.Length && _failed.TryDequeue(out var id))
        {
            if (!_connections.IsAlive(id))
            {
                continue; // the loop has closed it meanwhile
            }

            ref var connection = ref _connections[id.Slot];
            if (connection.IsLingering)
            {
                Release(id.Slot);
                continue;
            }

            filled += ReportClosed(id, connection.Error, into[filled..]);
        }

        return filled;
    }

    /// Deals with one event and returns the number of completions it gave. Not done: it has more to give.
    public int Handle(int index, ConnectionId id, Span<Completion> into, out bool isDone)
    {
        isDone = true;
        if (!_connections.IsAlive(id))
        {
            return 0; // a late event: the connection it speaks of is gone
        }

        ref var connection = ref _connections[id.Slot];
        if (connection.Error != 0)
        {
            return 0; // the next Wait reports it
        }

        if (connection.IsLingering)
        {
            HandleLingering(id, ref connection, epoll.Events(index));
            return 0;
        }

        if ((epoll.Events(index) & Native.EpollOut) != 0)
        {
            epoll.Clear(index, Native.EpollOut);
            if (Flush(id, ref connection))
            {
                into[0] = new Completion(CompletionKind.Drained, id, BufferId.None, 0, 0);
                isDone = epoll.Events(index) == 0;
                return 1;
            }
        }

        var events = epoll.Events(index);
        if (events == 0 || connection.Error != 0)
        {
            return 0;
        }

        return connection.IsPaused ? HandlePaused(id, ref connection, events, into) : Receive(id, ref connection, into);
    }

    private int Receive(ConnectionId id, ref Connection connection, Span<Completion> into)
    {
        var isPartial = !connection.Partial.IsNone;
        var buffer = isPartial ? connection.Partial : buffers.Rent();
        var before = isPartial ? connection.Filled : 0;
        nint received;
        fixed (byte* room = buffers.Span(buffer)[before..])
        {
            received = Native.Receive(connection.File, room, (nuint)(buffers.Length(buffer) - before), 0);
        }

        var error = received < 0 ? Native.Errno : 0;
        counters.Receives++;
        if (received > 0)
        {
            connection.Partial = BufferId.None;
            connection.Filled = 0;
            counters.BytesReceived += received;
            into[0] = new Completion(CompletionKind.Received, id, buffer, before + (int)received, 0);
            return 1;
        }

        if (!isPartial)
        {
            buffers.Return(buffer);
        }

        return error is Native.EAGAIN or Native.EINTR ? 0 : ReportClosed(id, error, into);
    }

    // What arrives during a pause stays in the kernel, and epoll is told not to mention it again. A peer that has gone is
    // reported also now: whatever the loop still does for it is in vain.
    private int HandlePaused(ConnectionId id, ref Connection connection, uint events, Span<Completion> into)
    {
        if ((events & (Native.EpollPeerHangUp | Native.EpollHangUp | Native.EpollError)) != 0)
        {
            return ReportClosed(id, Sockets.TakeError(connection.File), into);
        }

        Arm(id, ref connection, connection.Armed & ~Native.EpollIn);
        return 0;
    }

    // What the kernel took, 0 if it takes nothing now. A broken connection has its Error set.
    private int SendNow(ref Connection connection, BufferId buffer, int offset, int length)
    {
        nint sent;
        int error;
        fixed (byte* from = buffers.Span(buffer).Slice(offset, length))
        {
            do
            {
                sent = Native.Send(connection.File, from, (nuint)length, Native.NoSignal);
                error = sent < 0 ? Native.Errno : 0;
                counters.Sends++;
            }
            while (error == Native.EINTR);
        }

        connection.Error = error == Native.EAGAIN ? 0 : error;
        counters.BytesSent += Math.Max(sent, 0);
        return (int)Math.Max(sent, 0);
    }

    // Sends what waits as far as the kernel takes it. True: nothing waits any more.
    private bool Flush(ConnectionId id, ref Connection connection)
    {
        while (!connection.Sends.IsEmpty)
        {
            var first = _sends.First(connection.Sends);
            var sent = SendNow(ref connection, first.Buffer, first.Offset, first.Length);
            if (!_sends.Advance(ref connection.Sends, sent))
            {
                ReportLater(id, ref connection);
                return false;
            }

            buffers.Return(_sends.RemoveFirst(ref connection.Sends));
        }

        Arm(id, ref connection, connection.Armed & ~Native.EpollOut);
        return true;
    }

    // A send may find a connection broken at any time; only Wait may say so.
    private void ReportLater(ConnectionId id, ref Connection connection)
    {
        if (connection.Error != 0)
        {
            DropSends(ref connection);
            _failed.Enqueue(id);
        }
    }

    // ---- the end ----

    private int ReportClosed(ConnectionId id, int error, Span<Completion> into)
    {
        Release(id.Slot);
        into[0] = new Completion(CompletionKind.Closed, id, BufferId.None, 0, error);
        return 1;
    }

    // Every connection ends here: its buffers go back, its slot may have another tenant.
    private void Release(int slot)
    {
        ref var connection = ref _connections[slot];
        DropSends(ref connection);
        DropPartial(ref connection);
        Native.Close(connection.File); // epoll forgets it by this
        _connections.Remove(slot);
        counters.Closed++;
    }

    private void DropSends(ref Connection connection)
    {
        while (!connection.Sends.IsEmpty)
        {
            buffers.Return(_sends.RemoveFirst(ref connection.Sends));
        }
    }

    private void DropPartial(ref Connection connection)
    {
        if (!connection.Partial.IsNone)
        {
            buffers.Return(connection.Partial);
            connection.Partial = BufferId.None;
        }
    }

    // ---- closed by the loop, last bytes under way ----

    private void Linger(int slot)
    {
        ref var connection = ref _connections[slot];
        DropPartial(ref connection);
        connection.Generation++; // the loop's id is dead; epoll is told the new one
        connection.IsLingering = true;
        connection.LingerUntil = clock.MonotonicNanoseconds + LingerSendingNanoseconds;
        var id = new ConnectionId(slot, connection.Generation);
        _lingering.Add(id);
        if (connection.Sends.IsEmpty)
        {
            EndSending(id, ref connection);
        }
        else
        {
            connection.Armed = 0;
            Arm(id, ref connection, Native.EpollOut);
        }
    }

    private void HandleLingering(ConnectionId id, ref Connection connection, uint events)
    {
        if ((events & (Native.EpollError | Native.EpollHangUp)) != 0)
        {
            Release(id.Slot);
        }
        else if (!connection.Sends.IsEmpty)
        {
            if (Flush(id, ref connection))
            {
                EndSending(id, ref connection);
            }
        }
        else
        {
            Discard(id, ref connection);
        }
    }

    // Says that we are through, and waits for the peer to say the same.
    private void EndSending(ConnectionId id, ref Connection connection)
    {
        Native.Shutdown(connection.File, Native.ShutdownWrite);
        connection.LingerUntil = clock.MonotonicNanoseconds + LingerReadNanoseconds;
        connection.Armed = 0;
        Arm(id, ref connection, Native.EpollIn);
    }

    private void Discard(ConnectionId id, ref Connection connection)
    {
        var buffer = buffers.Rent();
        nint received;
        fixed (byte* room = buffers.Span(buffer))
        {
            received = Native.Receive(connection.File, room, BufferPool.StandardLength, 0);
        }

        var error = received < 0 ? Native.Errno : 0;
        var mayGoOn = received > 0 || error is Native.EAGAIN or Native.EINTR;
        buffers.Return(buffer);
        if (!mayGoOn)
        {
            Release(id.Slot);
        }
    }

    private void Arm(ConnectionId id, ref Connection connection, uint events)
    {
        if (connection.Armed != events)
        {
            connection.Armed = events;
            var isWatched = epoll.Modify(connection.File, events, id);
            Invariant.Holds(isWatched || connection.Error != 0);
        }
    }
}

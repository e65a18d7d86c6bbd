using Aerie.Foundation;
using Aerie.Io;
using Aerie.Memory;

namespace Aerie.TestKit;

/// The event loop's engine without an outside world: connections are SimulatedPeers, and Wait never blocks but returns what
/// is ready, oldest first. Runs of one thread are repeatable to the byte.
public sealed class SimulatedEngine : IIoEngine
{
    private const int ErrorReset = 104; // ECONNRESET

    private readonly ConnectionTable _connections = new();
    private readonly SendQueues _sends = new();
    private readonly Queue<ConnectionId> _ready = new();
    private readonly HashSet<ConnectionId> _noticed = [];
    private readonly Queue<(SimulatedPeer Peer, int Tag)> _arrivals = new();
    private readonly Queue<SimulatedRead> _reads = new();
    private bool _readsFilledAll;
    private int _acceptError;
    private bool _acceptErrorIsTold;

    public SimulatedEngine(SimulatedNetwork network) => Network = network;

    public SimulatedNetwork Network { get; }

    public BufferPool Buffers { get; } = new();

    public IoCounters Counters { get; } = new();

    /// While not 0, connections are not accepted and the engine says so once, as one without descriptors does.
    public int AcceptError
    {
        get => _acceptError;
        set
        {
            _acceptError = value;
            _acceptErrorIsTold = false;
        }
    }

    /// Reads that were asked for and are not reported.
    public int PendingReads => _reads.Count;

    public int Wait(Span<Completion> into, int timeoutMilliseconds)
    {
        Invariant.Holds(into.Length > 0);
        lock (Network.Gate)
        {
            Counters.Waits++;
            var filled = 0;
            var looks = _ready.Count; // what arrives on a connection accepted now is for the next wait, as with epoll
            while (filled < into.Length && TryAccept(out into[filled]))
            {
                filled++;
            }

            var socketsFirst = _readsFilledAll;
            filled += socketsFirst ? 0 : CompleteReads(into[filled..]);
            _readsFilledAll = !socketsFirst && filled == into.Length;
            for (; looks > 0 && filled < into.Length; looks--)
            {
                var next = _ready.Dequeue();
                _noticed.Remove(next);
                filled += Handle(next, ref into[filled]);
            }

            return filled + (socketsFirst ? CompleteReads(into[filled..]) : 0);
        }
    }

    public int Listen(ListenAddress address, int tag)
    {
        lock (Network.Gate)
        {
            return Network.Listen(address, this, tag);
        }
    }

    public void StopListening(int tag)
    {
        lock (Network.Gate)
        {
            Network.StopListening(this, tag);
        }
    }

    public IoHandOver Detach(ConnectionId connection)
    {
        lock (Network.Gate)
        {
            Invariant.Holds(_connections.IsAlive(connection));
            ref var detached = ref _connections[connection.Slot];
            Invariant.Holds(detached.Partial.IsNone && detached.Sends.IsEmpty);
            var peer = PeerOf(detached);
            peer.Engine = null;
            _connections.Remove(connection.Slot);
            return new IoHandOver(peer.Number);
        }
    }

    public ConnectionId Attach(IoHandOver handOver)
    {
        lock (Network.Gate)
        {
            return Add(Network.Peer((int)handOver.Value));
        }
    }

    public void ReceiveMoreInto(ConnectionId connection, BufferId buffer, int filled)
    {
        lock (Network.Gate)
        {
            if (!_connections.IsAlive(connection))
            {
                Buffers.Return(buffer);
                return;
            }

            ref var receiver = ref _connections[connection.Slot];
            Invariant.Holds(receiver.Partial.IsNone);
            Invariant.Holds(filled >= 0 && filled < Buffers.Length(buffer));
            receiver.Partial = buffer;
            receiver.Filled = filled;
        }
    }

    public void PauseReceiving(ConnectionId connection) => SetPaused(connection, true);

    public void ResumeReceiving(ConnectionId connection) => SetPaused(connection, false);

    public bool Send(ConnectionId connection, BufferId buffer, int length)
    {
        lock (Network.Gate)
        {
            Invariant.Holds(length > 0 && length <= Buffers.Length(buffer));
            if (!_connections.IsAlive(connection) || PeerOf(_connections[connection.Slot]).HasVanished)
            {
                Buffers.Return(buffer);
                return true;
            }

            ref var sender = ref _connections[connection.Slot];
            _sends.Append(ref sender.Sends, buffer, 0, length);
            return Flush(ref sender);
        }
    }

    /// Completes in the next Wait, unless its device holds reads back. Sees what the device holds then.
    public void Read(IBlockDevice device, long offset, BufferId buffer, int length, int token)
    {
        lock (Network.Gate)
        {
            Invariant.Holds(length > 0 && length <= Buffers.Length(buffer) && offset >= 0);
            Invariant.Holds((offset | (uint)length) % device.Alignment == 0);
            Invariant.Holds(device.Alignment == 1 || Page.StartsAt(Buffers.Span(buffer)));
            Counters.Reads++;
            _reads.Enqueue(new SimulatedRead((SimulatedDevice)device, offset, buffer, length, token));
        }
    }

    public long PendingSendBytes(ConnectionId connection)
    {
        lock (Network.Gate)
        {
            return _connections.IsAlive(connection) ? _connections[connection.Slot].Sends.Bytes : 0;
        }
    }

    public void Close(ConnectionId connection, CloseMode mode)
    {
        lock (Network.Gate)
        {
            if (!_connections.IsAlive(connection))
            {
                return;
            }

            ref var closed = ref _connections[connection.Slot];
            if (mode == CloseMode.Now || closed.Sends.IsEmpty)
            {
                Release(connection.Slot);
                return;
            }

            closed.Generation++;
            closed.IsLingering = true;
            PeerOf(closed).Connection = new ConnectionId(connection.Slot, closed.Generation);
            Notice(PeerOf(closed));
        }
    }

    public string PeerOf(ConnectionId connection)
    {
        lock (Network.Gate)
        {
            return _connections.IsAlive(connection) ? $"simulated:{_connections[connection.Slot].File}" : "unknown";
        }
    }

    /// Nothing to do: Wait does not sleep.
    public void Wake()
    {
    }

    public void Dispose()
    {
        lock (Network.Gate)
        {
            Network.StopListening(this, tag: null);
            while (_reads.TryDequeue(out var read))
            {
                Buffers.Return(read.Buffer);
            }

            for (var slot = 0; slot < _connections.Used; slot++)
            {
                if (_connections[slot].File >= 0)
                {
                    Release(slot);
                }
            }
        }

        Buffers.Dispose();
    }

    internal void Arrive(SimulatedPeer peer, int tag) => _arrivals.Enqueue((peer, tag));

    /// Something about the peer has changed. As with epoll, what is queued here may be late when it is looked at.
    /// As with epoll, a connection is reported once per wait, whatever happened to it: the loop answers a receive before it
    /// meets the next.
    internal void Notice(SimulatedPeer peer)
    {
        if (_noticed.Add(peer.Connection))
        {
            _ready.Enqueue(peer.Connection);
        }
    }

    private bool TryAccept(out Completion completion)
    {
        completion = default;
        if (_arrivals.Count == 0 || (_acceptError != 0 && _acceptErrorIsTold))
        {
            return false;
        }

        if (_acceptError != 0)
        {
            _acceptErrorIsTold = true;
            Counters.AcceptFailures++;
            completion = new Completion(CompletionKind.AcceptFailed, ConnectionId.None, BufferId.None, 0, _acceptError);
            return true;
        }

        var (peer, tag) = _arrivals.Dequeue();
        Counters.Accepted++;
        completion = new Completion(CompletionKind.Accepted, Add(peer), BufferId.None, 0, tag);
        return true;
    }

    private int CompleteReads(Span<Completion> into)
    {
        var filled = 0;
        for (var looks = _reads.Count; looks > 0 && filled < into.Length; looks--)
        {
            var read = _reads.Dequeue();
            if (read.Device.HoldsReads)
            {
                _reads.Enqueue(read);
                continue;
            }

            var error = read.Device.TryRead(read.Offset, Buffers.Span(read.Buffer)[..read.Length]);
            var result = error == 0 ? read.Length : -error;
            Counters.BytesRead += Math.Max(result, 0);
            into[filled++] = new Completion(CompletionKind.ReadDone, ConnectionId.None, read.Buffer, result, read.Token);
        }

        return filled;
    }

    private ConnectionId Add(SimulatedPeer peer)
    {
        var id = _connections.Add(peer.Number);
        peer.Engine = this;
        peer.Connection = id;
        Notice(peer);
        return id;
    }

    private int Handle(ConnectionId id, ref Completion completion)
    {
        if (!_connections.IsAlive(id))
        {
            return 0;
        }

        ref var connection = ref _connections[id.Slot];
        var peer = PeerOf(connection);
        if (connection.IsLingering)
        {
            if (peer.HasVanished || peer.HasEnded || Flush(ref connection))
            {
                Release(id.Slot);
            }

            return 0;
        }

        if (peer.HasVanished)
        {
            return ReportClosed(id, ErrorReset, ref completion);
        }

        if (!connection.Sends.IsEmpty && Flush(ref connection))
        {
            Notice(peer); // it may have something to receive as well
            completion = new Completion(CompletionKind.Drained, id, BufferId.None, 0, 0);
            return 1;
        }

        if (!connection.IsPaused && peer.UnreadByServer > 0)
        {
            return Receive(id, ref connection, peer, ref completion);
        }

        return peer.HasEnded ? ReportClosed(id, 0, ref completion) : 0;
    }

    private int Receive(ConnectionId id, ref Connection connection, SimulatedPeer peer, ref Completion completion)
    {
        var isPartial = !connection.Partial.IsNone;
        var buffer = isPartial ? connection.Partial : Buffers.Rent();
        var before = isPartial ? connection.Filled : 0;
        var received = peer.TakeSent(Buffers.Span(buffer)[before..]);
        connection.Partial = BufferId.None;
        connection.Filled = 0;
        Counters.Receives++;
        Counters.BytesReceived += received;
        Notice(peer);
        completion = new Completion(CompletionKind.Received, id, buffer, before + received, 0);
        return 1;
    }

    // True: nothing waits any more.
    private bool Flush(ref Connection connection)
    {
        var peer = PeerOf(connection);
        while (!connection.Sends.IsEmpty)
        {
            var first = _sends.First(connection.Sends);
            var sent = peer.Deliver(Buffers.Span(first.Buffer).Slice(first.Offset, first.Length));
            Counters.Sends++;
            Counters.BytesSent += sent;
            if (!_sends.Advance(ref connection.Sends, sent))
            {
                return false;
            }

            Buffers.Return(_sends.RemoveFirst(ref connection.Sends));
        }

        return true;
    }

    private int ReportClosed(ConnectionId id, int error, ref Completion completion)
    {
        Release(id.Slot);
        completion = new Completion(CompletionKind.Closed, id, BufferId.None, 0, error);
        return 1;
    }

    private void Release(int slot)
    {
        ref var connection = ref _connections[slot];
        while (!connection.Sends.IsEmpty)
        {
            Buffers.Return(_sends.RemoveFirst(ref connection.Sends));
        }

        if (!connection.Partial.IsNone)
        {
            Buffers.Return(connection.Partial);
        }

        var peer = PeerOf(connection);
        peer.IsClosedByServer = true;
        peer.Engine = null;
        Network.Forget(peer);
        _connections.Remove(slot);
        Counters.Closed++;
    }

    private void SetPaused(ConnectionId connection, bool isPaused)
    {
        lock (Network.Gate)
        {
            if (_connections.IsAlive(connection))
            {
                _connections[connection.Slot].IsPaused = isPaused;
                Notice(PeerOf(_connections[connection.Slot]));
            }
        }
    }

    private SimulatedPeer PeerOf(in Connection connection) => Network.Peer(connection.File);

    private readonly record struct SimulatedRead(SimulatedDevice Device, long Offset, BufferId Buffer, int Length, int Token);
}

using System.Collections.Concurrent;
using Aerie.Foundation;
using Aerie.Io;
using Aerie.Memory;
using Aerie.Protocol;
using Aerie.Server.Batch;
using Aerie.Server.Config;
using Aerie.Server.Metrics;
using Aerie.Server.Query;
using Aerie.Server.Records;
using Aerie.Server.Records.Fetching;
using Aerie.Server.Transactions;
using Aerie.Server.Transactions.Commits;
using Aerie.Server.Transactions.Parking;
using Aerie.Server.Transactions.Udfs;

namespace Aerie.Server.Service;

/// One event loop: owns its connections, their buffers and its worker, and runs what they ask from first byte to reply
/// without leaving its thread. A turn: wait → receive → run all complete messages → send their replies with one call →
/// step long replies. Other threads reach it through Post only.
public sealed class ServiceLoop : IDisposable
{
    /// Receives per wait. Few, so that the buffers in use stay in the processor's cache.
    private const int CompletionsPerWait = 32;

    /// What the replies of one connection may take in one turn before the next message is begun. A received buffer can ask
    /// for a thousand records; they are answered at the pace at which the client reads, between the requests of others.
    private const int ReplyBytesPerTurn = 256 * 1024;

    /// Nothing reports that a connection came to rest, so a draining loop looks this often.
    private const int DrainLookMilliseconds = 10;

    /// How often housekeeping of connections (idle ones, refused accepts) is looked at.
    private const int TickMilliseconds = 1000;

    private readonly IIoEngine _engine;
    private readonly ServiceShared _shared;
    private readonly MessageDispatcher _dispatcher;
    private readonly ReplyBuffer _reply;
    private readonly List<ClientConnection> _connections = [];
    private readonly Queue<ClientConnection> _queued = new();
    private readonly ConcurrentQueue<Action<ServiceLoop>> _mailbox = new();
    private readonly Sleepers _sleepers = new();
    private readonly UnsentReplies _unsent;
    private int _load;
    private long _nextTick;
    private bool _draining;

    public ServiceLoop(int number, IIoEngine engine, ServiceShared shared)
    {
        Number = number;
        _engine = engine;
        _shared = shared;
        _reply = new ReplyBuffer(engine.Buffers);
        _unsent = new UnsentReplies(engine, CompletionsPerWait);
        Worker = new Worker(number, shared.Clock, shared.LastUpdateClock, shared.Events.Unreadable);
        Worker.BeginTurn();
        Reads = new ImageReads(engine, Worker, shared.Events.Unreadable);
        Commits = new LoopCommits(engine.Buffers, WakeLongReply);
        Udfs = new UdfLoop(shared.Udfs);
        Parked = new ParkedCommands(Worker, engine.Buffers, Reads, Commits, Udfs, reply => Step(ConnectionOf(reply.Connection), reply));
        Batches = new BatchLoop(
            new BatchLoopContext(Worker, engine.Buffers, Reads, engine.Wake, WakeLongReply, Commits, Parked, Udfs), shared.Batches);
        Background = new BackgroundQueries(
            new QueryLoopContext(Worker, engine.Buffers, Reads, WakeLongReply, Parked, Udfs), shared.Queries);
        _dispatcher = new MessageDispatcher(Worker, _reply, engine.Buffers, shared, Batches, Parked, Commits, Background, Udfs);
    }

    public int Number { get; }

    public Worker Worker { get; }

    public BufferPool Buffers => _engine.Buffers;

    internal BatchLoop Batches { get; }

    internal UdfLoop Udfs { get; }

    public ParkedCommands Parked { get; }

    public ImageReads Reads { get; }

    /// Replies that wait for a flush.
    internal LoopCommits Commits { get; }

    internal BackgroundQueries Background { get; }

    public IoCounters IoCounters => _engine.Counters;

    public int OpenConnections { get; private set; }

    /// Connections that are open here or on their way here. Any thread.
    public int Load => Volatile.Read(ref _load);

    /// True when nothing is under way any more: the end of a drain.
    public bool IsQuiet => Load == 0 && Batches.UnderWay == 0 && Background.Active == 0;

    /// Runs on the loop's thread in its next turn. Any thread.
    public void Post(Action<ServiceLoop> action)
    {
        _mailbox.Enqueue(action);
        _engine.Wake();
    }

    public int Listen(ListenAddress address, PortKind port) => _engine.Listen(address, (int)port);

    /// One turn. Waits at most so long for something to do.
    public void Turn(int waitMillisecondsMax)
    {
        Span<Completion> completions = stackalloc Completion[CompletionsPerWait];
        var count = _engine.Wait(completions, WaitMilliseconds(waitMillisecondsMax));
        Worker.BeginTurn();
        _dispatcher.BeginTurn();
        LookAhead(completions[..count]);
        foreach (ref readonly var completion in completions[..count])
        {
            Handle(completion);
        }

        _unsent.Send(_dispatcher.Now);
        Reads.TellArrived();
        if (_draining && count < CompletionsPerWait)
        {
            CloseWhatRests();
        }

        while (_mailbox.TryDequeue(out var action))
        {
            action(this);
        }

        Batches.HandleArrived();
        WakeSleepers();
        RunQueued();
        Background.Step();
        Worker.TellWoken(); // whatever ran: nobody's turn is forgotten
        if (_dispatcher.Now >= _nextTick)
        {
            _nextTick = _dispatcher.Now + (TickMilliseconds * 1_000_000L);
            ReapIdle();
            CloseStalled();
        }
    }

    /// Takes no new connections, answers what has arrived, and closes each connection as soon as it is at rest. Background
    /// queries have nobody who waits for them, and end here.
    public void BeginDrain()
    {
        _draining = true;
        foreach (var port in Enum.GetValues<PortKind>())
        {
            _engine.StopListening((int)port);
        }

        foreach (var query in Background.Drain())
        {
            _shared.Events.BackgroundQueryEnded(query);
        }
    }

    public void Dispose()
    {
        foreach (var connection in _connections)
        {
            if (connection.IsOpen)
            {
                Close(connection, CloseMode.Now);
            }
        }

        _reply.Drop();
        Udfs.Dispose();
        Reads.Dispose();
        _engine.Dispose();
    }

    // A long reply or a background query may want to go on at a given time.
    private int WaitMilliseconds(int max)
    {
        if (_queued.Count > 0)
        {
            return 0;
        }

        max = Math.Min(max, _draining ? DrainLookMilliseconds : TickMilliseconds);
        var wakeAt = Math.Min(Background.WakeAt, _sleepers.WakeAt);
        return wakeAt == long.MaxValue
            ? max
            : (int)Math.Clamp((wakeAt - Worker.Clock.MonotonicNanoseconds + 999_999) / 1_000_000, 0, max);
    }

    private void WakeSleepers()
    {
        while (_sleepers.TryWake(_dispatcher.Now, out var connection))
        {
            if (connection.IsOpen && connection.LongReply is not null)
            {
                Queue(connection); // perhaps another reply than the one that slept: it bears to be woken early
            }
        }
    }

    // Under load several requests have arrived at once: what the later ones need is loaded while the first is worked on.
    private void LookAhead(ReadOnlySpan<Completion> completions)
    {
        if (completions.Length < 2)
        {
            return;
        }

        foreach (ref readonly var completion in completions)
        {
            if (completion.Kind == CompletionKind.Received)
            {
                _dispatcher.Foresee(Buffers.Span(completion.Buffer)[..completion.Length]);
            }
        }

        _dispatcher.LoadForeseen();
    }

    private void Handle(in Completion completion)
    {
        switch (completion.Kind)
        {
            case CompletionKind.Received when IsCurrent(completion.Connection):
                Received(ConnectionOf(completion.Connection), completion.Buffer, completion.Length);
                break;
            case CompletionKind.Received:
                Buffers.Return(completion.Buffer); // closed earlier in this turn
                break;
            case CompletionKind.Drained when IsCurrent(completion.Connection):
                Drained(ConnectionOf(completion.Connection));
                break;
            case CompletionKind.Accepted:
                Accepted(completion.Connection, (PortKind)completion.Tag);
                break;
            case CompletionKind.Closed when IsCurrent(completion.Connection):
                Gone(ConnectionOf(completion.Connection));
                break;
            case CompletionKind.ReadDone:
                Reads.Completed(completion);
                break;
            case CompletionKind.AcceptFailed:
                _shared.Events.AcceptFailed(completion.Tag);
                break;
        }
    }

    // Loop 0 accepts for all and hands each connection to the loop that has the fewest.
    private void Accepted(ConnectionId id, PortKind port)
    {
        if (!_shared.TryAdmit(port))
        {
            _engine.Close(id, CloseMode.Now);
            return;
        }

        var target = _shared.LeastLoaded();
        Interlocked.Increment(ref target._load);
        if (target == this)
        {
            Adopt(id, port);
            return;
        }

        var handOver = _engine.Detach(id);
        target.Post(loop => loop.Adopt(loop._engine.Attach(handOver), port));
    }

    private void Adopt(ConnectionId id, PortKind port)
    {
        while (_connections.Count <= id.Slot)
        {
            _connections.Add(new ClientConnection());
        }

        _connections[id.Slot].Open(id, port, _dispatcher.Now);
        OpenConnections++;
        _shared.Counters.Add(Number, port == PortKind.Admin ? NodeCounter.AdminConnectionsOpened : NodeCounter.ClientConnectionsOpened);
    }

    private void Received(ClientConnection connection, BufferId buffer, int length)
    {
        connection.LastActive = _dispatcher.Now;
        RunMessages(connection, buffer, 0, length);
    }

    // Runs the complete messages between the offsets, sends their replies, and keeps what is left for later.
    private void RunMessages(ClientConnection connection, BufferId buffer, int offset, int end)
    {
        var bytes = Buffers.Span(buffer)[..end];
        var step = default(DispatchStep);
        var foreseen = offset;
        while (connection.LongReply is null && _reply.Length < ReplyBytesPerTurn)
        {
            step = _dispatcher.RunNext(connection.Port, bytes[offset..]);
            if (step.Outcome != DispatchOutcome.Done)
            {
                break;
            }

            offset += (int)step.Length;
            connection.LongReply = step.LongReply;
            step.LongReply?.Begin(connection.Id, _engine);
            if (offset >= foreseen && offset < end)
            {
                foreseen = offset + _dispatcher.ForeseeAll(bytes[offset..]);
            }
        }

        if (step.Outcome == DispatchOutcome.Malformed)
        {
            Buffers.Return(buffer);
            CloseMalformed(connection);
            return;
        }

        KeepRest(connection, buffer, offset, end, step);
        SendReplies(connection);
        if (connection.LongReply is not null || connection.HasHeld)
        {
            Queue(connection);
        }
    }

    private void CloseMalformed(ClientConnection connection)
    {
        SendReplies(connection);
        _unsent.Send(_dispatcher.Now);
        _shared.Events.Malformed(_engine.PeerOf(connection.Id));
        _shared.Counters.Add(Number, NodeCounter.DemarshalError);
        Close(connection, CloseMode.AfterSending);
    }

    private void KeepRest(ClientConnection connection, BufferId buffer, int offset, int end, DispatchStep last)
    {
        if (offset == end)
        {
            Buffers.Return(buffer);
        }
        else if (last.Outcome == DispatchOutcome.Incomplete)
        {
            _engine.ReceiveMoreInto(connection.Id, RoomFor(buffer, offset, end, last.Length), end - offset);
            return;
        }
        else
        {
            connection.Hold(buffer, offset, end);
        }

        if (connection.LongReply is not null || connection.HasHeld)
        {
            _engine.PauseReceiving(connection.Id);
        }
    }

    // Moves the start of an incomplete message to the front of a buffer that has room for more of it. What is lent grows
    // with what has arrived, never with what a header announces: little waits in a small buffer, because thousands of
    // clients may send half a message each. A buffer that was filled to its end is no sign of that: more is on its way.
    private BufferId RoomFor(BufferId buffer, int offset, int end, long wanted)
    {
        var filled = end - offset;
        var bytes = Buffers.Span(buffer);
        var isFull = end == bytes.Length;
        var room = filled < BufferPool.SmallLength && !isFull
            ? BufferPool.SmallLength
            : (int)Math.Max(BufferPool.StandardLength, Math.Min(wanted, 2L * filled));
        if (bytes.Length == room || (bytes.Length > room && room > BufferPool.SmallLength))
        {
            bytes[offset..end].CopyTo(bytes);
            return buffer;
        }

        var other = Buffers.Rent(room);
        bytes[offset..end].CopyTo(Buffers.Span(other));
        Buffers.Return(buffer);
        return other;
    }

    private void SendReplies(ClientConnection connection)
    {
        if (_reply.Length == 0)
        {
            _reply.Drop(); // a command that waits has wound it back
            return;
        }

        var replies = _reply.Take(out var length);
        _unsent.Add(connection, replies, length, _dispatcher.Now);
    }

    private void Drained(ClientConnection connection)
    {
        connection.IsCongested = false;
        GoOn(connection);
    }

    // Nothing stands in the way any more: step the long reply, or take up what was received behind it.
    private void GoOn(ClientConnection connection)
    {
        if (connection.LongReply is not null || connection.HasHeld)
        {
            Queue(connection);
        }
        else
        {
            _engine.ResumeReceiving(connection.Id);
        }
    }

    private void RunHeld(ClientConnection connection)
    {
        var (offset, end) = (connection.HeldOffset, connection.HeldEnd);
        _engine.ResumeReceiving(connection.Id);
        RunMessages(connection, connection.TakeHeld(), offset, end);
        _unsent.Send(_dispatcher.Now);
    }

    private void Queue(ClientConnection connection)
    {
        if (!connection.IsQueued && MayGoOn(connection))
        {
            connection.IsQueued = true;
            _queued.Enqueue(connection);
        }
    }

    // A peer that does not read is asked for nothing more, but what others wait for is brought to its end.
    private static bool MayGoOn(ClientConnection connection) =>
        !connection.IsCongested || connection.LongReply is { HoldsRecord: true };

    /// A long reply that waited for others can go on. Called on this loop's thread.
    public void WakeLongReply(ConnectionId id, LongReply reply)
    {
        var connection = ConnectionOf(id);
        if (connection.IsOpen && connection.Id == id && ReferenceEquals(connection.LongReply, reply))
        {
            Queue(connection);
        }
    }

    /// The turn of somebody who waits for a record has come. A parked command runs at once, even if its peer does not read:
    /// others wait for the record. Called on this loop's thread.
    internal void Resume(in WokenWaiter woken) => Parked.Resume(woken);

    // Each long reply gets one step per turn, and each connection with messages left one share of replies: nobody's single
    // request waits for more than that of each.
    private void RunQueued()
    {
        for (var left = _queued.Count; left > 0; left--)
        {
            var connection = _queued.Dequeue();
            connection.IsQueued = false;
            if (!connection.IsOpen || !MayGoOn(connection))
            {
                continue;
            }

            if (connection.LongReply is { } reply)
            {
                Step(connection, reply);
            }
            else if (connection.HasHeld)
            {
                RunHeld(connection);
            }
        }
    }

    private void Step(ClientConnection connection, LongReply reply)
    {
        var progress = reply.Step(Worker, _reply);
        SendReplies(connection);
        _unsent.Send(_dispatcher.Now);
        if (progress == LongReplyProgress.Done)
        {
            connection.LongReply = null;
            connection.LastActive = _dispatcher.Now;
            reply.End(completed: true);
            if (!connection.IsCongested)
            {
                GoOn(connection);
            }
        }
        else if (progress == LongReplyProgress.More)
        {
            Queue(connection);
        }
        else if (reply.WakeAt != 0)
        {
            _sleepers.Add(connection, reply.WakeAt);
        }
    }

    private void Gone(ClientConnection connection)
    {
        if (!connection.IsOpen)
        {
            return;
        }

        var reply = connection.LongReply;
        connection.LongReply = null;
        if (connection.HasHeld)
        {
            Buffers.Return(connection.TakeHeld());
        }

        connection.Closed();
        OpenConnections--;
        Interlocked.Decrement(ref _load);
        _shared.Released(connection.Port);
        _shared.Counters.Add(
            Number, connection.Port == PortKind.Admin ? NodeCounter.AdminConnectionsClosed : NodeCounter.ClientConnectionsClosed);
        reply?.End(completed: false);
    }

    private void Close(ClientConnection connection, CloseMode mode)
    {
        _engine.Close(connection.Id, mode);
        Gone(connection);
    }

    // After a wait that brought all there was: what had arrived is answered or under way.
    private void CloseWhatRests()
    {
        foreach (var connection in _connections)
        {
            if (connection.IsOpen && connection.LongReply is null && !connection.HasHeld && !connection.IsCongested)
            {
                Close(connection, CloseMode.AfterSending);
            }
        }
    }

    private void ReapIdle()
    {
        var idle = _shared.Options.ProtoFdIdleMs * 1_000_000L;
        if (idle == 0)
        {
            return;
        }

        foreach (var connection in _connections)
        {
            if (connection.IsOpen && connection.LongReply is null && _dispatcher.Now - connection.LastActive > idle)
            {
                _shared.Counters.Add(Number, NodeCounter.ReapedFds);
                Close(connection, CloseMode.AfterSending);
            }
        }
    }

    // A peer that asked much and takes none of it holds buffers and a query for nothing.
    private void CloseStalled()
    {
        foreach (var connection in _connections)
        {
            if (!connection.IsOpen || !connection.IsCongested || connection.LongReply is not { StallLimit: > 0 } reply)
            {
                continue;
            }

            var pending = _engine.PendingSendBytes(connection.Id);
            if (pending != connection.StalledBytes)
            {
                connection.StalledBytes = pending;
                connection.StalledSince = _dispatcher.Now;
            }
            else if (_dispatcher.Now - connection.StalledSince > reply.StallLimit)
            {
                reply.Stalled();
                Close(connection, CloseMode.Now);
            }
        }
    }

    private bool IsCurrent(ConnectionId id) =>
        id.Slot < _connections.Count && _connections[id.Slot].IsOpen && _connections[id.Slot].Id == id;

    private ClientConnection ConnectionOf(ConnectionId id) => _connections[id.Slot];
}

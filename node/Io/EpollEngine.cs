using Aerie.Foundation;
using Aerie.Memory;

namespace Aerie.Io;

/// The event loop's engine on Linux: level-triggered epoll, one receive per ready connection, sends at once. A request
/// costs a receive, a send and its share of an epoll_wait; epoll is told something only when a connection comes, when a
/// peer reads too slowly, and when a paused one goes on sending.
///
/// The events of one epoll_wait are worked off over as many calls of Wait as the caller's span makes necessary. The loop
/// closes and takes over connections in between, so an event is a hint about a slot and a generation, never the truth.
/// Reads that ended are taken once per epoll_wait too.
public sealed unsafe class EpollEngine : IIoEngine
{
    /// Events taken from the kernel at once: a full batch is served before later arrivals get their turn.
    private const int EventsMax = 512;

    /// Connections accepted per event, so that a storm of them does not starve those that are there.
    private const int AcceptsMax = 64;

    /// How long a listener rests when the process is out of descriptors, and how often closed connections are looked at.
    private const long SweepNanoseconds = 100_000_000;

    // Slots are never negative, so epoll's marks of the wake file and of listeners cannot be taken for one.
    private const int WakeMark = -1;
    private const int ListenerMark = -2;
    private const int ReadMark = -3;

    private readonly IClock _clock;
    private readonly AdaptiveRest _rest;
    private readonly Epoll _epoll = new(EventsMax);
    private readonly WakeSignal _wake = new();
    private readonly EpollConnections _connections;
    private readonly DeviceReads _reads;
    private readonly Listeners _listeners = new();
    private int _readyNext;
    private int _readyCount;
    private long _sweepAt;
    private bool _timerSlackIsSet;

    /// useAio: false where reads shall go by threads although the kernel could do better.
    public EpollEngine(IClock clock, RestOptions? rest = null, bool useAio = true)
    {
        _clock = clock;
        _rest = new AdaptiveRest(rest ?? new RestOptions());
        _connections = new EpollConnections(_epoll, clock, Buffers, Counters);
        _reads = new DeviceReads(_epoll, _wake, new ConnectionId(ReadMark, 0), Buffers, Counters, useAio);
        Invariant.Holds(_epoll.Add(_wake.File, Native.EpollIn, new ConnectionId(WakeMark, 0)));
    }

    public BufferPool Buffers { get; } = new();

    public IoCounters Counters { get; } = new();

    public int Wait(Span<Completion> into, int timeoutMilliseconds)
    {
        Invariant.Holds(into.Length > 0);
        var filled = _connections.ReportFailed(into);
        _reads.Submit();
        if (_readyNext == _readyCount && !_reads.AnyToReport)
        {
            AskKernel(filled > 0 ? 0 : timeoutMilliseconds);
            _reads.Collect();
        }

        filled += _reads.Report(into[filled..]);
        while (_readyNext < _readyCount && filled < into.Length)
        {
            filled += Handle(_readyNext, into[filled..], out var isDone);
            _readyNext += isDone ? 1 : 0;
        }

        return filled;
    }

    public int Listen(ListenAddress address, int tag)
    {
        var sockets = Sockets.Listen(address, out var port);
        foreach (var listener in sockets.ConvertAll(socket => _listeners.Add(socket, tag)))
        {
            Invariant.Holds(_epoll.Add(listener.File, Native.EpollIn, MarkOf(listener)));
        }

        return port;
    }

    public void StopListening(int tag)
    {
        foreach (var listener in _listeners.All)
        {
            if (listener.Tag == tag)
            {
                Native.Close(listener.File);
            }
        }

        _listeners.All.RemoveAll(listener => listener.Tag == tag);
    }

    public IoHandOver Detach(ConnectionId connection) => new(_connections.Detach(connection));

    public ConnectionId Attach(IoHandOver handOver) => _connections.Add((int)handOver.Value);

    /// Opens a connection and waits until it stands: for a load generator, never for a loop that serves others, and so no
    /// part of what every engine promises. Throws IoException with one clear line when that is not possible.
    public ConnectionId Connect(string host, int port) => _connections.Add(Sockets.Connect(host, port));

    public void ReceiveMoreInto(ConnectionId connection, BufferId buffer, int filled) =>
        _connections.ReceiveMoreInto(connection, buffer, filled);

    public void PauseReceiving(ConnectionId connection) => _connections.PauseReceiving(connection);

    public void ResumeReceiving(ConnectionId connection) => _connections.ResumeReceiving(connection);

    public bool Send(ConnectionId connection, BufferId buffer, int length) => _connections.Send(connection, buffer, length);

    public void Read(IBlockDevice device, long offset, BufferId buffer, int length, int token) =>
        _reads.Add(device, offset, buffer, length, token);

    public long PendingSendBytes(ConnectionId connection) => _connections.PendingSendBytes(connection);

    public void Close(ConnectionId connection, CloseMode mode)
    {
        _connections.Close(connection, mode);
        if (_connections.AnyLingering)
        {
            SweepLater();
        }
    }

    public string PeerOf(ConnectionId connection) => _connections.PeerOf(connection);

    public void Wake() => _wake.Raise();

    public void Dispose()
    {
        _reads.Dispose(); // before the signal that its threads raise
        _wake.Dispose();
        _connections.Dispose();
        foreach (var listener in _listeners.All)
        {
            Native.Close(listener.File);
        }

        _listeners.All.Clear();
        _epoll.Dispose();
        Buffers.Dispose();
    }

    private void AskKernel(int timeoutMilliseconds)
    {
        var timeout = Sweep(_reads.LongestSleep(timeoutMilliseconds));
        if (timeout != 0)
        {
            Rest();
            timeout = _wake.TryFallAsleep() ? timeout : 0;
        }

        var count = _epoll.Wait(timeout);
        var error = count < 0 ? Native.Errno : 0;
        _wake.WakeUp();
        Invariant.Holds(error is 0 or Native.EINTR);
        Counters.Waits++;
        _readyNext = 0;
        _readyCount = Math.Max(count, 0);
    }

    private int Handle(int index, Span<Completion> into, out bool isDone)
    {
        var mark = _epoll.Mark(index);
        if (mark.Slot >= 0)
        {
            return _connections.Handle(index, mark, into, out isDone);
        }

        isDone = true;
        if (mark.Slot == WakeMark)
        {
            _wake.Clear();
            return 0;
        }

        if (mark.Slot == ReadMark)
        {
            return 0; // collected after the wait
        }

        return _listeners.Find(mark.Generation) is { } listener ? Accept(listener, into) : 0;
    }

    // ---- accepting ----

    private int Accept(Listener listener, Span<Completion> into)
    {
        var filled = 0;
        for (var tries = 0; tries < AcceptsMax && filled < into.Length; tries++)
        {
            var file = Native.Accept(listener.File, null, null, Native.NonBlocking | Native.CloseOnExec);
            if (file >= 0)
            {
                Sockets.SendWithoutDelay(file);
                Counters.Accepted++;
                into[filled++] = new Completion(CompletionKind.Accepted, _connections.Add(file), BufferId.None, 0, listener.Tag);
                continue;
            }

            var error = Native.Errno;
            if (error == Native.EAGAIN)
            {
                break;
            }

            if (error is Native.EINTR or Native.ECONNABORTED or Native.EPROTO)
            {
                continue; // that peer has given up already
            }

            LetRest(listener);
            into[filled++] = new Completion(CompletionKind.AcceptFailed, ConnectionId.None, BufferId.None, 0, error);
            break;
        }

        return filled;
    }

    private void LetRest(Listener listener)
    {
        Counters.AcceptFailures++;
        listener.IsResting = true;
        _epoll.Modify(listener.File, 0, MarkOf(listener));
        SweepLater();
    }

    private void WakeListeners()
    {
        foreach (var listener in _listeners.All)
        {
            if (listener.IsResting)
            {
                listener.IsResting = false;
                _epoll.Modify(listener.File, Native.EpollIn, MarkOf(listener));
            }
        }
    }

    private static ConnectionId MarkOf(Listener listener) => new(ListenerMark, listener.Serial);

    // ---- time ----

    private void SweepLater()
    {
        if (_sweepAt == 0)
        {
            _sweepAt = _clock.MonotonicNanoseconds + SweepNanoseconds;
        }
    }

    // Does what is due and shortens the timeout to what is next. No clock is read while no listener rests and nothing lingers.
    private int Sweep(int timeoutMilliseconds)
    {
        if (_sweepAt == 0)
        {
            return timeoutMilliseconds;
        }

        var now = _clock.MonotonicNanoseconds;
        if (now >= _sweepAt)
        {
            WakeListeners();
            _connections.CutLingering(now);
            _sweepAt = _connections.AnyLingering ? now + SweepNanoseconds : 0;
        }

        if (_sweepAt == 0 || timeoutMilliseconds == 0)
        {
            return timeoutMilliseconds;
        }

        var untilSweep = (int)((_sweepAt - now) / 1_000_000) + 1;
        return timeoutMilliseconds < 0 ? untilSweep : Math.Min(timeoutMilliseconds, untilSweep);
    }

    private void Rest()
    {
        if (!_rest.IsOn || _reads.AnyInFlight)
        {
            return; // a read that ends wakes the loop, which must not sleep over it
        }

        var microseconds = _rest.MicrosecondsAfter(_readyCount, Counters.Receives, _clock.MonotonicNanoseconds);
        if (microseconds == 0)
        {
            return;
        }

        if (!_timerSlackIsSet)
        {
            _timerSlackIsSet = true;
            Native.ProcessControl(Native.TimerSlack, 1, 0, 0, 0); // of this thread: the default would double a short rest
        }

        var rest = new Native.TimeSpec { Nanoseconds = microseconds * 1000L };
        Native.NanoSleep(&rest, null);
        Counters.Rests++;
    }
}

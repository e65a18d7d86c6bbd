using Aerie.Io;
using Aerie.Memory;

namespace Aerie.Tools.Bench;

/// One thread of the generator: many connections on one engine. In the closed loop a connection sends again as soon as it
/// has its answer. In the open loop requests are due at fixed times, and each is measured from the time it was due, however
/// late a connection was free for it: a server that stalls cannot hide the requests that it kept from being sent.
internal sealed class LoadLoop : IDisposable
{
    /// A reply that needs more room than this is taken for garbage.
    private const int ReplyLengthMax = 256 * 1024 * 1024;

    private const int CompletionsPerWait = 64;
    private const long Millisecond = 1_000_000;
    private const long ReconnectEvery = 100 * Millisecond;

    /// How long answers to what was sent before the end are waited for.
    private const long DrainTime = 2_000 * Millisecond;

    private readonly LoadPlan _plan;
    private readonly EpollEngine _engine;
    private readonly RequestSource _requests;
    private readonly LoadConnection[] _connections;
    private readonly Dictionary<ConnectionId, LoadConnection> _byId = [];
    private readonly Stack<LoadConnection> _idle;
    private readonly Queue<LoadConnection> _broken = new();
    private readonly long _interval;
    private long _nextDue;
    private long _nextReconnect;

    public LoadLoop(LoadPlan plan, int thread, EpollEngine engine)
    {
        _plan = plan;
        _engine = engine;
        _requests = new RequestSource(plan, thread);
        _connections = new LoadConnection[plan.ConnectionsOf(thread)];
        var options = plan.Options;
        for (var i = 0; i < _connections.Length; i++)
        {
            var scan = options.Workload.IsScan
                ? new RequestBuilder(options).Scan(plan.FirstConnectionOf(thread) + i, options.Connections)
                : null;
            _connections[i] = new LoadConnection(options.Pipeline, scan);
        }

        Tally = new ReplyTally(options.Workload.Answer);
        _idle = new Stack<LoadConnection>(_connections.Length * options.Pipeline);
        _interval = options.Rate > 0 ? Math.Max(1, (long)(1e9 * options.Threads / options.Rate)) : 0;
    }

    public LatencyHistogram Latencies { get; } = new();

    public ReplyTally Tally { get; }

    /// Records answered well while measuring; for workloads of single records that is requests.
    public long Operations { get; private set; }

    /// Requests that went down with their connection.
    public long Lost { get; private set; }

    /// Requests without an answer when the run was over.
    public long Unanswered { get; private set; }

    /// Requests that were due and found no free connection until the end; keys that an insert could not send.
    public long Unsent { get; private set; }

    public string? FirstFailure { get; private set; }

    private bool IsOpenLoop => _interval > 0;

    public void Connect()
    {
        foreach (var connection in _connections)
        {
            Open(connection);
        }
    }

    public void Run()
    {
        _nextDue = _plan.Start;
        foreach (var connection in _connections)
        {
            if (IsOpenLoop)
            {
                SetIdle(connection, _plan.Options.Pipeline);
            }
            else
            {
                Send(connection, _plan.Options.Pipeline, _plan.Clock.MonotonicNanoseconds);
            }
        }

        Span<Completion> completions = new Completion[CompletionsPerWait];
        while (true)
        {
            var now = _plan.Clock.MonotonicNanoseconds;
            var mayStop = now >= _plan.End || _requests.IsExhausted || _byId.Count == 0;
            if (mayStop && (InFlight() == 0 || (now >= _plan.End && now - _plan.End >= DrainTime)))
            {
                break;
            }

            Dispatch(now);
            Reconnect(now);
            var count = _engine.Wait(completions, WaitMilliseconds());
            for (var i = 0; i < count; i++)
            {
                Handle(completions[i]);
            }
        }

        Unanswered = InFlight();
        Unsent = _requests.KeysLeft + DueUntilEnd();
    }

    public void Dispose() => _engine.Dispose();

    private void Handle(in Completion completion)
    {
        if (!_byId.TryGetValue(completion.Connection, out var connection))
        {
            return;
        }

        if (completion.Kind == CompletionKind.Received)
        {
            Receive(connection, completion.Buffer, completion.Length);
        }
        else if (completion.Kind == CompletionKind.Closed)
        {
            Lose(connection, completion.Tag == 0 ? "the server closed the connection" : $"connection failed, errno {completion.Tag}");
        }
    }

    private void Receive(LoadConnection connection, BufferId buffer, int length)
    {
        var now = _plan.Clock.MonotonicNanoseconds;
        int consumed;
        Tally.Reset();
        try
        {
            var bytes = _engine.Buffers.Span(buffer)[..length];
            consumed = _plan.Options.Workload.IsStream
                ? connection.Scanner.ScanStream(bytes, Tally)
                : ReplyScanner.ScanSingle(bytes, Tally);
            if (Tally.Requests > connection.InFlight)
            {
                throw new FormatException("a reply that nobody asked for");
            }
        }
        catch (FormatException garbage)
        {
            _engine.Buffers.Return(buffer);
            _engine.Close(connection.Id, CloseMode.Now);
            Lose(connection, garbage.Message);
            return;
        }

        Account(connection, now);
        if (!KeepRest(connection, buffer, consumed, length))
        {
            return;
        }

        if (IsOpenLoop)
        {
            SetIdle(connection, Tally.Requests);
        }
        else if (Tally.Requests > 0)
        {
            Send(connection, Tally.Requests, now);
        }
    }

    private void Account(LoadConnection connection, long now)
    {
        var isMeasured = now >= _plan.MeasureFrom && now < _plan.End;
        if (Tally.Failures > 0)
        {
            FirstFailure ??= Tally.FirstFailure();
        }

        Operations += isMeasured ? Tally.Records : 0;
        for (var i = 0; i < Tally.Requests; i++)
        {
            var start = connection.End();
            if (isMeasured)
            {
                Latencies.Record(now - start);
            }
        }
    }

    /// An incomplete reply waits at the front of its buffer, in a larger one if it fills this one.
    private bool KeepRest(LoadConnection connection, BufferId buffer, int consumed, int length)
    {
        var rest = length - consumed;
        if (rest == 0)
        {
            _engine.Buffers.Return(buffer);
            return true;
        }

        var bytes = _engine.Buffers.Span(buffer);
        if (rest < bytes.Length)
        {
            bytes[consumed..length].CopyTo(bytes);
            _engine.ReceiveMoreInto(connection.Id, buffer, rest);
            return true;
        }

        if (bytes.Length >= ReplyLengthMax)
        {
            _engine.Buffers.Return(buffer);
            _engine.Close(connection.Id, CloseMode.Now);
            Lose(connection, $"a record of more than {ReplyLengthMax} bytes");
            return false;
        }

        var larger = _engine.Buffers.Rent(bytes.Length * 4);
        _engine.Buffers.Span(buffer).CopyTo(_engine.Buffers.Span(larger));
        _engine.Buffers.Return(buffer);
        _engine.ReceiveMoreInto(connection.Id, larger, rest);
        return true;
    }

    private void Send(LoadConnection connection, int count, long start)
    {
        if (start >= _plan.End)
        {
            return;
        }

        var buffer = _engine.Buffers.Rent(_requests.LengthMax(connection) * count);
        var length = 0;
        for (var i = 0; i < count && !_requests.IsExhausted; i++)
        {
            length += _requests.Write(connection, _engine.Buffers.Span(buffer)[length..]);
            connection.Begin(start);
        }

        if (length > 0)
        {
            _engine.Send(connection.Id, buffer, length);
        }
        else
        {
            _engine.Buffers.Return(buffer);
        }
    }

    private void Dispatch(long now)
    {
        while (IsOpenLoop && _nextDue <= now && _nextDue < _plan.End && !_requests.IsExhausted && _idle.TryPop(out var connection))
        {
            Send(connection, 1, _nextDue);
            _nextDue += _interval;
        }
    }

    /// An open loop looks without waiting when the next request is due within a millisecond, the unit of waiting.
    private int WaitMilliseconds()
    {
        const int LongestWait = 50;
        if (!IsOpenLoop || _idle.Count == 0)
        {
            return LongestWait;
        }

        var untilDue = (_nextDue - _plan.Clock.MonotonicNanoseconds) / Millisecond;
        return (int)Math.Clamp(untilDue, 0, LongestWait);
    }

    private void SetIdle(LoadConnection connection, int count)
    {
        for (var i = 0; i < count; i++)
        {
            _idle.Push(connection);
        }
    }

    private void Open(LoadConnection connection)
    {
        var host = _plan.Options.Host;
        connection.Reset(_engine.Connect(host.Host, host.Port));
        _byId.Add(connection.Id, connection);
    }

    private void Lose(LoadConnection connection, string reason)
    {
        FirstFailure ??= reason;
        Lost += Math.Max(1, connection.InFlight);
        _byId.Remove(connection.Id);
        connection.Reset(ConnectionId.None);
        Forget(connection);
        _broken.Enqueue(connection);
    }

    /// Takes a broken connection out of the idle ones, where it stands once per free place of its pipeline.
    private void Forget(LoadConnection connection)
    {
        var others = _idle.Where(idle => idle != connection).Reverse().ToArray();
        _idle.Clear();
        foreach (var idle in others)
        {
            _idle.Push(idle);
        }
    }

    /// A broken connection comes back, at most one every 100 ms: a server that closes at once is not stormed.
    private void Reconnect(long now)
    {
        if (now < _nextReconnect || now >= _plan.End || !_broken.TryDequeue(out var connection))
        {
            return;
        }

        _nextReconnect = now + ReconnectEvery;
        try
        {
            Open(connection);
        }
        catch (IoException failure)
        {
            FirstFailure ??= failure.Message;
            _broken.Enqueue(connection);
            return;
        }

        if (IsOpenLoop)
        {
            SetIdle(connection, _plan.Options.Pipeline);
        }
        else
        {
            Send(connection, _plan.Options.Pipeline, now);
        }
    }

    private long DueUntilEnd() =>
        IsOpenLoop && _plan.End < long.MaxValue && !_requests.IsExhausted ? Math.Max(0, (_plan.End - _nextDue) / _interval) : 0;

    private int InFlight()
    {
        var sum = 0;
        foreach (var connection in _connections)
        {
            sum += connection.InFlight;
        }

        return sum;
    }
}

using System.Text;
using Aerie.Foundation;
using Aerie.Server.Config;

namespace Aerie.Server.Logging;

/// The node's log: decides by context and level which sinks get a line, and writes on a thread of its own, so that a slow
/// disk or terminal never holds an event loop up. The queue is bounded: lines that find it full are dropped and counted,
/// and the next line that gets through says how many. CRITICAL lines are never dropped: who writes one waits until it is
/// out, because the process may be about to end.
public sealed class NodeLog : IDisposable
{
    public const int QueuedLinesMax = 8192;

    private static readonly int DroppedContext = LogContexts.Of(LogContexts.Other);

    private readonly IClock _clock;
    private readonly ILogSink[] _sinks;
    private readonly byte[][] _levels;
    private readonly byte[] _mostVerbose = new byte[LogContexts.Names.Count];
    private readonly Lock _settingLevels = new();
    private readonly object _queueLock = new();
    private readonly Lock _writing = new();
    private readonly Queue<LogEntry> _queue = new();
    private readonly Thread? _thread;
    private LogLine _line = new(millis: false, localTime: false);
    private long _dropped;
    private long _droppedUnreported;
    private bool _ended;

    /// Throws IOException with one clear line when a file cannot be opened.
    public NodeLog(LoggingOptions options, IClock clock)
        : this([.. options.Sinks.Select(Open)], options.Sinks, clock, startThread: true)
    {
    }

    internal NodeLog(IReadOnlyList<ILogSink> sinks, IReadOnlyList<LogSinkOptions> options, IClock clock, bool startThread)
    {
        _clock = clock;
        _sinks = [.. sinks];
        _levels = [.. options.Select(sink => LogContexts.Names.Select(context => (byte)sink.LevelFor(context)).ToArray())];
        FindMostVerbose();
        if (startThread)
        {
            _thread = new Thread(WriteUntilEnd) { IsBackground = true, Name = "aerie-log" };
            _thread.Start();
        }
    }

    public IReadOnlyList<string> SinkNames => [.. _sinks.Select(sink => sink.Name)];

    /// Lines that were lost because the queue was full.
    public long DroppedLines => Interlocked.Read(ref _dropped);

    /// `log-millis`, `log-local-time`.
    public void UseFormat(bool millis, bool localTime) => Volatile.Write(ref _line, new LogLine(millis, localTime));

    public LogLevel LevelOf(int sink, int context) => (LogLevel)Volatile.Read(ref _levels[sink][context]);

    /// From now on. `any` sets all contexts. False when there is no such sink or context.
    public bool TrySetLevel(int sink, string context, LogLevel level)
    {
        if ((uint)sink >= (uint)_levels.Length)
        {
            return false;
        }

        lock (_settingLevels)
        {
            if (context == "any")
            {
                _levels[sink].AsSpan().Fill((byte)level);
            }
            else if (LogContexts.TryFind(context, out var number))
            {
                _levels[sink][number] = (byte)level;
            }
            else
            {
                return false;
            }

            FindMostVerbose();
            return true;
        }
    }

    public bool IsEnabled(int context, LogLevel level) => (byte)level <= Volatile.Read(ref _mostVerbose[context]);

    public void Write(int context, LogLevel level, string text)
    {
        if (!IsEnabled(context, level))
        {
            return;
        }

        var entry = new LogEntry(_clock.UnixMilliseconds, level, context, text);
        if (level == LogLevel.Critical)
        {
            WriteNow(entry);
        }
        else
        {
            Enqueue(entry);
        }
    }

    /// Waits until everything written so far is with the sinks.
    public void Flush()
    {
        lock (_writing)
        {
            WriteQueued();
            FlushSinks();
        }
    }

    /// After the files were moved away by a rotation: SIGHUP.
    public void Reopen()
    {
        lock (_writing)
        {
            WriteQueued();
            foreach (var sink in _sinks)
            {
                sink.Reopen();
            }
        }
    }

    public void Dispose()
    {
        lock (_queueLock)
        {
            _ended = true;
            Monitor.PulseAll(_queueLock);
        }

        _thread?.Join();
        Flush();
        foreach (var sink in _sinks)
        {
            sink.Dispose();
        }
    }

    private static ILogSink Open(LogSinkOptions options)
    {
        try
        {
            return options.Kind switch
            {
                LogSinkKind.Console => new StreamSink("stderr", Console.OpenStandardError()),
                LogSinkKind.File => new FileSink(options.Path),
                _ => new SyslogSink(options.Path, options.Facility, options.Tag),
            };
        }
        catch (UnauthorizedAccessException problem)
        {
            throw new IOException($"cannot open the log file {options.Path}: {problem.Message}", problem);
        }
    }

    private void Enqueue(in LogEntry entry)
    {
        lock (_queueLock)
        {
            if (_queue.Count >= QueuedLinesMax || _ended)
            {
                _dropped++;
                _droppedUnreported++;
                return;
            }

            _queue.Enqueue(entry);
            if (_queue.Count == 1)
            {
                Monitor.Pulse(_queueLock);
            }
        }
    }

    // Behind the lines before it, so that the log tells events in their order.
    private void WriteNow(in LogEntry entry)
    {
        lock (_writing)
        {
            WriteQueued();
            WriteToSinks(entry);
            FlushSinks();
        }
    }

    private void WriteUntilEnd()
    {
        while (true)
        {
            lock (_queueLock)
            {
                while (_queue.Count == 0 && !_ended)
                {
                    Monitor.Wait(_queueLock);
                }

                if (_queue.Count == 0)
                {
                    return;
                }
            }

            Flush();
        }
    }

    // Caller holds _writing; at most one queue's length, so that one who must write now is not kept for ever.
    private void WriteQueued()
    {
        for (var i = 0; i < QueuedLinesMax; i++)
        {
            LogEntry entry;
            long dropped;
            lock (_queueLock)
            {
                if (!_queue.TryDequeue(out entry))
                {
                    return;
                }

                dropped = _droppedUnreported;
                _droppedUnreported = 0;
            }

            if (dropped > 0)
            {
                WriteToSinks(new LogEntry(entry.UnixMilliseconds, LogLevel.Warning, DroppedContext,
                    $"{dropped} log lines were dropped: too many at once"));
            }

            WriteToSinks(entry);
        }
    }

    private void WriteToSinks(in LogEntry entry)
    {
        var line = Volatile.Read(ref _line).Format(entry);
        for (var i = 0; i < _sinks.Length; i++)
        {
            if ((byte)entry.Level <= Volatile.Read(ref _levels[i][entry.Context]))
            {
                _sinks[i].Write(entry.Level, line);
            }
        }
    }

    private void FlushSinks()
    {
        foreach (var sink in _sinks)
        {
            sink.Flush();
        }
    }

    private void FindMostVerbose()
    {
        for (var context = 0; context < _mostVerbose.Length; context++)
        {
            _mostVerbose[context] = _levels.Length == 0 ? (byte)LogLevel.Critical : _levels.Max(levels => levels[context]);
        }
    }
}

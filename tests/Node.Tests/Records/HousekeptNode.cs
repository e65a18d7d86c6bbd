using Aerie.Server.Metrics;
using Aerie.Server.Records;
using Aerie.TestKit;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Aerie.Node.Tests.Records;

/// A node whose housekeeper the test steps by a clock that stands still otherwise.
internal sealed class HousekeptNode : IDisposable
{
    private readonly NodeUnderTest _node;

    public HousekeptNode(string namespaceLines = "", string storageLines = "data-size 128M", int loops = 1)
    {
        _node = new NodeUnderTest(NodeUnderTest.Configuration(namespaceLines, storageLines), loops, Logs);
        Writers = [.. _node.Node.Loops.Select(loop => new RecordWriter(Records, loop.Worker))];
    }

    public CollectedLog Logs { get; } = new();

    public FakeClock Clock => _node.Clock;

    public Aerie.Server.Node Node => _node.Node;

    public Namespace Records => _node.Node.Namespaces.All[0];

    public RecordWriter[] Writers { get; }

    public RecordWriter Writer => Writers[0];

    public long Count(NamespaceCounter counter) => Records.Counters.Sum(counter);

    public void Set(string name, string value)
    {
        var answer = _node.Config.Set($"context=namespace;namespace=test;{name}={value}");
        Assert.Equal("ok", answer.Text);
    }

    /// Keeps house for so long, as the thread would: step, rest, step.
    public void KeepHouse(TimeSpan time)
    {
        var end = Clock.MonotonicNanoseconds + (time.Ticks * 100);
        while (Clock.MonotonicNanoseconds < end)
        {
            var rest = Node.Housekeeper.Step(Node.HousekeepingWorker);
            Clock.Advance(TimeSpan.FromMilliseconds(Math.Max(1, rest)));
        }
    }

    public void Dispose()
    {
        foreach (var writer in Writers)
        {
            writer.Dispose();
        }

        _node.Dispose();
    }
}

/// What was logged, line by line.
internal sealed class CollectedLog : ILoggerFactory, ILogger
{
    private readonly List<string> _lines = [];

    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lines)
            {
                return [.. _lines];
            }
        }
    }

    public int LinesWith(string part) => Lines.Count(line => line.Contains(part, StringComparison.Ordinal));

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider)
    {
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (_lines)
        {
            _lines.Add(formatter(state, exception));
        }
    }

    public void Dispose()
    {
    }
}

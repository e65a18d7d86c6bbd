using Aerie.Server.Config;
using Microsoft.Extensions.Logging;
using HostLevel = Microsoft.Extensions.Logging.LogLevel;
using LogLevel = Aerie.Server.Config.LogLevel;

namespace Aerie.Server.Logging;

/// The platform's loggers, written to the node's log. A category is the name of a context.
public sealed class NodeLoggerProvider(NodeLog log) : ILoggerProvider
{
    public ILogger CreateLogger(string categoryName) => new ContextLogger(log, LogContexts.Of(categoryName));

    /// The log outlives the loggers: its owner ends it.
    public void Dispose()
    {
    }

    private sealed class ContextLogger(NodeLog log, int context) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(HostLevel logLevel) => logLevel != HostLevel.None && log.IsEnabled(context, LevelOf(logLevel));

        public void Log<TState>(
            HostLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                var text = formatter(state, exception);
                log.Write(context, LevelOf(logLevel), exception is null ? text : $"{text}: {exception}");
            }
        }

        private static LogLevel LevelOf(HostLevel level) => level switch
        {
            HostLevel.Critical => LogLevel.Critical,
            HostLevel.Error or HostLevel.Warning => LogLevel.Warning,
            HostLevel.Information => LogLevel.Info,
            HostLevel.Debug => LogLevel.Debug,
            _ => LogLevel.Detail,
        };
    }
}

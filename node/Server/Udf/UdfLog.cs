using System.Text;
using Aerie.Lua;
using Microsoft.Extensions.Logging;

namespace Aerie.Server.Udf;

/// What functions say with info(), warn() and their like: lines of the context `udf`, with file and line of the script. The levels are
/// the scripts' own; whether they are written is the log's matter.
internal sealed class UdfLog(ILogger log) : IUdfLog
{
    public bool IsEnabled(UdfLogLevel level) => log.IsEnabled(Of(level));

    public void Write(UdfLogLevel level, ReadOnlySpan<byte> file, int line, ReadOnlySpan<byte> text) => log.Log(
        Of(level), "({File}:{Line}) {Text}", Encoding.UTF8.GetString(file), line, Encoding.UTF8.GetString(text));

    private static LogLevel Of(UdfLogLevel level) => level switch
    {
        UdfLogLevel.Trace => LogLevel.Trace,
        UdfLogLevel.Debug => LogLevel.Debug,
        UdfLogLevel.Info => LogLevel.Information,
        _ => LogLevel.Warning,
    };
}

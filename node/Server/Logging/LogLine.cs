using System.Globalization;
using System.Text;
using Aerie.Server.Config;

namespace Aerie.Server.Logging;

/// One line on its way to the sinks.
internal readonly record struct LogEntry(long UnixMilliseconds, LogLevel Level, int Context, string Text);

/// How a line looks: `Nov 20 2026 12:00:00 GMT: INFO (info): text`. Log readers parse it.
internal sealed class LogLine(bool millis, bool localTime)
{
    /// Whatever a client sends may end up in a line; it must not fill the disk.
    public const int TextMax = 4096;

    public string Format(in LogEntry entry)
    {
        var line = new StringBuilder(entry.Text.Length + 64);
        AppendTime(line, entry.UnixMilliseconds);
        line.Append(NameOf(entry.Level)).Append(" (").Append(LogContexts.Names[entry.Context]).Append("): ");
        AppendEscaped(line, entry.Text);
        return line.Append('\n').ToString();
    }

    public static string NameOf(LogLevel level) => level switch
    {
        LogLevel.Critical => "CRITICAL",
        LogLevel.Warning => "WARNING",
        LogLevel.Info => "INFO",
        LogLevel.Debug => "DEBUG",
        _ => "DETAIL",
    };

    private void AppendTime(StringBuilder line, long unixMilliseconds)
    {
        var time = DateTimeOffset.FromUnixTimeMilliseconds(unixMilliseconds);
        var shown = localTime ? TimeZoneInfo.ConvertTime(time, TimeZoneInfo.Local) : time;
        line.Append(shown.ToString(millis ? "MMM dd yyyy HH:mm:ss.fff" : "MMM dd yyyy HH:mm:ss", CultureInfo.InvariantCulture))
            .Append(" GMT");
        if (localTime)
        {
            line.Append(shown.Offset < TimeSpan.Zero ? '-' : '+').Append(shown.Offset.ToString("hhmm", CultureInfo.InvariantCulture));
        }

        line.Append(": ");
    }

    // A line break or escape sequence in a client's name must neither fake a line nor talk to a terminal.
    private static void AppendEscaped(StringBuilder line, string text)
    {
        foreach (var c in text.AsSpan(0, Math.Min(text.Length, TextMax)))
        {
            if (char.IsControl(c) || c is '\u2028' or '\u2029')
            {
                line.Append(c < 256 ? $"\\x{(int)c:x2}" : $"\\u{(int)c:x4}");
            }
            else
            {
                line.Append(c);
            }
        }

        if (text.Length > TextMax)
        {
            line.Append("...");
        }
    }
}

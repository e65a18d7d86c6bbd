using System.Net.Sockets;
using System.Text;
using Aerie.Server.Config;

namespace Aerie.Server.Logging;

/// A place where lines go. Used by one thread at a time.
internal interface ILogSink : IDisposable
{
    /// As `logs` lists it.
    string Name { get; }

    /// May lose the line: there is nowhere to report that to.
    void Write(LogLevel level, string line);

    void Flush();

    /// After a rotation: go on under the old name in a new file.
    void Reopen();
}

/// Lines to a stream that stays open: the console.
internal sealed class StreamSink(string name, Stream stream) : ILogSink
{
    public string Name => name;

    public void Write(LogLevel level, string line)
    {
        try
        {
            stream.Write(Encoding.UTF8.GetBytes(line));
        }
        catch (IOException)
        {
            // A closed console is no reason to stop serving.
        }
    }

    public void Flush() => stream.Flush();

    public void Reopen()
    {
    }

    public void Dispose() => Flush();
}

/// Lines appended to a file.
internal sealed class FileSink : ILogSink
{
    private FileStream? _file;

    /// Throws IOException or UnauthorizedAccessException when the file cannot be opened: the operator must mend that.
    public FileSink(string path)
    {
        Name = path;
        _file = Open(path);
    }

    public string Name { get; }

    public void Write(LogLevel level, string line)
    {
        try
        {
            _file?.Write(Encoding.UTF8.GetBytes(line));
        }
        catch (IOException)
        {
            // The disk is full: later lines may fit again.
        }
    }

    public void Flush()
    {
        try
        {
            _file?.Flush();
        }
        catch (IOException)
        {
            // As above.
        }
    }

    public void Reopen()
    {
        try
        {
            var next = Open(Name);
            _file?.Dispose();
            _file = next;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            // Better to go on in the file that was moved away than to lose what comes.
        }
    }

    public void Dispose() => _file?.Dispose();

    private static FileStream Open(string path) => new(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
}

/// Lines as datagrams to the system's logger. It stamps the time itself.
internal sealed class SyslogSink : ILogSink
{
    private const string DefaultPath = "/dev/log";
    private const int FacilityLocal0 = 16;

    private static readonly string[] Facilities =
    [
        "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "", "", "", "",
        "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
    ];

    private readonly string _path;
    private readonly string _tag;
    private readonly int _facility;
    private Socket? _socket;

    public SyslogSink(string path, string facility, string tag)
    {
        _path = path.Length > 0 ? path : DefaultPath;
        _tag = tag.Length > 0 ? tag : "asd";
        var known = Array.IndexOf(Facilities, facility);
        _facility = known >= 0 && facility.Length > 0 ? known : FacilityLocal0;
        _socket = Connect();
    }

    public string Name => $"syslog:{_path}";

    public void Write(LogLevel level, string line)
    {
        try
        {
            // What stands behind the first ": " is level, context and text.
            var text = line.AsSpan(line.IndexOf(": ", StringComparison.Ordinal) + 2).TrimEnd('\n');
            _socket ??= Connect();
            _socket?.Send(Encoding.UTF8.GetBytes($"<{(_facility * 8) + SeverityOf(level)}>{_tag}[{Environment.ProcessId}]: {text}"));
        }
        catch (SocketException)
        {
            Reopen();
        }
    }

    public void Flush()
    {
    }

    public void Reopen()
    {
        _socket?.Dispose();
        _socket = Connect();
    }

    public void Dispose() => _socket?.Dispose();

    // The logger may come back later: each line tries again.
    private Socket? Connect()
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { Blocking = false };
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(_path));
            return socket;
        }
        catch (SocketException)
        {
            socket.Dispose();
            return null;
        }
    }

    private static int SeverityOf(LogLevel level) => level switch
    {
        LogLevel.Critical => 2,
        LogLevel.Warning => 4,
        LogLevel.Info => 6,
        _ => 7,
    };
}

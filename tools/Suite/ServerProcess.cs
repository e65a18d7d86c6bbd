using System.ComponentModel;
using System.Diagnostics;
using System.Net.Sockets;
using Aerie.Tools.Bench;

namespace Aerie.Tools.Suite;

/// A server that the suite started and will end. Its output goes to a file whose last lines explain a failed start.
internal sealed class ServerProcess : IDisposable
{
    /// The floor writes gigabytes before it opens its port.
    private static readonly TimeSpan StartTimeMax = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan StopTimeMax = TimeSpan.FromSeconds(10);

    private readonly Process _process;
    private readonly StreamWriter _log;
    private readonly string _logFile;
    private readonly string _name;

    private ServerProcess(string name, Process process, string logFile)
    {
        _name = name;
        _process = process;
        _logFile = logFile;
        _log = new StreamWriter(logFile) { AutoFlush = true };
        process.OutputDataReceived += (_, line) => Log(line.Data);
        process.ErrorDataReceived += (_, line) => Log(line.Data);
    }

    public int Pid => _process.Id;

    /// Started and accepting connections, or a BenchException that says why not. `launched` gets the process at once.
    public static ServerProcess Start(
        string name, string file, IEnumerable<string> arguments, int port, string logFile, Action<int>? launched = null)
    {
        if (!File.Exists(file))
        {
            throw new BenchException($"{name}: there is no {file}; build it first");
        }

        if (Accepts(port))
        {
            throw new BenchException($"{name}: port {port} is in use by another program; choose others with --port");
        }

        var start = new ProcessStartInfo(Path.GetFullPath(file), arguments)
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var server = new ServerProcess(name, Launch(name, start), logFile);
        server._process.BeginOutputReadLine();
        server._process.BeginErrorReadLine();
        try
        {
            launched?.Invoke(server.Pid);
            server.WaitUntilAccepting(port);
            return server;
        }
        catch
        {
            server.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            // SIGTERM first: a node drains and writes what it has to say; only one that does not listen is killed.
            using var term = Process.Start("kill", ["-TERM", Pid.ToString()]);
            if (!_process.WaitForExit(StopTimeMax))
            {
                _process.Kill();
                _process.WaitForExit();
            }
        }

        _process.Dispose();
        lock (_log)
        {
            _log.Dispose();
        }
    }

    private static Process Launch(string name, ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!; // null only where a shell opens a document
        }
        catch (Win32Exception refused)
        {
            throw new BenchException($"{name}: {start.FileName} cannot be started: {refused.Message}");
        }
    }

    private void WaitUntilAccepting(int port)
    {
        var watch = Stopwatch.StartNew();
        while (!Accepts(port))
        {
            if (_process.WaitForExit(TimeSpan.FromMilliseconds(20)))
            {
                _process.WaitForExit(); // the rest of its output
                throw new BenchException($"{_name} ended with code {_process.ExitCode} instead of serving port {port}:\n{LastLines()}");
            }

            if (watch.Elapsed > StartTimeMax)
            {
                throw new BenchException($"{_name} does not serve port {port} after {StartTimeMax.TotalSeconds} s:\n{LastLines()}");
            }
        }
    }

    private static bool Accepts(int port)
    {
        try
        {
            using var probe = new TcpClient("127.0.0.1", port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private void Log(string? line)
    {
        lock (_log)
        {
            if (line is not null && _log.BaseStream is not null)
            {
                _log.WriteLine(line);
            }
        }
    }

    private string LastLines()
    {
        const int Shown = 10;
        lock (_log)
        {
            return string.Join('\n', File.ReadLines(_logFile).TakeLast(Shown));
        }
    }
}

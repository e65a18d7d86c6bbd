using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using Aerie.Foundation;

namespace Aerie.TestKit;

/// The node as operators run it: the launcher, a configuration file, a process. What it says is kept line by line; what
/// it costs is read from /proc. Ends with its owner, whatever happens.
public sealed class NodeProgram : IDisposable
{
    private static readonly TimeSpan StartTimeMax = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly string _folder;
    private readonly List<string> _lines = [];

    private NodeProgram(Process process, string folder, int port)
    {
        _process = process;
        _folder = folder;
        Port = port;
        process.OutputDataReceived += (_, line) => Keep(line.Data);
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// Null when the programs are not built.
    public static string? Launcher => Find(AppContext.BaseDirectory);

    public int Port { get; }

    public int Pid => _process.Id;

    public bool HasExited => _process.HasExited;

    public int ExitCode => _process.ExitCode;

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

    public long ResidentBytes => ReadStatus("VmRSS:") * 1024;

    /// Descriptors of sockets, pipes and the like. Files are left out: the runtime opens its libraries when first needed.
    public int OpenHandles => Directory.GetFileSystemEntries($"/proc/{Pid}/fd")
        .Count(link => new FileInfo(link).LinkTarget is { } target && !target.StartsWith('/'));

    public TimeSpan ProcessorTime
    {
        get
        {
            const int TicksPerSecond = 100; // fixed by the kernel for all programs
            var stat = File.ReadAllText($"/proc/{Pid}/stat");
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            var ticks = long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture);
            return TimeSpan.FromSeconds((double)ticks / TicksPerSecond);
        }
    }

    /// Starts it without waiting for anything. `shell` runs before it in the same process: limits, mostly. `launcher`: another
    /// program than the one that was built here.
    public static NodeProgram Launch(string configuration, int port, string shell = ":", string? launcher = null)
    {
        launcher ??= Launcher;
        Invariant.Holds(launcher is not null);
        var folder = Directory.CreateTempSubdirectory("aerie-node-").FullName;
        var file = Path.Combine(folder, "node.conf");
        File.WriteAllText(file, configuration);
        var start = new ProcessStartInfo("/bin/sh", ["-c", $"{shell}; exec '{launcher}' --config-file '{file}'"])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        return new NodeProgram(Process.Start(start)!, folder, port);
    }

    /// Started and ready to serve.
    public static NodeProgram Start(string configuration, int port, string shell = ":", string? launcher = null)
    {
        var node = Launch(configuration, port, shell, launcher);
        try
        {
            node.WaitForLine("service ready", StartTimeMax);
            return node;
        }
        catch
        {
            node.Dispose();
            throw;
        }
    }

    /// A node on loopback with the given namespaces. `metricsPort`: where it says whether it is ready; 0: nowhere.
    public static string Configuration(
        int port, string namespaces, string service = "", string level = "info", int metricsPort = 0) => $$"""
        service {
            {{service}}
        }
        logging {
            console {
                context any {{level}}
            }
        }
        network {
            service {
                address 127.0.0.1
                port {{port}}
            }
            fabric {
                address 127.0.0.1
                port {{port + 1}}
            }
            heartbeat {
                mode mesh
                address 127.0.0.1
                port {{port + 2}}
            }
            {{(metricsPort == 0 ? "" : $"metrics {{\n address 127.0.0.1\n port {metricsPort}\n }}")}}
        }
        {{namespaces}}
        """;

    public static string Namespace(string name, string storage, string lines = "") => $$"""
        namespace {{name}} {
            replication-factor 1
            {{lines}}
            storage-engine memory {
                {{storage}}
            }
        }
        """;

    /// A port that nothing listens on at this moment, with two free ones behind it.
    public static int FreePort(int from, int count = 900)
    {
        for (var port = from; port < from + count; port += 3)
        {
            if (IsFree(port) && IsFree(port + 1) && IsFree(port + 2))
            {
                return port;
            }
        }

        throw new InvalidOperationException($"no free port from {from}");
    }

    public void Signal(string name)
    {
        using var kill = Process.Start("/bin/sh", ["-c", $"kill -{name} {Pid}"]);
        kill.WaitForExit();
    }

    public void WaitForLine(string part, TimeSpan limit)
    {
        var met = Eventually.Holds(() => HasExited || Lines.Any(line => line.Contains(part, StringComparison.Ordinal)), limit);
        if (HasExited)
        {
            _process.WaitForExit(); // the rest of its output
        }

        if (!met || !Lines.Any(line => line.Contains(part, StringComparison.Ordinal)))
        {
            throw new InvalidOperationException($"the node did not say '{part}' but:\n{string.Join('\n', Lines.TakeLast(20))}");
        }
    }

    /// The exit code.
    public int WaitForExit(TimeSpan limit)
    {
        if (!_process.WaitForExit(limit))
        {
            throw new InvalidOperationException($"the node did not end within {limit}:\n{string.Join('\n', Lines.TakeLast(20))}");
        }

        _process.WaitForExit(); // the rest of its output
        return _process.ExitCode;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            _process.WaitForExit();
        }

        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static string? Find(string? folder)
    {
        for (; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            var launcher = Path.Combine(folder, "bin", "aerie-node");
            if (File.Exists(launcher) && File.Exists(Path.Combine(folder, "Aerie.slnx")))
            {
                return launcher;
            }
        }

        return null;
    }

    private static bool IsFree(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private long ReadStatus(string key)
    {
        var line = File.ReadLines($"/proc/{Pid}/status").First(line => line.StartsWith(key, StringComparison.Ordinal));
        return long.Parse(line[key.Length..].Replace("kB", "", StringComparison.Ordinal).Trim(), CultureInfo.InvariantCulture);
    }

    private void Keep(string? line)
    {
        lock (_lines)
        {
            if (line is not null)
            {
                _lines.Add(line);
            }
        }
    }
}

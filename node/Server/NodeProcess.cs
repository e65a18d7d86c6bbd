using System.Runtime.InteropServices;
using Aerie.Foundation;
using Aerie.Io;
using Aerie.Lua;
using Aerie.Server.Config;
using Aerie.Server.Http;
using Aerie.Server.Logging;
using Aerie.Server.Records.Restart;
using Aerie.Server.Service;
using Aerie.Server.Statistics;
using Aerie.Storage.Devices;
using Microsoft.Extensions.Logging;

namespace Aerie.Server;

/// The life of the process around a node: start → serve until a signal → drain → leave. The first SIGTERM or SIGINT lets
/// clients finish within the grace; the second ends the process at once.
internal sealed class NodeProcess(ConfigStore config, NodeLog log, ILoggerFactory logs, bool acceptMissingDevices) : IDisposable
{
    private readonly ILogger _log = logs.CreateLogger("as");
    private readonly ManualResetEventSlim _asked = new();
    private Exception? _failure;

    public int Run()
    {
        var clock = new SystemClock();
        var rest = new RestOptions { MaxMicroseconds = config.Service.Current.IoRestUs };
        NodeReporting? reporting = null;
        using var node = new Node(
            config,
            clock,
            () => new EpollEngine(clock, rest),
            logs,
            made => (reporting = new NodeReporting(made, config, log, logs)).Info,
            () => reporting?.Sources.Host.Latest.MemoryUsedPct,
            DescriptorsForConnections(),
            new StorageOpening(
                new DeviceFiles(), config, clock, logs.CreateLogger("drv_ssd"), config.Service.Current.ServiceThreads + 1,
                acceptMissingDevices).Open,
            LuaInterrupts.Signalled);
        Invariant.Holds(reporting is not null);
        using var web = reporting.NewMetricsServer();
        web?.Start();
        Restart(node, reporting.Health);
        node.Listen();
        var threads = node.Loops.Select(loop => new LoopThread(loop, Fail)).ToArray();
        foreach (var thread in threads)
        {
            thread.Start();
        }

        using var keepers = new RecordThreads(node, Fail);
        keepers.Start();
        using var ticker = new TickerThread(reporting.Ticker, logs);
        using var rotated = PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal => Reopen(signal, log));
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Ask);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Ask);
        _log.LogInformation("service ready: listening on port {Port}", config.Network.Service.Port);
        reporting.Health.Serving();
        _asked.Wait();
        reporting.Health.Draining();
        if (_failure is null)
        {
            Drain(node);
        }

        foreach (var thread in threads)
        {
            thread.Stop();
        }

        keepers.Stop(isClean: _failure is null);
        return _failure is null ? ExitCodes.Ok : ExitCodes.Broken;
    }

    public void Dispose() => _asked.Dispose();

    // Before anybody can ask for a record. The metrics port is open meanwhile and tells how far it is.
    private void Restart(Node node, HealthCheck health)
    {
        foreach (var records in node.Namespaces.All.Where(static records => records.Log.IsPersistent))
        {
            var backing = (DeviceBacking)records.Storage!.Backing;
            var start = new ColdStart(records, backing, records.Log.Recover(), node.Clock, logs.CreateLogger("drv_ssd"));
            health.Restarting(start.Progress);
            start.Run(node.RestartWorkers());
            node.LastUpdateClock.Advance(start.LatestUpdateTime);
        }
    }

    // Kept back: what one wake-up accepts before it is judged, and what the process itself opens while it runs (libraries
    // take two each, logs, the metrics endpoint).
    private int DescriptorsForConnections()
    {
        const int Kept = 192;
        const int Least = 16;
        var limit = ProcessLimits.RaiseOpenFiles();
        var left = (int)Math.Min(limit - ProcessLimits.OpenFilesNow() - Kept, int.MaxValue);
        if (left < Least)
        {
            throw new IoException($"a limit of {limit} open files is too low: it leaves {left} for connections (ulimit -n)");
        }

        var wanted = config.Service.Current.ProtoFdMax;
        if (left < wanted)
        {
            _log.LogWarning(
                "the system's limit of {Limit} open files leaves {Left} for connections, fewer than proto-fd-max {Wanted} (ulimit -n)",
                limit, left, wanted);
        }

        return left;
    }

    private static void Reopen(PosixSignalContext signal, NodeLog log)
    {
        signal.Cancel = true;
        log.Reopen();
    }

    private void Ask(PosixSignalContext signal)
    {
        signal.Cancel = true;
        if (_asked.IsSet)
        {
            _log.LogWarning("second signal: leaving at once");
            Environment.Exit(ExitCodes.SecondSignal);
        }

        _asked.Set();
    }

    private void Fail(Exception failure)
    {
        _failure = failure;
        _log.LogCritical(failure, "the node has lost an invariant and stops: {Reason}", failure.Message);
        _asked.Set();
    }

    private void Drain(Node node)
    {
        var grace = config.Service.Current.ShutdownGraceMs;
        _log.LogInformation("draining: clients may finish within {Grace} ms", grace);
        foreach (var loop in node.Loops)
        {
            loop.Post(static drained => drained.BeginDrain());
        }

        var quiet = SpinWait.SpinUntil(() => node.IsQuiet, grace);
        _log.LogInformation("{Outcome}: finished clean shutdown", quiet ? "all clients are done" : "the grace is over");
    }
}

internal static class ExitCodes
{
    public const int Ok = 0;
    public const int BadConfiguration = 1;
    public const int CannotStart = 2;
    public const int Broken = 3;
    public const int SecondSignal = 130;
}

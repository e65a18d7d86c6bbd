using System.Diagnostics;
using Aerie.Client;
using Aerie.Client.Cluster;
using Aerie.TestKit;

namespace Aerie.Soak.Crashes;

internal sealed record CrashPlan(int Kills, bool Commits, int Connections, int Seed, string? Launcher);

/// A node on a file that is killed at any moment, over and over, under load. After each restart every key must be what it
/// may be: with commit-to-device nothing that was acknowledged is lost, otherwise at most what the last moment brought.
internal sealed class CrashRun(int port, CrashPlan plan)
{
    private const int FlushMaxMs = 200;

    /// A flush takes its time as well, on a busy machine more than the interval.
    private const double WindowSeconds = (FlushMaxMs / 1000.0) + 1;

    private const int CleanRestartEvery = 5;
    private const int ShortestLifeMs = 50;
    private const int LongestLifeMs = 2500;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Checks _checks = new();
    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private readonly Random _random = new(plan.Seed);
    private readonly HostAddress _host = HostAddress.Parse($"127.0.0.1:{port}");
    private CrashWorker[] _workers = [];
    private string _configuration = "";

    public int Run()
    {
        Console.WriteLine($"crash: {plan.Kills} kills, mode {(plan.Commits ? "commit" : "buffered")}, {plan.Connections} connections, "
            + $"seed {plan.Seed}, port {port}");
        var folder = Directory.CreateTempSubdirectory("aerie-crash-").FullName;
        try
        {
            _configuration = NodeProgram.Configuration(port, Namespace(Path.Combine(folder, "test.dat")));
            _workers = [.. Enumerable.Range(0, plan.Connections)
                .Select(number => new CrashWorker(number, _host, plan.Seed, plan.Commits, _watch))];
            Lives();
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        return _checks.Summary();
    }

    private void Lives()
    {
        var safeBefore = 0.0;
        for (var kill = 1; kill <= plan.Kills && Problem is null; kill++)
        {
            using var node = Start();
            if (!Judge(node, $"before kill {kill}", safeBefore))
            {
                return;
            }

            safeBefore = LoadAndKill(node, kill);
            if (kill % CleanRestartEvery == 0 || kill == plan.Kills)
            {
                RestartCleanly(safeBefore);
            }
        }

        var operations = _workers.Sum(static worker => worker.Operations);
        _checks.That(Problem is null, $"{plan.Kills} kills, {operations} operations: {Problem ?? "no problem"}");
    }

    private string? Problem => _workers.Select(static worker => worker.Problem).FirstOrDefault(static problem => problem is not null);

    // What a clean end leaves behind is what was there.
    private void RestartCleanly(double safeBefore)
    {
        using (var node = Start())
        {
            Judge(node, "after a kill", safeBefore);
            node.Signal("TERM");
            var code = node.WaitForExit(Patience);
            _checks.That(code == 0, $"SIGTERM ends the node with {code}");
        }

        using var again = Start();
        Judge(again, "after a clean end", double.MaxValue);
    }

    private NodeProgram Start() => NodeProgram.Start(_configuration, port, launcher: plan.Launcher);

    // Everything answered before the time that is returned must be there afterwards.
    private double LoadAndKill(NodeProgram node, int kill)
    {
        var before = _workers.Sum(static worker => worker.Operations);
        var threads = _workers.Select(worker => new Thread(worker.Load)).ToList();
        threads.ForEach(static thread => thread.Start());
        using var never = new ManualResetEventSlim();
        var life = _random.Next(ShortestLifeMs, LongestLifeMs);
        never.Wait(life);
        var killedAt = _watch.Elapsed.TotalSeconds;
        node.Signal("KILL");
        node.WaitForExit(Patience);
        threads.ForEach(static thread => thread.Join());
        Checks.Say($"kill {kill} after {life} ms and {_workers.Sum(static worker => worker.Operations) - before} operations");
        return killedAt - WindowSeconds;
    }

    private bool Judge(NodeProgram node, string when, double safeBefore)
    {
        var threads = _workers.Select(worker => new Thread(() => worker.Check(safeBefore))).ToList();
        threads.ForEach(static thread => thread.Start());
        threads.ForEach(static thread => thread.Join());
        if (Problem is { } problem)
        {
            _checks.That(false, $"{when}: {problem}");
            return false;
        }

        using var client = new AerieClient(new ClientPolicy { SeedsOnly = true, ConnectTimeout = Patience }, _host);
        var (least, most) = (_workers.Sum(static worker => worker.FoundForEver), _workers.Sum(static worker => worker.Found));
        var objects = 0L;
        var settled = Eventually.Holds(() => (objects = Objects(client)) >= least && objects <= most, Patience); // expiry takes its time
        if (!settled || node.HasExited)
        {
            _checks.That(false, $"{when}: {objects} objects, {least} to {most} were found");
        }

        return settled;
    }

    private static long Objects(AerieClient client) => InfoText.Number(InfoText.Pairs(client.Info("namespace/test")), "objects");

    private string Namespace(string file) => $$"""
        namespace test {
            replication-factor 1
            nsup-period 1
            storage-engine device {
                file {{file}}
                filesize 256M
                commit-to-device {{(plan.Commits ? "true" : "false")}}
                flush-max-ms {{FlushMaxMs}}
            }
        }
        """;
}

using System.Diagnostics;
using System.Globalization;
using Aerie.Client;
using Aerie.Storage.Devices;
using Aerie.TestKit;
using Aerie.Tools.Bench;

namespace Aerie.Soak.Devices;

internal sealed record RestartPlan(int Records, int ValueSize, string? File, string Launcher);

/// How long a node takes until it is ready: after a clean stop, after a kill, and when it must read everything because its
/// index checkpoint is damaged; beside the time that reading the same blocks takes, and that of an empty node.
internal sealed class RestartRun(int port, RestartPlan plan)
{
    private const double RatioMax = 0.1;
    private const int Samples = 2000;

    /// Part of the file that records take: a checkpoint wants room as well.
    private const double FilePart = 0.6;

    private static readonly TimeSpan StartTimeMax = TimeSpan.FromMinutes(30);
    private static readonly TimeSpan StopTimeMax = TimeSpan.FromMinutes(2);

    private readonly Checks _checks = new();
    private readonly List<Restart> _restarts = [];

    public int Run()
    {
        const int MegabytesMin = 256;
        var bytes = (double)plan.Records * (plan.ValueSize + DeviceNode.ImageOverhead) / FilePart;
        var megabytes = Math.Max(MegabytesMin, (long)(bytes / (1 << 20)));
        return DeviceNode.WithFile(plan.File, file => Run(new DeviceNode(port, plan.ValueSize, file, megabytes), megabytes));
    }

    private int Run(DeviceNode device, long megabytes)
    {
        Console.WriteLine(
            $"restart: {plan.Records} records of {plan.ValueSize} bytes in a file of {megabytes} MB, port {port}");
        Prepare(device);
        using (var node = Start(device, "after a clean stop"))
        {
            JudgeRecords(device, "after a clean stop");
            WriteAndKill(device, node);
        }

        using (var node = Start(device, "after kill -9"))
        {
            JudgeRecords(device, "after kill -9");
            Stop(node);
        }

        var spoiled = DeviceBlocks.SpoilCheckpoints(device.File);
        Checks.Say(spoiled > 0 ? $"{spoiled} blocks of index checkpoints were damaged" : "no index checkpoint: every restart reads all");
        var blocks = DeviceBlocks.Of(device.File, BlockState.Records);
        using (var node = Start(device, "reading all"))
        {
            JudgeRecords(device, "reading all");
            Stop(node);
        }

        Report(blocks.Count, DeviceBlocks.SecondsToRead(device.File, blocks));
        return _checks.Summary();
    }

    // A start of the empty node before it has anything: what no restart can do without.
    private void Prepare(DeviceNode device)
    {
        using (var node = Launch(device, out _))
        {
            Stop(node); // the file is made
        }

        using var filled = Start(device, "empty");
        using var client = device.Connect();
        device.Fill(client, plan.Records);
        Stop(filled);
    }

    // What a checkpoint does not know: the log's tail must bring it back.
    private void WriteAndKill(DeviceNode device, NodeProgram node)
    {
        const int UpdatesMin = 1000;
        var result = new LoadRun(device.Load(Math.Max(UpdatesMin, plan.Records / 100), Workload.Insert) with { Pipeline = 8 }).Execute();
        _checks.That(result.Errors == 0, $"{result.Operations} updates before the kill, {result.Errors} errors");
        node.Signal("KILL");
        node.WaitForExit(StopTimeMax);
    }

    private void Stop(NodeProgram node)
    {
        node.Signal("TERM");
        var code = node.WaitForExit(StopTimeMax);
        _checks.That(code == 0, $"SIGTERM ends the node with {code}");
    }

    // ---- restarts ----

    private NodeProgram Start(DeviceNode device, string how)
    {
        var node = Launch(device, out var seconds);
        var own = node.Lines.LastOrDefault(static line => line.Contains("restart:", StringComparison.Ordinal)) ?? "nothing";
        _restarts.Add(new Restart(how, seconds));
        Checks.Say(string.Create(CultureInfo.InvariantCulture, $"{how}: ready after {seconds:0.00} s; the node says: {own.Trim()}"));
        return node;
    }

    private NodeProgram Launch(DeviceNode device, out double seconds)
    {
        var watch = Stopwatch.StartNew();
        var node = NodeProgram.Launch(device.Configuration, port, launcher: plan.Launcher);
        try
        {
            using var http = new HttpClient();
            var page = new Uri($"http://127.0.0.1:{device.MetricsPort}/health/ready");
            var isReady = Eventually.Holds(() => node.HasExited || IsReady(http, page), StartTimeMax) && !node.HasExited;
            seconds = watch.Elapsed.TotalSeconds;
            return isReady ? node : throw new BenchException($"the node does not get ready:\n{string.Join('\n', node.Lines.TakeLast(20))}");
        }
        catch
        {
            node.Dispose();
            throw;
        }
    }

    private static bool IsReady(HttpClient http, Uri page)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, page);
            using var answer = http.Send(request);
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false; // nobody listens yet
        }
    }

    // ---- what must hold ----

    private void JudgeRecords(DeviceNode device, string when)
    {
        using var client = device.Connect();
        var objects = DeviceNode.Number(client, "objects");
        _checks.That(objects == plan.Records, $"{when}: {objects} objects of {plan.Records}");
        var random = new Random(1);
        var expected = new string('v', plan.ValueSize);
        var wrong = 0;
        for (var i = 0; i < Samples; i++)
        {
            var key = new Key(DeviceNode.Namespace, DeviceNode.Set, (long)random.Next(plan.Records));
            wrong += client.Get(key)?[DeviceNode.Bin].AsString() == expected ? 0 : 1;
        }

        _checks.That(wrong == 0, $"{when}: {wrong} of {Samples} records, chosen at random, are missing or wrong");
    }

    // Ratios with and without what an empty node needs as well, so that the start of the program does not hide the restart.
    private void Report(int blocks, double rawSeconds)
    {
        var empty = _restarts[0].Seconds;
        var all = _restarts[^1].Seconds;
        var megabytes = blocks * (DeviceLayout.BlockLength / 1e6);
        Checks.Say("                         ready  without start  of reading all       MB/s  of raw read    records/s");
        foreach (var restart in _restarts)
        {
            var own = Math.Max(restart.Seconds - empty, 0.001);
            var rates = restart == _restarts[^1]
                ? string.Create(
                    CultureInfo.InvariantCulture, $"{megabytes / own,10:N0} {rawSeconds / own,12:0.00} {plan.Records / own,12:N0}")
                : "";
            Checks.Say(string.Create(
                CultureInfo.InvariantCulture,
                $"{restart.How,-20} {restart.Seconds,7:0.00} s {own,12:0.00} s"
                + $" {restart.Seconds / all,7:0.00} {own / (all - empty),7:0.00} {rates}"));
        }

        Checks.Say(string.Create(
            CultureInfo.InvariantCulture, $"raw read of {blocks} blocks {rawSeconds,6:0.00} s {megabytes / rawSeconds,41:N0}"));
        foreach (var restart in _restarts.Skip(1).SkipLast(1))
        {
            var ratio = (restart.Seconds - empty) / (all - empty);
            _checks.That(ratio <= RatioMax, $"{restart.How}: {ratio:0.00} of the time that reading all takes, at most {RatioMax}");
        }
    }

    private sealed record Restart(string How, double Seconds);
}

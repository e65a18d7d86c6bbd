using System.Diagnostics;
using Aerie.Client;
using Aerie.Client.Cluster;
using Aerie.TestKit;

namespace Aerie.Soak.Mixed;

/// Hundreds of connections do everything at once for minutes, each checking every answer. In the end the node's counters
/// must add up, and it must hold no memory, descriptor or buffer that it did not hold before.
internal sealed class MixedRun(int port, TimeSpan time, int connections, int seed, string launcher)
{
    private const int StackBytes = 256 * 1024;
    private const int NsupSeconds = 2;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(80);
    private static readonly TimeSpan SampleEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan SettleMax = TimeSpan.FromSeconds(60);

    private readonly Checks _checks = new();
    private readonly MixedTally _tally = new(MixedWorker.HotKeys);
    private readonly HostAddress _host = HostAddress.Parse($"127.0.0.1:{port}");

    public int Run()
    {
        Console.WriteLine($"mixed: {connections} connections, {time.TotalMinutes} minutes, seed {seed}, port {port}");
        // About half of it is live, and the run writes it over several times: without defragmentation it would be full.
        var dataSize = Math.Max(64, connections / 2);
        var space = NodeProgram.Namespace(MixedWorker.Namespace, $"data-size {dataSize}M", $"nsup-period {NsupSeconds}");
        using var node = NodeProgram.Start(NodeProgram.Configuration(port, space), port, launcher: launcher);
        using (var client = new AerieClient(new ClientPolicy { SeedsOnly = true, ConnectTimeout = SettleMax }, _host))
        {
            ScanWorker.Fill(client, _tally);
            var (handles, buffers) = (node.OpenHandles, BuffersLent(client));
            var samples = Load(node, client);
            Judge(node, client, samples);
            var back = Eventually.Holds(() => node.OpenHandles <= handles && BuffersLent(client) <= buffers, SettleMax);
            _checks.That(back,
                $"open handles {handles} before and {node.OpenHandles} after, "
                + $"buffers lent {buffers} before and {BuffersLent(client)} after");
        }

        node.Signal("TERM");
        var code = node.WaitForExit(SettleMax);
        _checks.That(code == 0, $"SIGTERM ends the node with {code}");
        var complaints = node.Lines.Count(line =>
            line.Contains("WARNING", StringComparison.Ordinal) || line.Contains("CRITICAL", StringComparison.Ordinal));
        _checks.That(complaints == 0, $"the node has logged {complaints} warnings");
        return _checks.Summary();
    }

    // Resident bytes, one sample a second.
    private List<long> Load(NodeProgram node, AerieClient monitor)
    {
        using var stop = new ManualResetEventSlim();
        var scans = new ScanWorker(_host, _tally);
        var threads = Enumerable.Range(0, connections)
            .Select(number => new MixedWorker(number, _host, seed, _tally))
            .Select(worker => new Thread(() => worker.Run(stop, Pause), StackBytes))
            .Append(new Thread(() => scans.Run(stop, SampleEvery)))
            .ToList();
        threads.ForEach(thread => thread.Start());
        var samples = new List<long>();
        var watch = Stopwatch.StartNew();
        var nextLine = TimeSpan.Zero;
        while (watch.Elapsed < time && !node.HasExited)
        {
            stop.Wait(SampleEvery);
            samples.Add(node.ResidentBytes);
            if (watch.Elapsed >= nextLine)
            {
                nextLine += TimeSpan.FromSeconds(30);
                var state = InfoText.Pairs(monitor.Info($"namespace/{MixedWorker.Namespace}"));
                Checks.Say($"{watch.Elapsed.TotalSeconds:0} s: {_tally.Operations} operations, {state["objects"]} objects, "
                    + $"data {state["data_used_pct"]} % used {state["data_avail_pct"]} % available, RSS {samples[^1] >> 20} MiB, "
                    + $"{_tally.Problems} problems");
            }
        }

        var open = InfoText.Number(InfoText.Pairs(monitor.Info("statistics")), "client_connections");
        _checks.That(open >= connections, $"{open} connections are open in the end");
        stop.Set();
        threads.ForEach(thread => thread.Join());
        Checks.Say($"{_tally.Operations} operations in {watch.Elapsed.TotalSeconds:0} s, {scans.Scans} scans, {_tally.Busy} times busy");
        return samples;
    }

    private void Judge(NodeProgram node, AerieClient client, List<long> samples)
    {
        _checks.That(_tally.Problems == 0, $"{_tally.Problems} errors or unexpected values in {_tally.Operations} operations");
        // The log takes and gives back memory by blocks of 8 MiB, so single samples say little.
        var fifth = Math.Max(1, samples.Count / 10);
        var middle = Median(samples.Skip(samples.Count / 2).Take(fifth));
        var end = Median(samples.TakeLast(fifth));
        var growth = (end * 100.0 / middle) - 100;
        _checks.That(
            growth <= 5,
            $"RSS of the second half: {middle >> 10} KiB in its first fifth, {end >> 10} KiB in its last: {growth:0.0} %");
        for (var key = 0; key < MixedWorker.HotKeys; key++)
        {
            var sum = client.Get(MixedWorker.Reading, new Key(MixedWorker.Namespace, MixedWorker.HotSet, (long)key))?["n"].AsLong() ?? 0;
            _checks.That(sum == _tally.HotSum(key), $"hot counter {key} is {sum}, acknowledged were {_tally.HotSum(key)}");
        }

        JudgeCounters(client);
        var moved = InfoText.Pairs(client.Info($"namespace/{MixedWorker.Namespace}"))
            .Where(pair => pair.Key.EndsWith(".defrag_reads", StringComparison.Ordinal) || pair.Key == "defrag_reads")
            .Select(pair => pair.Value);
        Checks.Say($"blocks defragmented: {string.Join(" + ", moved)}; node alive: {!node.HasExited}");
    }

    private void JudgeCounters(AerieClient client)
    {
        Eventually.Holds(() => SetObjects(client, MortalKeys.Set) == 0, SettleMax);
        var state = InfoText.Pairs(client.Info($"namespace/{MixedWorker.Namespace}"));
        var expired = InfoText.Number(state, "expired_objects");
        var expected = MixedWorker.HotKeys - expired;
        _checks.That(
            SetObjects(client, MixedWorker.HotSet) == MixedWorker.HotKeys,
            $"set {MixedWorker.HotSet}: {MixedWorker.HotKeys} objects");
        foreach (var set in _tally.Sets)
        {
            var left = _tally.Inserted(set) - _tally.Deleted(set);
            expected += left;
            left -= set == MortalKeys.Set ? expired : 0;
            var objects = SetObjects(client, set);
            _checks.That(objects == left, $"set {set}: {objects} objects = {_tally.Inserted(set)} inserted - {_tally.Deleted(set)} deleted"
                + $"{(set == MortalKeys.Set ? $" - {expired} expired" : "")}");
        }

        var all = InfoText.Number(state, "objects");
        _checks.That(all == expected, $"namespace: {all} objects, the sets and the model say {expected}");
    }

    private static long SetObjects(AerieClient client, string set) =>
        InfoText.Number(InfoText.Pairs(client.Info($"sets/{MixedWorker.Namespace}/{set}").TrimEnd(';'), ':'), "objects");

    private static long BuffersLent(AerieClient client) => InfoText.Sum(InfoText.Pairs(client.Info("aerie-stats")), ".buffers_lent");

    private static long Median(IEnumerable<long> values) => values.Order().ElementAt(values.Count() / 2);
}

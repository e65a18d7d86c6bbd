using System.Diagnostics;
using Aerie.Client;
using Aerie.Client.Cluster;
using Aerie.TestKit;

namespace Aerie.Soak.Udfs;

/// `Errors`: the run ends when so many error paths were taken; zero: when its time is over.
internal sealed record UdfPlan(TimeSpan Time, long Errors, int Connections, int Seed, string Launcher);

/// Functions that fail in every way there is, on several connections, while their modules change and others get records. Each answer
/// is checked; in the end the node must have counted what the connections saw, and hold no more memory and descriptors than before.
internal sealed class UdfRun(int port, UdfPlan plan)
{
    private const string Namespace = "test";
    private const int GetConnections = 2;

    /// The run that is told how many errors to take is ended when it does not come to them.
    private static readonly TimeSpan TimeMax = TimeSpan.FromHours(3);
    private static readonly TimeSpan GetMax = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan SampleEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan SettleMax = TimeSpan.FromSeconds(60);

    private readonly Checks _checks = new();
    private readonly UdfTally _tally = new();
    private readonly List<long> _resident = [];
    private UdfWorker[] _workers = [];
    private GetWorker[] _gets = [];

    public int Run()
    {
        Console.WriteLine($"udf: {plan.Connections} connections, "
            + $"{(plan.Errors > 0 ? $"{plan.Errors} error paths" : $"{plan.Time.TotalMinutes} minutes")}, seed {plan.Seed}, port {port}");
        var folder = Directory.CreateTempSubdirectory("aerie-udf-").FullName;
        try
        {
            var spaces = NodeProgram.Namespace(Namespace, "data-size 64M") + $"\nmod-lua {{\n user-path {folder}\n}}";
            for (var i = 0; i < UdfScripts.ManyModules; i++)
            {
                File.WriteAllText(Path.Combine(folder, UdfScripts.ManyModule(i) + ".lua"), $"function f(rec) return {i} end");
            }

            using var node = NodeProgram.Start(NodeProgram.Configuration(port, spaces), port, launcher: plan.Launcher);
            Run(node);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        return _checks.Summary();
    }

    private void Run(NodeProgram node)
    {
        using (var client = new AerieClient(
            new ClientPolicy { SeedsOnly = true, ConnectTimeout = SettleMax }, HostAddress.Parse($"127.0.0.1:{port}")))
        {
            var modules = new ModuleChanger(client, _tally);
            modules.RegisterAll();
            _workers = [.. Enumerable.Range(0, plan.Connections).Select(number => new UdfWorker(port, number, plan.Seed, _tally, modules))];
            _gets = [.. Enumerable.Range(0, GetConnections).Select(number => new GetWorker(port, number, _tally))];
            var (handles, buffers) = (node.OpenHandles, BuffersLent(client));
            Load(node, modules);
            Judge(client);
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
    }

    private void Load(NodeProgram node, ModuleChanger modules)
    {
        using var stop = new ManualResetEventSlim();
        var threads = _workers.Select(worker => new Thread(() => worker.Run(stop)))
            .Concat(_gets.Select(gets => new Thread(() => gets.Run(stop))))
            .Append(new Thread(() => modules.Run(stop)))
            .ToList();
        threads.ForEach(thread => thread.Start());
        var watch = Stopwatch.StartNew();
        var nextLine = TimeSpan.Zero;
        while (!IsDone(watch.Elapsed) && !node.HasExited)
        {
            stop.Wait(SampleEvery);
            if (!node.HasExited)
            {
                _resident.Add(node.ResidentBytes);
            }

            if (watch.Elapsed >= nextLine && _resident.Count > 0)
            {
                nextLine += TimeSpan.FromSeconds(30);
                Checks.Say($"{watch.Elapsed.TotalSeconds:0} s: {_tally.ErrorPaths} error paths, {_tally.SingleCompleted} calls without, "
                    + $"{modules.Started} versions, RSS {_resident[^1] >> 20} MiB, {_tally.Problems} problems");
            }
        }

        _checks.That(!node.HasExited, $"the node lives{(node.HasExited ? $" no more: {string.Join('\n', node.Lines.TakeLast(10))}" : "")}");
        stop.Set();
        threads.ForEach(thread => thread.Join());
        var rate = _tally.ErrorPaths / watch.Elapsed.TotalSeconds;
        Checks.Say($"{_tally.ErrorPaths} error paths in {watch.Elapsed.TotalSeconds:0} s, {rate:0}/s; {_tally.Caught} errors caught in "
            + $"functions, {_tally.SingleCompleted + _tally.BatchCompleted} calls without, "
            + $"{modules.Started} versions of a module, {_tally.Refused} times busy");
    }

    private bool IsDone(TimeSpan elapsed) =>
        plan.Errors > 0 ? _tally.ErrorPaths >= plan.Errors || elapsed > TimeMax : elapsed >= plan.Time;

    private void Judge(AerieClient client)
    {
        _checks.That(_tally.Problems == 0, $"{_tally.Problems} wrong answers");
        _checks.That(_tally.ErrorPaths >= plan.Errors, $"{_tally.ErrorPaths} error paths, wanted {plan.Errors}");
        JudgeGets();
        JudgeMemory();
        JudgeRecords(client);
        JudgeCounters(client);
        JudgeFunctions(client);
    }

    private void JudgeGets()
    {
        var times = _gets.SelectMany(gets => gets.Microseconds).Order().ToList();
        var (middle, late) = (times[times.Count / 2], times[(int)(times.Count * 0.99)]);
        _checks.That(
            late <= GetMax.TotalMicroseconds,
            $"{times.Count} gets meanwhile: median {middle} µs, p99 {late} µs, at most {GetMax.TotalMilliseconds:0} ms; longest "
            + $"{times[^1]} µs");
    }

    // A function that takes all the memory that it may have shows for a moment, so single samples say little.
    private void JudgeMemory()
    {
        var some = Math.Max(1, _resident.Count / 5);
        var middle = Median(_resident.Skip(_resident.Count / 2).Take(some));
        var end = Median(_resident.TakeLast(some));
        var growth = (end * 100.0 / middle) - 100;
        _checks.That(growth <= 10, $"RSS: {middle >> 10} KiB in the middle, {end >> 10} KiB at the end: {growth:0.0} %, at most 10 %");
    }

    private void JudgeRecords(AerieClient client)
    {
        var wrong = _workers.Count(worker => NumberOf(client, worker.Key) != worker.Sum)
            + _workers.Sum(worker => Enumerable.Range(0, UdfWorker.RowsOfBatch)
                .Count(row => NumberOf(client, worker.BatchKey(row)) != worker.BatchSum(row)));
        _checks.That(wrong == 0, $"{wrong} records of {_workers.Length * (1 + UdfWorker.RowsOfBatch)} have a wrong sum");
        var hot = NumberOf(client, UdfWorker.HotKey);
        _checks.That(hot == _tally.HotSum, $"the record that all share has {hot}, acknowledged were {_tally.HotSum}");
    }

    private void JudgeCounters(AerieClient client)
    {
        var counted = InfoText.Pairs(client.Info($"namespace/{Namespace}"));
        JudgeBlock("client", _tally.SingleCompleted, _tally.SingleFailed + _tally.Refused);
        JudgeBlock("batch_sub", _tally.BatchCompleted, _tally.BatchFailed);

        void JudgeBlock(string block, long completed, long failed)
        {
            var (good, bad) = (Number($"{block}_udf_complete"), Number($"{block}_udf_error"));
            var lang = Number($"{block}_lang_read_success") + Number($"{block}_lang_write_success")
                + Number($"{block}_lang_delete_success");
            _checks.That(
                (good, bad) == (completed, failed), $"{block}: {good} complete and {bad} errors counted, {completed} and {failed} seen");
            _checks.That(
                (lang, Number($"{block}_lang_error")) == (completed, failed), $"{block}: the counters of the language say the same");
        }

        long Number(string key) => InfoText.Number(counted, key);
    }

    private void JudgeFunctions(AerieClient client)
    {
        var counted = client.Info("udf-stats").Split(';', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => InfoText.Pairs(line, ':'))
            .Where(pairs => pairs["module"] == UdfScripts.Module)
            .ToDictionary(pairs => pairs["function"], pairs => (InfoText.Number(pairs, "calls"), InfoText.Number(pairs, "errors")));
        var wrong = UdfScripts.All.Where((script, number) => counted.GetValueOrDefault(script.Name)
            != (_tally.CallsOf(number), _tally.CallsOf(number))).Select(script => script.Name).ToList();
        _checks.That(wrong.Count == 0, $"udf-stats: {UdfScripts.All.Count} functions, counted otherwise: {string.Join(' ', wrong)}");
    }

    private static long NumberOf(AerieClient client, string key) => client.Get(new Key(Namespace, "s", key))?["n"].AsLong() ?? 0;

    private static long BuffersLent(AerieClient client) => InfoText.Sum(InfoText.Pairs(client.Info("aerie-stats")), ".buffers_lent");

    private static long Median(IEnumerable<long> values) => values.Order().ElementAt(values.Count() / 2);
}

using System.Collections.Concurrent;
using System.Globalization;
using Aerie.Client;
using Aerie.TestKit;
using Aerie.Tools.Bench;

namespace Aerie.Soak.Devices;

/// Rate 0: as fast as the connections can.
internal sealed record SteadyPlan(
    TimeSpan Time, int Connections, int ValueSize, int FileMegabytes, int UsedPct, double Rate, string? File, string Launcher);

/// Reads and updates, half and half, on a file that is nearly full: whether the node keeps up with freeing what updates leave
/// behind, for as long as it is asked to, at the same latency as in the beginning.
internal sealed class SteadyRun(int port, SteadyPlan plan)
{
    private const int WindowsPerRun = 6;
    private const double LatencyRatioMax = 1.5;
    private const double GrowthPercentMax = 5;

    /// Below it writes stop, unless configured otherwise.
    private const int AvailablePctMin = 5;

    private static readonly TimeSpan SampleEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly Checks _checks = new();
    private readonly List<LatencyHistogram> _latencies = [];
    private readonly ConcurrentQueue<SteadySample> _samples = new();
    private SteadySample _last;

    public int Run() => DeviceNode.WithFile(plan.File, file => Run(new DeviceNode(port, plan.ValueSize, file, plan.FileMegabytes)));

    // Shorter runs are cut into as many parts, so that there is a first and a last window.
    private TimeSpan Interval => plan.Time >= TimeSpan.FromMinutes(WindowsPerRun) ? TimeSpan.FromMinutes(1) : plan.Time / WindowsPerRun;

    private int Run(DeviceNode device)
    {
        Console.WriteLine($"steady: {plan.Time.TotalMinutes} minutes, {plan.Connections} connections, values of {plan.ValueSize} bytes, "
            + $"{plan.FileMegabytes} MB filled to {plan.UsedPct} %, port {port}");
        using var node = NodeProgram.Start(device.Configuration, port, launcher: plan.Launcher);
        using var client = device.Connect();
        var keys = FillTo(device, client);
        var imageBytes = (double)DeviceNode.Number(client, "data_used_bytes") / DeviceNode.Number(client, "objects");
        var before = _last = SteadySample.Of(node, client);
        Checks.Say($"{keys} records of {imageBytes:0} bytes: {before}");
        var result = Load(device, node, keys);
        var after = SteadySample.Of(node, client);
        JudgeErrors(result, node);
        JudgeSpace(client, keys);
        JudgeLatency();
        JudgeMemory();
        SayAmplification(before, after, imageBytes);
        node.Signal("TERM");
        var code = node.WaitForExit(Patience);
        _checks.That(code == 0, $"SIGTERM ends the node with {code}");
        return _checks.Summary();
    }

    // What a record takes is asked of the namespace, by the first few.
    private int FillTo(DeviceNode device, AerieClient client)
    {
        const int FirstKeys = 10_000;
        device.Fill(client, FirstKeys);
        var state = DeviceNode.State(client);
        var each = (double)InfoText.Number(state, "data_used_bytes") / FirstKeys;
        var keys = (int)(InfoText.Number(state, "data_total_bytes") * (plan.UsedPct / 100.0) / each) + 1;
        device.Fill(client, keys);
        var used = DeviceNode.Number(client, "data_used_pct");
        _checks.That(used >= plan.UsedPct - 1, $"filled to {used} %");
        return keys;
    }

    private BenchResult Load(DeviceNode device, NodeProgram node, int keys)
    {
        using var stop = new ManualResetEventSlim();
        var sampler = new Thread(() => Sample(device, node, stop));
        sampler.Start();
        using var client = device.Connect();
        try
        {
            var options = device.Load(keys, Workload.Mixed) with
            {
                Connections = plan.Connections,
                Rate = plan.Rate,
                Duration = plan.Time,
                ReportEvery = Interval,
            };
            return new LoadRun(options, interval => Tell(interval, SteadySample.Of(node, client))).Execute();
        }
        finally
        {
            stop.Set();
            sampler.Join();
        }
    }

    private void Tell(LoadInterval interval, SteadySample now)
    {
        _latencies.Add(interval.Latencies);
        var written = (now.WrittenBytes - _last.WrittenBytes) / interval.Seconds / 1e6;
        var samples = (int)Math.Ceiling(interval.Seconds / SampleEvery.TotalSeconds);
        var least = _samples.TakeLast(samples).Append(now).Min(static sample => sample.AvailablePct);
        Checks.Say(string.Create(CultureInfo.InvariantCulture, $"{interval}   {now}, at least {least} %, {written:0} MB/s written"));
        _last = now;
    }

    private void Sample(DeviceNode device, NodeProgram node, ManualResetEventSlim stop)
    {
        try
        {
            using var client = device.Connect();
            do
            {
                _samples.Enqueue(SteadySample.Of(node, client));
            }
            while (!stop.Wait(SampleEvery));
        }
        catch (Exception failure)
        {
            _checks.That(false, $"the node stops answering: {failure.Message}");
        }
    }

    // ---- what must hold ----

    private void JudgeErrors(BenchResult result, NodeProgram node)
    {
        var kinds = string.Join(", ", result.ErrorsByKind.Select(kind => $"{kind.Key} × {kind.Value}"));
        _checks.That(
            result.Errors == 0, $"{result.Errors} errors in {result.Operations} operations{(kinds.Length > 0 ? $": {kinds}" : "")}");
        _checks.That(result.Operations > 0 && !node.HasExited, $"{result.OperationsPerSecond:N0} operations a second");
    }

    private void JudgeSpace(AerieClient client, int keys)
    {
        var least = _samples.Min(static sample => sample.AvailablePct);
        var stopped = _samples.Count(static sample => sample.StopsWrites);
        _checks.That(least >= AvailablePctMin, $"data_avail_pct is {least} at least, and writes stop below {AvailablePctMin}");
        _checks.That(stopped == 0, $"writes were stopped in {stopped} of {_samples.Count} samples");
        var objects = DeviceNode.Number(client, "objects");
        _checks.That(objects == keys, $"{objects} objects of {keys}");
    }

    private void JudgeLatency()
    {
        var window = Math.Max(1, _latencies.Count / WindowsPerRun);
        var (first, last) = (Sum(_latencies.Take(window)), Sum(_latencies.TakeLast(window)));
        var (before, after) = (first.PercentileMicroseconds(99), last.PercentileMicroseconds(99));
        var seconds = (window * Interval).TotalSeconds;
        _checks.That(
            after <= LatencyRatioMax * before,
            $"p99 of the last {seconds:0} s is {after:N0} µs, of the first {before:N0} µs: {after / before:0.00} times, "
            + $"at most {LatencyRatioMax}");
    }

    // Levels, not peaks: blocks come and go by 8 MiB.
    private void JudgeMemory()
    {
        var window = Math.Max(1, _samples.Count / WindowsPerRun);
        var first = Median(_samples.Skip(window).Take(window));
        var last = Median(_samples.TakeLast(window));
        var growth = (last * 100.0 / first) - 100;
        _checks.That(
            growth <= GrowthPercentMax,
            $"RSS is {first >> 20} MiB in the second sixth of the run and {last >> 20} MiB in the last: {growth:0.0} %, "
            + $"at most {GrowthPercentMax} %");
    }

    private static void SayAmplification(SteadySample before, SteadySample after, double imageBytes)
    {
        var written = after.WrittenBytes - before.WrittenBytes;
        var asked = (after.Writes - before.Writes) * imageBytes;
        Checks.Say(string.Create(
            CultureInfo.InvariantCulture,
            $"write amplification {written / asked:0.00}: {written / 1e6:N0} MB written by the process (/proc/PID/io write_bytes), "
            + $"{asked / 1e6:N0} MB of images asked for by {after.Writes - before.Writes} updates (client_write_success)"));
    }

    private static LatencyHistogram Sum(IEnumerable<LatencyHistogram> parts)
    {
        var sum = new LatencyHistogram();
        parts.ToList().ForEach(sum.Add);
        return sum;
    }

    private static long Median(IEnumerable<SteadySample> samples)
    {
        var sorted = samples.Select(static sample => sample.ResidentBytes).Order().ToList();
        return sorted[sorted.Count / 2];
    }
}

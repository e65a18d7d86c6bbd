using Aerie.Foundation;
using Aerie.Io;

namespace Aerie.Tools.Bench;

/// One run of the generator: connects, starts the loops, prints a line each second, and adds everything up.
public sealed class LoadRun(BenchOptions options, TextWriter? progress = null)
{
    private readonly SystemClock _clock = new();

    /// Throws BenchException with one line when the options or the server do not allow a run.
    public BenchResult Execute()
    {
        if (options.Complaint() is { } complaint)
        {
            throw new BenchException(complaint);
        }

        var plan = new LoadPlan(options, _clock);
        var loops = new List<LoadLoop>();
        try
        {
            ProcessLimits.RaiseOpenFiles();
            for (var thread = 0; thread < options.Threads; thread++)
            {
                var loop = new LoadLoop(plan, thread, new EpollEngine(_clock));
                loops.Add(loop);
                loop.Connect();
            }

            return Measure(plan, loops);
        }
        catch (IoException failure)
        {
            throw new BenchException(failure.Message);
        }
        finally
        {
            loops.ForEach(loop => loop.Dispose());
        }
    }

    private BenchResult Measure(LoadPlan plan, List<LoadLoop> loops)
    {
        using var finished = new CountdownEvent(loops.Count);
        plan.Begin();
        var threads = loops.ConvertAll(loop => new Thread(() => RunLoop(loop, finished)) { Name = "aerie-load" });
        threads.ForEach(thread => thread.Start());

        WaitUntil(plan.MeasureFrom, finished);
        var from = _clock.MonotonicNanoseconds;
        var before = options.Pid is { } pid ? ServerCpu.Of(pid) : default;
        ReportUntil(plan.End, loops, finished);
        var after = options.Pid is { } samePid ? ServerCpu.Of(samePid) : default;
        var seconds = (_clock.MonotonicNanoseconds - from) / 1e9;

        threads.ForEach(thread => thread.Join());
        return BenchResult.Of(plan, loops, Sum(loops), seconds, options.Pid is null ? null : after - before);
    }

    private static void RunLoop(LoadLoop loop, CountdownEvent finished)
    {
        try
        {
            loop.Run();
        }
        finally
        {
            finished.Signal();
        }
    }

    private void ReportUntil(long end, List<LoadLoop> loops, CountdownEvent finished)
    {
        var earlier = Sum(loops);
        var operations = loops.Sum(loop => loop.Operations);
        var second = 1;
        for (var next = _clock.MonotonicNanoseconds + 1_000_000_000; next < end; next += 1_000_000_000)
        {
            if (WaitUntil(next, finished))
            {
                return;
            }

            var now = Sum(loops);
            var done = loops.Sum(loop => loop.Operations);
            var interval = now.Since(earlier);
            var errors = loops.Sum(loop => loop.Lost + loop.Tally.ByCode.Sum());
            progress?.WriteLine(
                $"{second,5} s {done - operations,10:N0} ops/s {errors,6} errors"
                + $"   p50 {interval.PercentileMicroseconds(50),8:N1} µs   p99 {interval.PercentileMicroseconds(99),8:N1} µs");
            (earlier, operations) = (now, done);
            second++;
        }

        WaitUntil(end, finished);
    }

    /// True when all loops have ended before.
    private bool WaitUntil(long time, CountdownEvent finished)
    {
        var left = (time - _clock.MonotonicNanoseconds) / 1_000_000;
        return finished.Wait((int)Math.Clamp(left, 0, int.MaxValue));
    }

    private static LatencyHistogram Sum(List<LoadLoop> loops)
    {
        var sum = new LatencyHistogram();
        loops.ForEach(loop => sum.Add(loop.Latencies));
        return sum;
    }
}

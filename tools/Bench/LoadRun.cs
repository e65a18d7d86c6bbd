using Aerie.Foundation;
using Aerie.Io;

namespace Aerie.Tools.Bench;

/// One run of the generator: connects, starts the loops, tells of each interval, and adds everything up.
public sealed class LoadRun(BenchOptions options, Action<LoadInterval>? told = null)
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
        ReportUntil(plan, loops, finished);
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

    private void ReportUntil(LoadPlan plan, List<LoadLoop> loops, CountdownEvent finished)
    {
        var length = (long)(options.ReportEvery.TotalSeconds * 1e9);
        var (from, end) = (plan.MeasureFrom, plan.End);
        var earlier = Sum(loops);
        var operations = loops.Sum(loop => loop.Operations);
        for (var next = from + length; next <= end; next += length)
        {
            if (WaitUntil(next, finished) && next < end)
            {
                return;
            }

            var now = Sum(loops);
            var done = loops.Sum(loop => loop.Operations);
            var errors = loops.Sum(loop => loop.Lost + loop.Tally.ByCode.Sum() + loop.Tally.Unexpected);
            told?.Invoke(new LoadInterval((next - from) / 1e9, length / 1e9, done - operations, errors, now.Since(earlier)));
            (earlier, operations) = (now, done);
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

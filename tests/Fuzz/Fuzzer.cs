using System.Diagnostics;

namespace Aerie.Fuzz;

/// What a run is allowed to cost. A parser may refuse an input, but not take long or much memory over it.
internal sealed record FuzzLimits
{
    /// Processor time of one input. It takes microseconds; whoever needs a second would stop an event loop for everybody.
    /// Not wall-clock time: on a busy machine the fuzzer may not run for a second.
    public TimeSpan PerInput { get; init; } = TimeSpan.FromSeconds(1);

    /// An input that waits for something takes no processor time, and shows here.
    public TimeSpan PerInputWaiting { get; init; } = TimeSpan.FromSeconds(60);

    /// Managed memory one input may allocate: a few times the largest input.
    public long AllocatedBytesPerInput { get; init; } = 16 * 1024 * 1024;

    /// Growth of the whole process over a run; finds native memory that is not given back.
    public long ProcessGrowthBytes { get; init; } = 256 * 1024 * 1024;
}

/// How a run ended. Without a finding, Problem is null.
internal sealed record FuzzResult(long Inputs, TimeSpan Elapsed, string? Problem, byte[]? Input);

/// Runs one target on mutated inputs on its own thread and watches it from the caller's, so that even an endless loop
/// is reported with its input. The first finding ends the run.
internal sealed class Fuzzer(FuzzTarget target, FuzzLimits limits)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan ReportEvery = TimeSpan.FromSeconds(5);
    private const int MemoryCheckInputs = 20_000;

    private byte[] _current = [];
    private int _currentLength;
    private long _inputs;
    private string? _problem;

    public FuzzResult Run(Corpus corpus, int seed, long inputs, Action<string>? report = null)
    {
        var watch = Stopwatch.StartNew();
        var worker = new Thread(() => Work(corpus, seed, inputs), maxStackSize: 1024 * 1024) { IsBackground = true };
        worker.Start();

        var lastCount = -1L;
        var lastChange = (Wall: watch.Elapsed, Processor: Environment.CpuUsage.TotalTime);
        var lastReport = watch.Elapsed;
        while (!worker.Join(LookEvery))
        {
            var count = Interlocked.Read(ref _inputs);
            if (count != lastCount)
            {
                (lastCount, lastChange) = (count, (watch.Elapsed, Environment.CpuUsage.TotalTime));
            }
            else if (Environment.CpuUsage.TotalTime - lastChange.Processor > limits.PerInput
                || watch.Elapsed - lastChange.Wall > limits.PerInputWaiting)
            {
                return Finding(watch, $"hangs: more than {limits.PerInput.TotalSeconds:0.#} s for one input");
            }

            if (watch.Elapsed - lastReport > ReportEvery)
            {
                lastReport = watch.Elapsed;
                report?.Invoke($"{count:N0} inputs, {count / watch.Elapsed.TotalSeconds:N0}/s, {Environment.WorkingSet >> 20} MiB");
            }
        }

        return _problem is null ? new FuzzResult(_inputs, watch.Elapsed, null, null) : Finding(watch, _problem);
    }

    /// Every seed as it is, then mutations. A crash of the process (stack overflow, access violation) cannot be caught:
    /// the input is then found by running the same seed again with fewer inputs.
    private void Work(Corpus corpus, int seed, long inputs)
    {
        var mutator = new Mutator(corpus.Seeds, corpus.Tokens, new Random(seed));
        var processBytes = 0L;
        for (var i = 0L; i < inputs && _problem is null; i++)
        {
            RunOne(i < corpus.Seeds.Count ? corpus.Seeds[(int)i] : mutator.Next());
            Interlocked.Increment(ref _inputs);
            if (i % MemoryCheckInputs == MemoryCheckInputs - 1 && _problem is null)
            {
                GC.Collect();
                var now = Environment.WorkingSet;
                processBytes = processBytes == 0 ? now : processBytes; // the first look is after warming up
                if (now - processBytes > limits.ProcessGrowthBytes)
                {
                    _problem = $"leaks: the process grew by {(now - processBytes) >> 20} MiB";
                }
            }
        }
    }

    private void RunOne(ReadOnlySpan<byte> input)
    {
        Remember(input);
        var before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            target(input);
        }
        catch (Exception thrown)
        {
            _problem = $"throws: {thrown}";
            return;
        }

        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        if (allocated > limits.AllocatedBytesPerInput)
        {
            _problem = $"takes memory: {allocated:N0} bytes for an input of {input.Length:N0}";
        }
    }

    private void Remember(ReadOnlySpan<byte> input)
    {
        if (_current.Length < input.Length)
        {
            _current = new byte[input.Length * 2];
        }

        input.CopyTo(_current);
        _currentLength = input.Length;
    }

    private FuzzResult Finding(Stopwatch watch, string problem) =>
        new(_inputs, watch.Elapsed, problem, _current[.._currentLength]);
}

using Aerie.Foundation;
using Aerie.Io;

namespace Aerie.Tools.Bench;

/// What all loops of a run share, fixed before they start.
internal sealed class LoadPlan(BenchOptions options, IClock clock)
{
    public BenchOptions Options { get; } = options;

    public IClock Clock { get; } = clock;

    public KeyTable Keys { get; } = new(options.Set, options.Keys);

    public RequestTemplate[] Requests { get; } = options.Workload.RequestsOf(options);

    /// Set together when all connections stand.
    public long Start { get; private set; }

    /// Answers from here on are counted.
    public long MeasureFrom { get; private set; }

    /// Nothing is sent from here on. A workload without limit of time ends when all keys are sent.
    public long End { get; private set; }

    public void Begin()
    {
        Start = Clock.MonotonicNanoseconds;
        MeasureFrom = Options.Workload.IsTimed ? Start + Nanoseconds(Options.Warmup) : Start;
        End = Options.Workload.IsTimed ? MeasureFrom + Nanoseconds(Options.Duration) : long.MaxValue;
    }

    public int ConnectionsOf(int thread) => FirstConnectionOf(thread + 1) - FirstConnectionOf(thread);

    public int FirstConnectionOf(int thread) => FirstOf(Options.Connections, thread);

    /// The keys that a thread has for itself, where they are not chosen from all.
    public (int First, int End) KeysOf(int thread) => (FirstOf(Options.Keys, thread), FirstOf(Options.Keys, thread + 1));

    /// Where a thread's share of so many things begins.
    private int FirstOf(int total, int thread) => (int)((long)total * thread / Options.Threads);

    private static long Nanoseconds(TimeSpan time) => (long)(time.TotalSeconds * 1e9);
}

using Aerie.Foundation;
using Aerie.Io;

namespace Aerie.Tools.Bench;

/// What all loops of a run share, fixed before they start.
internal sealed class LoadPlan(BenchOptions options, IClock clock)
{
    public BenchOptions Options { get; } = options;

    public IClock Clock { get; } = clock;

    public KeyTable Keys { get; } = new(options.Set, options.Keys);

    public RequestTemplates Templates { get; } = new(options);

    /// Set together when all connections stand.
    public long Start { get; private set; }

    /// Answers from here on are counted.
    public long MeasureFrom { get; private set; }

    /// Nothing is sent from here on. An insert ends when all keys are sent.
    public long End { get; private set; }

    public void Begin()
    {
        Start = Clock.MonotonicNanoseconds;
        MeasureFrom = Options.Workload == Workload.Insert ? Start : Start + Nanoseconds(Options.Warmup);
        End = Options.Workload == Workload.Insert ? long.MaxValue : MeasureFrom + Nanoseconds(Options.Duration);
    }

    public int ConnectionsOf(int thread) => FirstConnectionOf(thread + 1) - FirstConnectionOf(thread);

    public int FirstConnectionOf(int thread) => FirstOf(Options.Connections, thread);

    /// The keys that a thread inserts.
    public (int First, int End) KeysOf(int thread) => (FirstOf(Options.Keys, thread), FirstOf(Options.Keys, thread + 1));

    /// Where a thread's share of so many things begins.
    private int FirstOf(int total, int thread) => (int)((long)total * thread / Options.Threads);

    private static long Nanoseconds(TimeSpan time) => (long)(time.TotalSeconds * 1e9);
}

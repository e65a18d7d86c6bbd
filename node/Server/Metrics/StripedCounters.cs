namespace Aerie.Server.Metrics;

/// Counters that several threads raise without meeting: each thread owns a stripe and is its only writer, so an increment
/// is a plain add in its own cache lines. Readers sum the stripes; a sum is exact once the writers are quiet.
public sealed class StripedCounters<TCounter>
    where TCounter : struct, Enum
{
    private static readonly int CounterCount = Enum.GetValues<TCounter>().Length;

    // Padding on both sides keeps one stripe's first and last counters out of its neighbours' cache lines.
    private const int Padding = 16;

    private readonly long[][] _stripes;

    public StripedCounters(int stripes)
    {
        _stripes = new long[stripes][];
        for (var i = 0; i < stripes; i++)
        {
            _stripes[i] = new long[CounterCount + (2 * Padding)];
        }
    }

    public void Add(int stripe, TCounter counter, long amount = 1) => _stripes[stripe][Slot(counter)] += amount;

    public long Sum(TCounter counter)
    {
        long sum = 0;
        foreach (var stripe in _stripes)
        {
            sum += Volatile.Read(ref stripe[Slot(counter)]);
        }

        return sum;
    }

    private static int Slot(TCounter counter) => System.Runtime.CompilerServices.Unsafe.As<TCounter, int>(ref counter) + Padding;
}

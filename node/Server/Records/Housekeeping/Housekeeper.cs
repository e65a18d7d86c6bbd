using Aerie.Foundation;
using Microsoft.Extensions.Logging;

namespace Aerie.Server.Records.Housekeeping;

/// Everything that the namespaces of a node do by themselves: expiry, eviction, truncation, tombstones, defragmentation,
/// and watching their limits. One thread steps it. A step works for a moment and says how long to rest, so that sweeps stay
/// within their share of one core; a log that runs out of free blocks gets as much as it needs.
public sealed class Housekeeper : IDisposable
{
    /// Longest work in one step.
    private const long StepNanoseconds = 2_000_000;

    /// Ends a step even when time stands still, as it does in simulations.
    private const int PiecesMax = 16 * 1024;

    private const int WaitMillisecondsMax = 1000;
    private const long WatchNanoseconds = 1_000_000_000;

    private readonly IClock _clock;
    private readonly Func<int?> _systemMemoryUsedPct;
    private readonly CapacityWatch[] _watches;
    private readonly Chore[] _chores;
    private long _nextWatch;
    private int _turn;
    private long _busyNanoseconds;
    private long _pieces;

    /// `systemMemoryUsedPct`: null when unknown. Asked once a second.
    public Housekeeper(Namespaces namespaces, IClock clock, ILogger log, Func<int?> systemMemoryUsedPct)
    {
        _clock = clock;
        _systemMemoryUsedPct = systemMemoryUsedPct;
        var now = clock.MonotonicNanoseconds;
        _nextWatch = now;
        _watches = [.. namespaces.All.Select(records => new CapacityWatch(records, log))];
        _chores = [.. namespaces.All.SelectMany(records => new Chore[]
        {
            new Defragmenter(records, log),
            new TruncationSweep(records),
            new NsupCycle(records, log, now),
            new TombstoneSweep(records, now),
        })];
    }

    /// Time spent working since the start: its share of a core, for statistics. Any thread.
    public long BusyNanoseconds => Volatile.Read(ref _busyNanoseconds);

    /// Pieces of work done since the start. Any thread.
    public long Pieces => Volatile.Read(ref _pieces);

    /// Works for a moment. Returns in how many milliseconds it wants to go on; 0: at once.
    public long Step(Worker worker)
    {
        worker.BeginTurn();
        var begun = _clock.MonotonicNanoseconds;
        if (begun >= _nextWatch)
        {
            Watch(begun);
        }

        var now = begun;
        var share = 0;
        for (var pieces = 0; pieces < PiecesMax && now - begun < StepNanoseconds && NextDue(now) is { } chore; pieces++)
        {
            chore.DoPiece(worker, now);
            share = Math.Max(share, chore.SharePercent);
            _pieces++;
            now = _clock.MonotonicNanoseconds;
        }

        _busyNanoseconds += now - begun;
        return Math.Min(Math.Max(UntilDue(now), Rest(now - begun, share)), WaitMillisecondsMax);
    }

    /// Only when no command runs any more.
    public void Dispose()
    {
        foreach (var chore in _chores)
        {
            (chore as IDisposable)?.Dispose();
        }
    }

    private void Watch(long now)
    {
        _nextWatch = now + WatchNanoseconds;
        var memory = _systemMemoryUsedPct();
        foreach (var watch in _watches)
        {
            watch.Look(memory);
        }
    }

    // In turns, so that a long sweep of one namespace holds up nothing else.
    private Chore? NextDue(long now)
    {
        for (var looked = 0; looked < _chores.Length; looked++)
        {
            var chore = _chores[_turn];
            _turn = _turn + 1 == _chores.Length ? 0 : _turn + 1;
            if (chore.DueAt(now) <= now)
            {
                return chore;
            }
        }

        return null;
    }

    private long UntilDue(long now)
    {
        var due = _nextWatch;
        foreach (var chore in _chores)
        {
            due = Math.Min(due, chore.DueAt(now));
        }

        return due <= now ? 0 : (due - now + 999_999) / 1_000_000;
    }

    // Work and rest together give the share; what is due sooner waits.
    private static long Rest(long worked, int share) =>
        share is 0 or >= 100 ? 0 : Math.Max(1, worked * (100 - share) / share / 1_000_000);
}

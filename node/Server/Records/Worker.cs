using Aerie.DataModel.Bins;
using Aerie.DataModel.Expressions;
using Aerie.DataModel.Packed;
using Aerie.Foundation;
using Aerie.Index.Holds;
using Aerie.Server.Records.Fetching;
using Aerie.Server.Records.Flushing;

namespace Aerie.Server.Records;

/// What one thread that touches records carries along: its number (which stripe of counters and which append cursor are
/// its own), the time of its current turn, and its draft. Never shared between threads.
public sealed class Worker : IDisposable
{
    /// Answers of one operation: all bins of the largest record, and some more for what is worked out on the way.
    private const int AnswerMax = 32 * 1024 * 1024;

    private readonly LastUpdateClock _lastUpdateClock;
    private readonly Action<UnreadableImage>? _unreadable;
    private MissingImage _missing;

    public Worker(int number, IClock clock, LastUpdateClock lastUpdateClock, Action<UnreadableImage>? unreadable = null)
    {
        _lastUpdateClock = lastUpdateClock;
        _unreadable = unreadable;
        Number = number;
        Clock = clock;
        Outcome = new OpOutcome(Draft.Scratch, new GrowingBytes(AnswerMax));
    }

    public int Number { get; }

    public RecordDraft Draft { get; } = new();

    /// What the operation leaves that runs: new values lie in the draft's scratch.
    public OpOutcome Outcome { get; }

    /// What operations of the data model need on the way.
    internal OpScratches Scratches { get; } = new();

    /// The condition of the command that runs; null: it has none.
    internal ExpProgram? Filter { get; set; }

    /// For images that are not stored as they are.
    public ImageScratch Scratch { get; } = new();

    public IClock Clock { get; }

    /// Waiters who became owners, or must start over, in a section that is still under a partition's gate.
    public List<WokenWaiter> Woken { get; } = [];

    /// What was read from devices for the command that runs.
    public ImageFetch? Fetched { get; set; }

    /// The command that runs needs an image that must be read first. It has left no trace, and runs again when it is there.
    public bool LacksImage { get; private set; }

    /// What the commands of this turn have changed that must be safe before their replies go out.
    public CommitMarks Commits { get; } = new();

    public long UnixMilliseconds { get; private set; }

    /// Seconds since 2010 by the wall clock: what void-times are compared with.
    public uint NowSeconds { get; private set; }

    /// The last-update-time that writes of this turn get.
    public ulong LastUpdateTime { get; private set; }

    /// Reads the clocks once; a turn of the loop lasts far less than their resolution.
    public void BeginTurn()
    {
        UnixMilliseconds = Clock.UnixMilliseconds;
        NowSeconds = CitrusTime.Seconds(UnixMilliseconds);
        LastUpdateTime = _lastUpdateClock.Advance(CitrusTime.Milliseconds(UnixMilliseconds));
    }

    /// The command that runs cannot go on without this.
    public void Lack(in MissingImage image)
    {
        LacksImage = true;
        _missing = image;
    }

    /// For the operator.
    public void Report(in UnreadableImage image) => _unreadable?.Invoke(image);

    public void Dispose() => Scratch.Dispose();

    /// What the command lacked; the next one begins afresh.
    public MissingImage TakeMissing()
    {
        Invariant.Holds(LacksImage);
        LacksImage = false;
        return _missing;
    }

    /// Tells the waiters of the sections since the last call: once a turn. No gate may be held: telling another loop allocates
    /// and enters the kernel.
    public void TellWoken()
    {
        if (Woken.Count == 0)
        {
            return;
        }

        foreach (var woken in Woken)
        {
            woken.Namespace.TellWaiter(woken);
        }

        Woken.Clear();
    }
}

/// A command that waited for a record and may go on: as its new owner, or from the start because the record is gone.
public readonly record struct WokenWaiter(Namespace Namespace, Digest Digest, Waiter Waiter, bool OwnsHold);

/// The node's last-update-times never go back, even if an operator sets the wall clock back: a truncation cuts by
/// last-update-time, and a write made after it must not look older than the cut. Void-times follow the wall clock.
public sealed class LastUpdateClock
{
    private ulong _latest;

    public ulong Latest => Volatile.Read(ref _latest);

    public ulong Advance(ulong wall)
    {
        var latest = Volatile.Read(ref _latest);
        while (wall > latest)
        {
            var seen = Interlocked.CompareExchange(ref _latest, wall, latest);
            if (seen == latest)
            {
                return wall;
            }

            latest = seen;
        }

        return latest;
    }
}

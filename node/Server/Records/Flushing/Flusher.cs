using Aerie.Foundation;
using Aerie.Io;
using Aerie.Server.Records.Checkpoints;
using Microsoft.Extensions.Logging;

namespace Aerie.Server.Records.Flushing;

/// Writes one persistent namespace out, round after round, and says when writing fails and when it goes on. One thread
/// steps it.
public sealed class Flusher(Namespace records, IClock clock, ILogger log, Checkpointer? checkpointer = null)
{
    /// How long to wait before a device that failed is tried again, and how often to look at one where nothing happens.
    private const int RetryMilliseconds = 1000;
    private const int LookMilliseconds = 1000;

    private const long NanosecondsPerMillisecond = 1_000_000;

    private long _lastRound = clock.MonotonicNanoseconds;

    public Namespace Records => records;

    /// Rounds that succeeded. Any thread.
    public long Rounds { get; private set; }

    /// Flushes when it is time. Returns in how many milliseconds it wants to go on, unless it is woken before; 0: at once.
    public int Step()
    {
        var now = clock.MonotonicNanoseconds;
        var isRetryLate = records.StorageFailure is null || now - _lastRound >= RetryMilliseconds * NanosecondsPerMillisecond;
        if (isRetryLate && Until(now) == 0)
        {
            Flush();
            now = clock.MonotonicNanoseconds;
        }

        if (records.StorageFailure is not null)
        {
            return RetryMilliseconds;
        }

        var longest = records.Options.Storage.FlushMaxMs is var most and > 0 ? most : LookMilliseconds;
        var until = Until(now);
        return until == FlushPace.Never
            ? longest
            : (int)Math.Min(longest, (until + NanosecondsPerMillisecond - 1) / NanosecondsPerMillisecond);
    }

    /// All that was appended, and the mark of a clean end. Nobody writes any more. False: it could not be written.
    public bool TryEnd()
    {
        try
        {
            FlushAndName();
            checkpointer?.Finish(FlushAndName);
            records.Register!.SaveClean();
            return true;
        }
        catch (DeviceException failure)
        {
            log.LogError("{{{Namespace}}} the last flush failed: {Reason}", records.Name, failure.Message);
            return false;
        }
    }

    private long Until(long now)
    {
        var options = records.Options.Storage;
        var recordLog = records.Log;
        var isRetry = records.StorageFailure is not null;
        var need = new FlushNeed(
            recordLog.UnflushedBytes, now - _lastRound, records.FlushSignal.IsAsked || isRetry, recordLog.QuarantinedBlocks,
            recordLog.FreeBlocks, recordLog.Stripes + 1);
        return FlushPace.Until(need, options.FlushSize, options.FlushMaxMs);
    }

    private void Flush()
    {
        var signal = records.FlushSignal;
        signal.Take();
        _lastRound = clock.MonotonicNanoseconds;
        try
        {
            FlushAndName();
            Rounds++;
            NoteHealth(null);
        }
        catch (DeviceException failure)
        {
            signal.NoteFailure();
            NoteHealth(failure.Message);
        }

        signal.RoundOver();
    }

    // A checkpoint whose blocks were written when the flush began is as safe as what it points at when the flush has succeeded.
    private void FlushAndName()
    {
        var ready = checkpointer?.Ready;
        records.Flush();
        if (ready is not null)
        {
            records.Register!.Name(ready.Place);
        }
    }

    // One line for each change, not for each attempt.
    private void NoteHealth(string? failure)
    {
        var known = records.StorageFailure;
        records.StorageFailure = failure;
        if (failure is not null && known is null)
        {
            log.LogError(
                "{{{Namespace}}} writes are stopped, the storage fails: {Reason}; tried again every second", records.Name, failure);
        }
        else if (failure is null && known is not null)
        {
            log.LogWarning("{{{Namespace}}} the storage takes writes again; nothing of what was acknowledged is lost", records.Name);
        }
    }
}

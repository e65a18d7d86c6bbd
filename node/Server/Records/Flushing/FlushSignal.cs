using Aerie.Server.Config;
using Aerie.Storage;

namespace Aerie.Server.Records.Flushing;

/// Between those who write and the flusher of their namespace: they ask for a flush, and the loops are told when a round is
/// over, whether it succeeded or not. Asking costs a look at one flag when somebody else has asked already.
public sealed class FlushSignal
{
    private readonly RecordLog _log;
    private long _flushSize;
    private int _asked;
    private long _failures;

    public FlushSignal(RecordLog log, StorageOptions options)
    {
        _log = log;
        Follow(options);
    }

    /// Wakes the flusher. Set before anybody writes.
    public Action Wake { get; set; } = static () => { };

    /// Tells the loops that a round is over. Set before they run.
    public Action RoundOver { get; set; } = static () => { };

    public bool IsAsked => Volatile.Read(ref _asked) != 0;

    /// Rounds that failed. Who waits and sees it rise has no promise any more.
    public long Failures => Interlocked.Read(ref _failures);

    /// Somebody waits for a flush that begins after this call.
    public void Ask()
    {
        if (Volatile.Read(ref _asked) == 0 && Interlocked.Exchange(ref _asked, 1) == 0)
        {
            Wake();
        }
    }

    internal void Follow(StorageOptions options) => Volatile.Write(ref _flushSize, options.FlushSize);

    internal void NoteAppended(int writer)
    {
        if (_log.UnflushedBytesOf(writer) >= Volatile.Read(ref _flushSize))
        {
            Ask();
        }
    }

    /// The flusher begins a round, which serves all who asked until now.
    internal void Take() => Interlocked.Exchange(ref _asked, 0);

    internal void NoteFailure() => Interlocked.Increment(ref _failures);
}

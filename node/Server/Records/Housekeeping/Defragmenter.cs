using Aerie.Foundation;
using Aerie.Storage;

namespace Aerie.Server.Records.Housekeeping;

/// Moves what still lives in nearly empty blocks together, so that whole blocks become free. One image is one piece: under
/// the gate of its record it checks that the index points exactly there, appends a copy, points the index at it and gives
/// the old place back. A record that changed meanwhile is left alone; nobody ever waits for the defragmenter.
internal sealed class Defragmenter(Namespace records) : Chore, IDisposable
{
    /// How often to look while blocks are being opened, and while nothing happens.
    private const long BusyLookNanoseconds = 5_000_000;
    private const long QuietLookNanoseconds = 100_000_000;

    private DefragVictim? _victim;
    private DefragPace _pace = new(1, CalmSharePercent, 0);
    private long _nextAt;
    private long _blocksOpened;

    private enum Move
    {
        More,
        EndOfVictim,
        NoRoom,
    }

    public override int SharePercent => _pace.SharePercent;

    public long Moved { get; private set; }

    public override long DueAt(long now) => _nextAt;

    public override void DoPiece(Worker worker, long now)
    {
        if (_victim is null)
        {
            PickVictim(now);
        }
        else
        {
            var move = MoveNext(_victim);
            if (move != Move.More)
            {
                PutDown(now, move == Move.NoRoom ? BusyLookNanoseconds : _pace.RestNanoseconds);
            }
        }
    }

    /// Only when nobody uses the log any more.
    public void Dispose() => _victim?.Dispose();

    private void PickVictim(long now)
    {
        var log = records.Log;
        var options = records.Options.Storage;
        _pace = DefragPace.Of(new LogRoom(
            log.BlockCount, log.FreeBlocks, log.Stripes + 1, log.DefragLwmPct, options.StopWritesAvailPct, options.DefragSleepUs));
        var isWorth = _pace.IsHurried || log.DefragQueue > options.DefragQueueMin;
        if (isWorth && log.TryPickVictim(_pace.BelowPct, out _victim))
        {
            return;
        }

        var opened = log.BlocksOpened;
        _nextAt = now + (_pace.IsHurried || opened != _blocksOpened ? BusyLookNanoseconds : QuietLookNanoseconds);
        _blocksOpened = opened;
    }

    private Move MoveNext(DefragVictim victim)
    {
        if (!victim.TryNext(out var image, out var location))
        {
            return Move.EndOfVictim;
        }

        var digest = new Digest(image.Slice(RecordImage.DigestOffset, Digest.Length));
        using var gate = records.Index.Enter(digest.Partition);
        if (!records.Index.TryFind(digest, out var handle) || records.Index[handle].Place != location.Bits)
        {
            return Move.More; // overwritten or deleted since
        }

        var log = records.Log;
        if (!log.TryAppend(log.DefragWriter, location.Length, out var copy, out var target))
        {
            return Move.NoRoom;
        }

        image.CopyTo(target);
        records.Index[handle].Place = log.Commit(copy, location.Units).Bits;
        log.Release(location);
        Moved++;
        return Move.More;
    }

    // A victim given up half-way is listed again with what is left in it. The next choice sees the log as it is then.
    private void PutDown(long now, long rest)
    {
        _victim?.Dispose();
        _victim = null;
        _nextAt = now + rest;
    }
}

using Aerie.Foundation;
using Aerie.Storage;
using Microsoft.Extensions.Logging;

namespace Aerie.Server.Records.Housekeeping;

/// Moves what still lives in nearly empty blocks together, so that whole blocks become free. One image is one piece: under
/// the gate of its record it checks that the index points exactly there, appends a copy, points the index at it and gives
/// the old place back. A record that changed meanwhile is left alone; nobody ever waits for the defragmenter. Marks of
/// removed records are moved as well, as long as anything is left on a device that they keep from coming back.
internal sealed class Defragmenter(Namespace records, ILogger logger) : Chore, IDisposable
{
    /// How often to look while blocks are being opened, and while nothing happens.
    private const long BusyLookNanoseconds = 5_000_000;
    private const long QuietLookNanoseconds = 100_000_000;
    private const long FlushLookNanoseconds = 1_000_000;

    private DefragVictim? _victim;
    private DefragPace _pace = new(1, CalmSharePercent, 0, default);
    private long _nextAt;
    private long _blocksOpened;
    private ulong _oldest;

    // What was emptied can be used after a flush, and what was filled leaves the memory with it: to run ahead of the flushes
    // would use up the free blocks that it is to make.
    private bool IsAheadOfFlush => records.Log.QuarantinedBlocks >= Math.Clamp(records.Log.BlockCount / 64, 2, 8);

    private enum Move
    {
        More,
        EndOfVictim,
        NoRoom,
    }

    public override int SharePercent => _pace.SharePercent;

    public long Moved { get; private set; }

    /// Marks of removed records that were not needed any more.
    public long MarksDropped { get; private set; }

    public override long DueAt(long now) => _nextAt;

    public override void DoPiece(Worker worker, long now)
    {
        if (_victim is null && IsAheadOfFlush)
        {
            records.FlushSignal.Ask();
            _nextAt = now + FlushLookNanoseconds;
        }
        else if (_victim is null)
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
            _oldest = log.IsPersistent ? log.OldestSequence : 0;
            records.Pauses = _pace.IsHurried ? _pace.Marks : null;
            return;
        }

        records.Pauses = null;

        var opened = log.BlocksOpened;
        _nextAt = now + (opened != _blocksOpened ? BusyLookNanoseconds : QuietLookNanoseconds);
        _blocksOpened = opened;
    }

    private Move MoveNext(DefragVictim victim)
    {
        if (!victim.TryNext(out var image, out var location))
        {
            return Move.EndOfVictim;
        }

        if (records.Log.IsPersistent && !victim.IsSound(image))
        {
            return LeaveAlone(victim, location);
        }

        return RemovalMark.TryRead(image, out var mark)
            ? MoveMark(victim, mark, image, location)
            : MoveRecord(victim, image, location);
    }

    private Move MoveRecord(DefragVictim victim, ReadOnlySpan<byte> image, RecordLocation location)
    {
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
        RecordImage.Reseed(target, victim.Seed); // Commit combines it with the new block's
        records.Index[handle].Place = log.Commit(copy, location.Units).Bits;
        log.Release(location);
        Moved++;
        return Move.More;
    }

    // Nothing on a device is older than the mark: there is nothing left that it keeps away. Its own block counts as well, so
    // it moves on at least once.
    private Move MoveMark(DefragVictim victim, in RemovalMark mark, ReadOnlySpan<byte> image, RecordLocation location)
    {
        if (mark.Since < _oldest)
        {
            records.DropMark(location);
            MarksDropped++;
            return Move.More;
        }

        var log = records.Log;
        if (!log.TryAppendMark(log.DefragWriter, out var copy, out var target))
        {
            return Move.NoRoom;
        }

        image.CopyTo(target);
        RecordImage.Reseed(target, victim.Seed);
        log.Commit(copy, location.Units);
        log.Release(location);
        return Move.More;
    }

    // A copy would be signed anew and hide the damage. Reads of the record tell its client; the rest of the block stays too.
    private Move LeaveAlone(DefragVictim victim, RecordLocation location)
    {
        var (device, offset) = records.Log.PlaceOf(location);
        logger.LogError(
            "{{{Namespace}}} {Device}: {Bytes} bytes at byte {Offset} are damaged; their block is not defragmented any more",
            records.Name, device.Path, location.Length, offset);
        victim.GiveUp();
        return Move.EndOfVictim;
    }

    // A victim given up half-way is listed again with what is left in it. The next choice sees the log as it is then.
    private void PutDown(long now, long rest)
    {
        _victim?.Dispose();
        _victim = null;
        _nextAt = now + rest;
    }
}

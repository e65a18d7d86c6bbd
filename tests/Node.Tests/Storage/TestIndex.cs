using Aerie.Foundation;
using Aerie.Storage;
using Xunit;

namespace Aerie.Node.Tests.Storage;

/// The least that a namespace is to its log: where each record lies, a lock per record, and the mover.
internal sealed class TestIndex(RecordLog log, int records)
{
    private readonly RecordLocation[] _locations = new RecordLocation[records];
    private readonly Lock _flushing = new();
    private SpinGate[] _locks = new SpinGate[records];

    public int Records => records;

    public long LiveBytes => _locations.Sum(location => (long)location.Length);

    public RecordLocation LocationOf(int id) => _locations[id];

    /// False when the log is full; the old version stays.
    public bool TryWrite(int writer, int id, int valueLength, ushort generation, int spare)
    {
        if (!log.TryAppend(writer, TestRecords.LengthFor(valueLength) + spare, out var location, out var target))
        {
            return false;
        }

        location = log.Commit(location, TestRecords.Fill(target, id, generation, valueLength));
        _locks[id].Enter();
        var old = _locations[id];
        _locations[id] = location;
        ReleaseIfAny(old);
        _locks[id].Exit();
        return true;
    }

    public void Remove(int id)
    {
        _locks[id].Enter();
        ReleaseIfAny(_locations[id]);
        _locations[id] = RecordLocation.None;
        _locks[id].Exit();
    }

    /// Whether the record is there; a record that is there and wrong fails the test.
    public bool Read(int id, Func<RecordLocation, byte[]> read)
    {
        _locks[id].Enter();
        var location = _locations[id];
        var image = location.IsNone ? null : read(location);
        _locks[id].Exit();
        if (image == null)
        {
            return false;
        }

        TestRecords.AssertIs(image, id);
        return true;
    }

    /// Moves what lives in the emptiest block. False when there was none, or no room for the copies.
    public bool DefragOne()
    {
        var moved = log.TryPickVictim(out var victim) && MoveAll(victim);
        if (log.IsPersistent)
        {
            lock (_flushing)
            {
                log.Flush(static () => { }); // only now are the blocks free that were emptied
            }
        }

        return moved;
    }

    private bool MoveAll(DefragVictim victim)
    {
        using (victim)
        {
            while (victim.TryNext(out var image, out var location))
            {
                if (!Move(TestRecords.IdOf(image), image, location))
                {
                    return false;
                }
            }
        }

        return true;
    }

    private bool Move(int id, ReadOnlySpan<byte> image, RecordLocation from)
    {
        _locks[id].Enter();
        var done = true;
        if (_locations[id] == from)
        {
            done = log.TryAppend(log.DefragWriter, image.Length, out var to, out var target);
            if (done)
            {
                image.CopyTo(target);
                RecordImage.Reseed(target[..image.Length], log.SeedOf(from));
                _locations[id] = log.Commit(to, to.Units);
                log.Release(from);
            }
        }

        _locks[id].Exit();
        return done;
    }

    private void ReleaseIfAny(RecordLocation location)
    {
        if (!location.IsNone)
        {
            log.Release(location);
        }
    }
}

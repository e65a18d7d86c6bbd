using Aerie.DataModel;
using Aerie.DataModel.Bins;
using Aerie.DataModel.Expressions;
using Aerie.Foundation;
using Aerie.Index;
using Aerie.Server.Records;
using Aerie.Storage;

namespace Aerie.Server.Transactions;

/// A record as expressions see it: its entry, its image if that was opened, and its bins as the worker's draft has them, changes
/// of earlier operations included.
internal readonly ref struct RecordView : IRecordView
{
    private readonly Worker _worker;
    private readonly Namespace _records;
    private readonly Digest _digest;
    private readonly RecordEntry _entry;
    private readonly RecordImageReader _image;
    private readonly DraftSources _sources;

    /// What the index says. Bins must not be asked for.
    public RecordView(Worker worker, Namespace records, in Digest digest, in RecordEntry entry)
        : this(worker, records, digest, entry, default, default)
    {
    }

    /// `image`: empty for a record that is about to come to be. The draft holds its bins.
    public RecordView(
        Worker worker, Namespace records, in Digest digest, in RecordEntry entry, RecordImageReader image, DraftSources sources)
    {
        _worker = worker;
        _records = records;
        _digest = digest;
        _entry = entry;
        _image = image;
        _sources = sources;
    }

    public ReadOnlySpan<byte> SetName => _entry.SetId == 0 ? default : _records.Sets[_entry.SetId].Name;

    public Digest Digest => _digest;

    public long LastUpdateTime => CitrusTime.ToUnixMilliseconds(_entry.LastUpdateTime);

    public uint VoidTime => _entry.VoidTime;

    public bool IsTombstone => _entry.IsTombstone;

    public long Now => _worker.UnixMilliseconds;

    public BinValue Key => _image.HasKey ? new BinValue((ParticleType)_image.KeyType, _image.Key) : default;

    public long RecordSize => _image.Image.Length;

    public bool TryBin(scoped ReadOnlySpan<byte> name, out BinValue value)
    {
        var draft = _worker.Draft;
        var slot = draft.Find(_sources, name);
        value = slot < 0 ? default : new BinValue(draft.TypeOf(slot), draft.ValueOf(_sources, slot));
        return slot >= 0;
    }
}

using Aerie.DataModel;
using Aerie.DataModel.Bins;
using Aerie.DataModel.Packed;
using Aerie.Foundation;
using Aerie.Index;
using Aerie.Lua;
using Aerie.Server.Records;
using Aerie.Storage;

namespace Aerie.Server.Transactions.Udfs;

/// The record that a function works on: a copy of the image as it was, and what the function has made of it since. A function may
/// be suspended, and the image moves meanwhile; that nobody else changes the record is the hold's matter. Nothing is stored
/// before the function has ended. Reused for one call after the other.
internal sealed class UdfRecord : IUdfRecord
{
    public const int BinsMax = 512;
    public const int ChangesMax = 1024;

    /// The largest image, and as much again of values that were assigned and replaced.
    private const int BytesMax = 4 * RecordImage.LengthMax;

    private readonly GrowingBytes _image = new(BytesMax);
    private readonly GrowingBytes _given = new(BytesMax);
    private readonly RecordDraft _draft = new();
    private readonly byte[] _digest = new byte[Foundation.Digest.Length];
    private readonly byte[] _set = new byte[SetTable.NameLengthMax];
    private readonly List<Change> _changes = [];
    private int _setLength;
    private int _applied;
    private RecordEntry _entry;
    private uint _nowSeconds;
    private bool _existed;
    private bool _keyDropped;
    private Namespace _records = null!;

    /// A change of the draft, in the order in which the function made it. Name and value lie in `_given`.
    private readonly record struct Change(int Name, int NameLength, ParticleType Type, int Value, int ValueLength, bool RemovesAll);

    public bool Exists { get; private set; }

    /// The function has said create, update or remove, and it was done.
    public bool HasChanged { get; private set; }

    /// As clients say it.
    public uint TimeToLive { get; private set; }

    public bool ExistedBefore => _existed;

    /// What the entry said when the function began.
    public RecordEntry Before => _entry;

    public Namespace Namespace => _records;

    public RecordDraft Draft => _draft;

    public DraftSources Sources => new(_image.Read(0, _image.Length), _given.Read(0, _given.Length));

    public RecordImageReader Image
    {
        get
        {
            RecordImageReader.TryOpen(_image.Read(0, _image.Length), out var reader);
            return reader;
        }
    }

    /// `image`: of the record that is there; it is copied. Caller holds the gate.
    public void Begin(Worker worker, scoped in RecordCommand command, bool exists, in RecordEntry entry, scoped in RecordImageReader image)
    {
        _image.Clear();
        _given.Clear();
        _draft.Clear();
        _changes.Clear();
        _applied = 0;
        _entry = entry;
        _nowSeconds = worker.NowSeconds;
        _records = command.Namespace;
        _existed = Exists = exists;
        HasChanged = false;
        _keyDropped = false;
        TimeToLive = 0;
        command.Digest.CopyTo(_digest);
        var set = exists ? SetOf(entry) : command.Fields.Set;
        _setLength = Math.Min(set.Length, _set.Length);
        set[.._setLength].CopyTo(_set);
        if (exists)
        {
            _image.Append(image.Image);
            _draft.Load(Image);
        }
    }

    public BinValue Bin(ReadOnlySpan<byte> name)
    {
        var slot = _draft.Find(Sources, name);
        return slot < 0 ? default : new BinValue(_draft.TypeOf(slot), _draft.ValueOf(Sources, slot));
    }

    public int BinCount => _draft.BinCount;

    public ReadOnlySpan<byte> BinName(int index)
    {
        for (var slot = 0; slot < _draft.SlotCount; slot++)
        {
            if (_draft.IsLive(slot) && index-- == 0)
            {
                return _draft.NameOf(Sources, slot);
            }
        }

        return default;
    }

    public ReadOnlySpan<byte> Digest => _digest;

    public ReadOnlySpan<byte> SetName => _set.AsSpan(0, _setLength);

    public BinValue Key => _existed && !_keyDropped && Image is { HasKey: true } image
        ? new BinValue((ParticleType)image.KeyType, image.Key)
        : default;

    /// The key that the record keeps: the one sent, else the one stored, unless the function let it go.
    public UserKey KeyToStore(ReadOnlySpan<byte> sent)
    {
        if (_keyDropped)
        {
            return default;
        }

        var key = Key;
        return sent.IsEmpty ? new UserKey((byte)key.Type, key.Bytes) : new UserKey(sent[0], sent[1..]);
    }

    public long Metadata(UdfMetadata what) => what switch
    {
        UdfMetadata.TimeToLive => _existed && _entry.VoidTime != CitrusTime.NeverExpires ? _entry.VoidTime - (long)_nowSeconds : 0,
        UdfMetadata.LastUpdateTime => _existed ? (long)_entry.LastUpdateTime : 0,
        UdfMetadata.Generation => _existed ? _entry.Generation : 0,
        _ => _image.Length,
    };

    public void SetTimeToLive(uint seconds) => TimeToLive = seconds;

    public void DropKey() => _keyDropped = true;

    public ResultCode SetBin(ReadOnlySpan<byte> name, ParticleType type, ReadOnlySpan<byte> value)
    {
        if (name.Length is 0 or > RecordDraft.NameLengthMax)
        {
            return ResultCode.BinName;
        }

        return ParticleTypes.IsStorable((byte)type, value) ? Note(name, type, value) : ResultCode.Parameter;
    }

    public ResultCode RemoveBin(ReadOnlySpan<byte> name) => Note(name, ParticleType.Null, default);

    public ResultCode Create() => Exists ? Forget(ResultCode.RecordExists) : Apply();

    public ResultCode Update() => Exists ? Apply() : Forget(ResultCode.NotFound);

    public ResultCode Remove()
    {
        if (!Exists)
        {
            return ResultCode.NotFound;
        }

        Forget(ResultCode.Ok);
        _changes.Add(new Change(0, 0, ParticleType.Null, 0, 0, RemovesAll: true));
        _draft.RemoveAll();
        _applied = _changes.Count;
        Exists = false;
        HasChanged = true;
        return ResultCode.Ok;
    }

    private ReadOnlySpan<byte> SetOf(in RecordEntry entry) => entry.SetId == 0 ? default : _records.Sets[entry.SetId].Name;

    private ResultCode Note(ReadOnlySpan<byte> name, ParticleType type, ReadOnlySpan<byte> value)
    {
        if (_changes.Count == ChangesMax)
        {
            return ResultCode.Parameter;
        }

        var start = _given.Length;
        _given.Append(name);
        _given.Append(value);
        if (_given.Overflowed)
        {
            _given.WindBack(start);
            return ResultCode.RecordTooBig;
        }

        _changes.Add(new Change(start, name.Length, type, start + name.Length, value.Length, RemovesAll: false));
        return ResultCode.Ok;
    }

    private ResultCode Forget(ResultCode result)
    {
        _changes.RemoveRange(_applied, _changes.Count - _applied);
        return result;
    }

    private ResultCode Apply()
    {
        var result = ResultCode.Ok;
        for (var i = _applied; i < _changes.Count && result == ResultCode.Ok; i++)
        {
            result = Apply(_changes[i]);
        }

        if (result == ResultCode.Ok && (_draft.BinCount > BinsMax || Length > _records.Options.MaxRecordSize))
        {
            result = _draft.BinCount > BinsMax ? ResultCode.Parameter : ResultCode.RecordTooBig;
        }

        if (result != ResultCode.Ok)
        {
            Forget(result);
            StartOver();
            return result;
        }

        _applied = _changes.Count;
        Exists = true;
        HasChanged = true;
        return ResultCode.Ok;
    }

    private ResultCode Apply(Change change)
    {
        if (change.RemovesAll)
        {
            _draft.RemoveAll();
            return ResultCode.Ok;
        }

        var name = _given.Read(change.Name, change.NameLength);
        if (change.Type == ParticleType.Null)
        {
            _draft.Remove(Sources, name);
            return ResultCode.Ok;
        }

        return _draft.Put(Sources, new BinOperand
        {
            Name = name,
            NameOffset = change.Name,
            ParticleType = (byte)change.Type,
            Value = _given.Read(change.Value, change.ValueLength),
            ValueOffset = change.Value,
        });
    }

    // The draft as it was after the last create or update that succeeded.
    private void StartOver()
    {
        _draft.Clear();
        if (_existed)
        {
            _draft.Load(Image);
        }

        foreach (var change in _changes)
        {
            Apply(change);
        }
    }

    private int Length => DraftImage.Measure(new RecordImageHeader { SetId = 1, VoidTime = 1 }, _draft, Sources);
}

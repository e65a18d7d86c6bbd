using System.Buffers.Binary;
using System.Text;
using Aerie.DataModel;
using Aerie.DataModel.Bins;
using Aerie.Foundation;
using Aerie.Lua;

namespace Aerie.TestKit;

/// A record in memory that allocates nothing once its bins have had their greatest lengths.
public sealed class UdfTestRecord : IUdfRecord
{
    private readonly List<Bin> _bins = [];
    private readonly List<Bin> _set = [];

    public bool Exists { get; set; } = true;

    public int Creates { get; private set; }

    public int Updates { get; private set; }

    public int Removes { get; private set; }

    /// How many bins were handed over in all.
    public int BinsSet { get; private set; }

    public ResultCode Answer { get; set; } = ResultCode.Ok;

    public uint? TimeToLiveSet { get; private set; }

    public bool KeyDropped { get; private set; }

    /// Called with every read of a bin.
    public Action<string>? OnRead { get; set; }

    public int BinCount => _bins.Count;

    public ReadOnlySpan<byte> Digest => "01234567890123456789"u8;

    public ReadOnlySpan<byte> SetName => "demo"u8;

    public BinValue Key => new(ParticleType.String, "the key"u8);

    public UdfTestRecord With(string name, object value)
    {
        var (type, bytes) = UdfValues.Bin(value);
        return With(name, type, bytes);
    }

    public UdfTestRecord With(string name, ParticleType type, byte[] bytes) => With(Encoding.UTF8.GetBytes(name), type, bytes);

    public UdfTestRecord With(ReadOnlySpan<byte> name, ParticleType type, ReadOnlySpan<byte> bytes)
    {
        Put(_bins, name, type, bytes);
        return this;
    }

    public object? this[string name]
    {
        get
        {
            var at = Find(_bins, Encoding.UTF8.GetBytes(name));
            return at < 0 ? null : UdfValues.OfBin(_bins[at].Type, _bins[at].Bytes);
        }
    }

    public ReadOnlySpan<byte> BytesOf(string name) => _bins[Find(_bins, Encoding.UTF8.GetBytes(name))].Bytes;

    BinValue IUdfRecord.Bin(ReadOnlySpan<byte> name)
    {
        OnRead?.Invoke(Encoding.UTF8.GetString(name));
        var at = Find(_bins, name);
        return at < 0 ? default : new BinValue(_bins[at].Type, _bins[at].Bytes);
    }

    public ReadOnlySpan<byte> BinName(int index) => _bins[index].Name;

    public long Metadata(UdfMetadata what) => 100 + (long)what;

    public void SetTimeToLive(uint seconds) => TimeToLiveSet = seconds;

    public void DropKey() => KeyDropped = true;

    public ResultCode SetBin(ReadOnlySpan<byte> name, ParticleType type, ReadOnlySpan<byte> value)
    {
        BinsSet++;
        Put(_set, name, type, value);
        return ResultCode.Ok;
    }

    public ResultCode RemoveBin(ReadOnlySpan<byte> name)
    {
        BinsSet++;
        Put(_set, name, ParticleType.Null, default);
        return ResultCode.Ok;
    }

    public ResultCode Create()
    {
        Creates++;
        return Exists ? Forget(ResultCode.RecordExists) : Store();
    }

    public ResultCode Update()
    {
        Updates++;
        return Exists ? Store() : Forget(ResultCode.NotFound);
    }

    public ResultCode Remove()
    {
        Removes++;
        Exists = false;
        _bins.Clear();
        return ResultCode.Ok;
    }

    private ResultCode Store()
    {
        if (Answer != ResultCode.Ok)
        {
            return Forget(Answer);
        }

        foreach (var bin in _set)
        {
            if (!bin.IsSet)
            {
                continue;
            }

            bin.IsSet = false;
            if (bin.Type == ParticleType.Null)
            {
                var at = Find(_bins, bin.Name);
                _bins.RemoveRange(Math.Max(at, 0), at < 0 ? 0 : 1);
            }
            else
            {
                Put(_bins, bin.Name, bin.Type, bin.Bytes);
            }
        }

        Exists = true;
        return ResultCode.Ok;
    }

    private ResultCode Forget(ResultCode result)
    {
        foreach (var bin in _set)
        {
            bin.IsSet = false;
        }

        return result;
    }

    private static void Put(List<Bin> bins, ReadOnlySpan<byte> name, ParticleType type, ReadOnlySpan<byte> value)
    {
        var at = Find(bins, name);
        if (at < 0)
        {
            at = bins.Count;
            bins.Add(new Bin { Name = name.ToArray() });
        }

        var bin = bins[at];
        bin.Type = type;
        bin.IsSet = true;
        bin.Set(value);
    }

    private static int Find(List<Bin> bins, ReadOnlySpan<byte> name)
    {
        for (var i = 0; i < bins.Count; i++)
        {
            if (name.SequenceEqual(bins[i].Name))
            {
                return i;
            }
        }

        return -1;
    }

    public static byte[] BigEndian(long value)
    {
        var bytes = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(bytes, value);
        return bytes;
    }

    private sealed class Bin
    {
        private byte[] _value = [];
        private int _length;

        public byte[] Name { get; init; } = [];

        public ParticleType Type { get; set; }

        public ReadOnlySpan<byte> Bytes => _value.AsSpan(0, _length);

        public bool IsSet { get; set; }

        public void Set(ReadOnlySpan<byte> value)
        {
            if (_value.Length < value.Length)
            {
                _value = new byte[value.Length];
            }

            value.CopyTo(_value);
            _length = value.Length;
        }
    }
}

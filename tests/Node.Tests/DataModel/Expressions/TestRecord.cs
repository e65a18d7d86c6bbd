using System.Buffers.Binary;
using System.Text;
using Aerie.DataModel;
using Aerie.DataModel.Bins;
using Aerie.DataModel.Expressions;
using Aerie.Foundation;

namespace Aerie.Node.Tests.DataModel.Expressions;

/// A record that says what it is asked for.
internal sealed class TestRecord : IRecordView
{
    private readonly Dictionary<string, (ParticleType Type, byte[] Value)> _bins = [];

    public string Set { get; init; } = "";

    public (ParticleType Type, byte[] Value) UserKey { get; init; }

    public int BinsAskedFor { get; private set; }

    public IReadOnlyDictionary<string, (ParticleType Type, byte[] Value)> Bins => _bins;

    public ReadOnlySpan<byte> SetName => Encoding.UTF8.GetBytes(Set);

    public Digest Digest { get; init; }

    public long LastUpdateTime { get; init; }

    public uint VoidTime { get; init; }

    public bool IsTombstone { get; init; }

    public long Now { get; init; }

    public BinValue Key => new(UserKey.Type, UserKey.Value);

    public long RecordSize { get; init; }

    public bool TryBin(scoped ReadOnlySpan<byte> name, out BinValue value)
    {
        BinsAskedFor++;
        var has = _bins.TryGetValue(Encoding.UTF8.GetString(name), out var bin);
        value = has ? new BinValue(bin.Type, bin.Value) : default;
        return has;
    }

    /// A bin of the type that fits the value; lists and maps are given as arrays and pairs.
    public TestRecord With(string name, object value)
    {
        _bins[name] = value switch
        {
            long number => (ParticleType.Integer, Eight(number)),
            int number => (ParticleType.Integer, Eight(number)),
            double number => (ParticleType.Double, Eight(BitConverter.DoubleToInt64Bits(number))),
            bool truth => (ParticleType.Bool, [truth ? (byte)1 : (byte)0]),
            string text => (ParticleType.String, Encoding.UTF8.GetBytes(text)),
            byte[] blob => (ParticleType.Bytes, blob),
            Exp.Place geo => (ParticleType.GeoJson, [0, 0, 1, .. new byte[8], .. Encoding.UTF8.GetBytes(geo.Text)]),
            Exp.Pairs map => (ParticleType.Map, Exp.Pack(map)),
            object?[] list => (ParticleType.List, Exp.Pack(list)),
            _ => throw new ArgumentException($"no bin of {value.GetType()}"),
        };
        return this;
    }

    public TestRecord With(string name, ParticleType type, byte[] value)
    {
        _bins[name] = (type, value);
        return this;
    }

    public static byte[] Eight(long value)
    {
        var bytes = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(bytes, value);
        return bytes;
    }
}

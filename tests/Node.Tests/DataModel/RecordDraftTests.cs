using System.Text;
using Aerie.DataModel;
using Aerie.DataModel.Bins;
using Aerie.Foundation;
using Xunit;

namespace Aerie.Node.Tests.DataModel;

/// A draft against a dictionary: whatever operations come, in whatever order, both hold the same bins.
public sealed class RecordDraftTests
{
    private static readonly ParticleType[] Types =
    [
        ParticleType.Integer, ParticleType.Double, ParticleType.String, ParticleType.Bytes, ParticleType.Bool, ParticleType.PythonBlob,
        ParticleType.List, ParticleType.Null, (ParticleType)99,
    ];

    private readonly RecordDraft _draft = new();

    [Theory]
    [InlineData(1, 20_000, 4, 20)] // few names, so that operations meet
    [InlineData(2, 3_000, 60, 100)] // enough names for the hash table
    [InlineData(3, 4, 5_000, 15_000)] // thousands of bins
    public void A_draft_holds_what_a_dictionary_holds(int seed, int sequences, int names, int opsMax)
    {
        var random = new Random(seed);
        for (var sequence = 0; sequence < sequences; sequence++)
        {
            var model = new NaiveBins();
            var request = new GrowingBytes();
            var image = Load(random, model, random.Next(names));
            for (var ops = random.Next(1, opsMax); ops > 0; ops--)
            {
                Step(random, names, image, request, model);
            }

            AssertSame(model, new DraftSources(image, request.All), $"seed {seed}, sequence {sequence}");
        }
    }

    [Fact]
    public void A_bin_that_is_put_again_after_its_removal_is_there_once()
    {
        var request = "av"u8.ToArray();
        var sources = new DraftSources(default, request);
        Assert.Equal(ResultCode.Ok, _draft.Put(sources, Operand(request, 0, 1, 1, ParticleType.String)));
        _draft.Remove(sources, "a"u8);
        Assert.Equal(0, _draft.BinCount);
        Assert.Equal(-1, _draft.Find(sources, "a"u8));
        Assert.Equal(ResultCode.Ok, _draft.Put(sources, Operand(request, 0, 1, 1, ParticleType.String)));
        Assert.Equal((1, 1), (_draft.BinCount, _draft.SlotCount));
    }

    [Fact]
    public void A_record_has_at_most_32767_bins()
    {
        var names = Enumerable.Range(0, RecordDraft.BinsMax + 1).SelectMany(BitConverter.GetBytes).ToArray();
        var sources = new DraftSources(default, names);
        for (var i = 0; i <= RecordDraft.BinsMax; i++)
        {
            var result = _draft.Put(sources, Operand(names, i * 4, 4, 0, ParticleType.String));
            Assert.Equal(i < RecordDraft.BinsMax ? ResultCode.Ok : ResultCode.Parameter, result);
        }

        Assert.Equal(RecordDraft.BinsMax, _draft.BinCount);
    }

    [Fact]
    public void Appending_again_and_again_is_too_big_before_it_takes_memory_without_bound()
    {
        var request = new byte[4_000_001];
        var sources = new DraftSources(default, request);
        Assert.Equal(ResultCode.Ok, _draft.Append(sources, Operand(request, 0, 1, 4_000_000, ParticleType.Bytes)));
        Assert.Equal(ResultCode.Ok, _draft.Append(sources, Operand(request, 0, 1, 4_000_000, ParticleType.Bytes)));
        Assert.Equal(ResultCode.RecordTooBig, _draft.Append(sources, Operand(request, 0, 1, 4_000_000, ParticleType.Bytes)));
        Assert.Equal(ResultCode.RecordTooBig, _draft.Prepend(sources, Operand(request, 0, 1, 4_000_000, ParticleType.Bytes)));
        Assert.Equal(8_000_000, _draft.ValueOf(sources, 0).Length);
    }

    // The draft as after reading a stored record: names and values lie in the image.
    private byte[] Load(Random random, NaiveBins model, int bins)
    {
        _draft.Clear();
        var image = new GrowingBytes();
        for (var i = 0; i < bins; i++)
        {
            var name = $"bin{i}";
            var type = Types[random.Next(4)];
            var value = RandomValue(random, type, sound: true);
            var nameOffset = image.Add(Encoding.UTF8.GetBytes(name));
            _draft.AddStored(nameOffset, name.Length, type, image.Add(value), value.Length);
            model.Bins.Add(name, (type, value));
        }

        return image.All.ToArray();
    }

    // One operation on both. The request grows by it, as if the draft had known all of it from the beginning.
    private void Step(Random random, int names, byte[] image, GrowingBytes request, NaiveBins model)
    {
        var name = $"bin{random.Next(names)}";
        var type = Types[random.Next(Types.Length)];
        var value = RandomValue(random, type, sound: false);
        var nameOffset = request.Add(Encoding.UTF8.GetBytes(name));
        request.Add(value);
        var sources = new DraftSources(image, request.All);
        var operand = Operand(request.All, nameOffset, name.Length, value.Length, type);
        switch (random.Next(100))
        {
            case < 40:
                Assert.Equal(model.Put(name, type, value), _draft.Put(sources, operand));
                break;
            case < 55:
                _draft.Remove(sources, operand.Name);
                model.Bins.Remove(name);
                break;
            case < 70:
                Assert.Equal(model.Add(name, type, value), _draft.Add(sources, operand));
                break;
            case < 85:
                Assert.Equal(model.Join(name, type, value, valueFirst: false), _draft.Append(sources, operand));
                break;
            case < 98:
                Assert.Equal(model.Join(name, type, value, valueFirst: true), _draft.Prepend(sources, operand));
                break;
            default:
                _draft.RemoveAll();
                model.Bins.Clear();
                break;
        }

        Assert.Equal(model.Bins.Count, _draft.BinCount);
    }

    private void AssertSame(NaiveBins model, DraftSources sources, string which)
    {
        var live = 0;
        for (var slot = 0; slot < _draft.SlotCount; slot++)
        {
            if (!_draft.IsLive(slot))
            {
                continue;
            }

            live++;
            var name = Encoding.UTF8.GetString(_draft.NameOf(sources, slot));
            Assert.True(model.Bins.TryGetValue(name, out var bin), $"{which}: {name}");
            Assert.Equal(bin.Type, _draft.TypeOf(slot));
            Assert.True(_draft.ValueOf(sources, slot).SequenceEqual(bin.Value), $"{which}: {name}");
            Assert.Equal(slot, _draft.Find(sources, _draft.NameOf(sources, slot)));
        }

        Assert.Equal(model.Bins.Count, live);
    }

    private static byte[] RandomValue(Random random, ParticleType type, bool sound)
    {
        var length = type switch
        {
            ParticleType.Integer => sound || random.Next(4) > 0 ? 8 : random.Next(10),
            ParticleType.Double => 8,
            ParticleType.Bool => 1,
            _ => random.Next(12),
        };
        var value = new byte[length];
        random.NextBytes(value);
        if (type == ParticleType.Double)
        {
            WriteDouble(value, random.NextDouble() * 1000);
        }

        return value;
    }

    // A not-a-number would have many forms; sums of ordinary numbers have one.
    private static void WriteDouble(Span<byte> value, double number) =>
        System.Buffers.Binary.BinaryPrimitives.WriteDoubleBigEndian(value, number);

    private static BinOperand Operand(
        ReadOnlySpan<byte> request, int nameOffset, int nameLength, int valueLength, ParticleType type) => new()
        {
            Name = request.Slice(nameOffset, nameLength),
            NameOffset = nameOffset,
            ParticleType = (byte)type,
            Value = request.Slice(nameOffset + nameLength, valueLength),
            ValueOffset = nameOffset + nameLength,
        };

    private sealed class GrowingBytes
    {
        private byte[] _bytes = new byte[64];
        private int _length;

        public ReadOnlySpan<byte> All => _bytes.AsSpan(0, _length);

        public int Add(ReadOnlySpan<byte> bytes)
        {
            if (_length + bytes.Length > _bytes.Length)
            {
                Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _length + bytes.Length));
            }

            bytes.CopyTo(_bytes.AsSpan(_length));
            _length += bytes.Length;
            return _length - bytes.Length;
        }
    }
}

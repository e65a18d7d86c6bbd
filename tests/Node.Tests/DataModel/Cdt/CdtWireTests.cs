using Aerie.DataModel;
using Aerie.DataModel.Cdt;
using Aerie.DataModel.Packed;
using Aerie.Foundation;
using Xunit;

namespace Aerie.Node.Tests.DataModel.Cdt;

/// What clients send and see of lists and maps.
public sealed class CdtWireTests
{
    private readonly CdtScratch _scratch = new();
    private readonly GrowingBytes _target = new(8 * 1024 * 1024);

    [Theory]
    [InlineData("[3, 1, 2]")]
    [InlineData("{\"b\": [1], \"a\": {}}")]
    [InlineData("o[1, 2, 2]")]
    [InlineData("k{1: o[1, 2], 2: kv{}}")]
    [InlineData("m17{1: 2}")]
    [InlineData("[]")]
    public void What_is_in_order_is_stored_as_it_came(string text)
    {
        var bytes = PackedText.Pack(text);
        Assert.Equal(ResultCode.Ok, CdtWire.Read(bytes, TypeOf(text), _scratch, _target, out var asGiven));
        Assert.True(asGiven);
        Assert.Equal(0, _target.Length);
    }

    [Theory]
    [InlineData("o[3, 1, 2]", "o[1, 2, 3]")]
    [InlineData("k{\"b\": 1, \"a\": 2}", "k{\"a\": 2, \"b\": 1}")]
    [InlineData("k{\"b\": 1, \"a\": 2, \"b\": 3}", "k{\"a\": 2, \"b\": 3}")]
    [InlineData("[{1: o[2, 1]}, o[o[9, 8], o[3, 1]]]", "[{1: o[1, 2]}, o[o[1, 3], o[8, 9]]]")]
    [InlineData("m8{2: 1, 1: 2}", "{2: 1, 1: 2}")]
    [InlineData("m2{2: 1, 1: 2}", "{2: 1, 1: 2}")]
    [InlineData("m255[2, 1]", "m17[1, 2]")]
    public void What_is_called_ordered_is_put_in_order(string text, string expected)
    {
        Assert.Equal(ResultCode.Ok, CdtWire.Read(PackedText.Pack(text), TypeOf(text), _scratch, _target, out var asGiven));
        Assert.False(asGiven);
        Assert.Equal(expected, PackedText.Show(_target.Read(0, _target.Length)));
    }

    [Theory]
    [InlineData("C0", ParticleType.List)]
    [InlineData("9101", ParticleType.Map)]
    [InlineData("810101", ParticleType.List)]
    [InlineData("9201", ParticleType.List)]
    [InlineData("910101", ParticleType.List)]
    [InlineData("91C1", ParticleType.List)]
    [InlineData("91DA0005", ParticleType.List)]
    [InlineData("", ParticleType.List)]
    [InlineData("9201D4FF00", ParticleType.List)]
    [InlineData("91D4FF01", ParticleType.List)]
    [InlineData("9201C70001", ParticleType.List)]
    [InlineData("92C70001C70001", ParticleType.List)]
    [InlineData("8201C0C70001C0", ParticleType.Map)]
    public void What_is_no_such_value_is_refused(string hex, ParticleType type) =>
        Assert.Equal(ResultCode.Parameter, CdtWire.Read(Convert.FromHexString(hex), type, _scratch, _target, out _));

    [Fact]
    public void What_is_too_deep_is_refused()
    {
        byte[] Deep(int levels) => [.. Enumerable.Repeat((byte)0x91, levels), 0x01];
        Assert.Equal(ResultCode.Ok, CdtWire.Read(Deep(PackedReader.DepthMax - 1), ParticleType.List, _scratch, _target, out _));
        Assert.Equal(ResultCode.Parameter, CdtWire.Read(Deep(PackedReader.DepthMax), ParticleType.List, _scratch, _target, out _));
        Assert.Equal(ResultCode.Parameter, CdtWire.Read(Deep(100_000), ParticleType.List, _scratch, _target, out _));
        byte[] ordered = [.. Enumerable.Range(0, 254).SelectMany(_ => new byte[] { 0x92, 0xC7, 0x00, 0x01 }), 0x93, 0xC7, 0, 1, 2, 1];
        Assert.Equal(ResultCode.Ok, CdtWire.Read(ordered, ParticleType.List, _scratch, _target, out _));
        Assert.EndsWith("93C700010102", Convert.ToHexString(_target.Read(0, _target.Length)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, 100)]
    [InlineData(true, 100)]
    [InlineData(true, 100_000)]
    public void An_index_is_made_on_the_way_in_and_left_out_on_the_way_back(bool onMap, int count)
    {
        var elements = Enumerable.Range(0, count);
        var text = onMap ? $"k{{{string.Join(", ", elements.Select(i => $"{i}: {i}"))}}}" : $"o[{string.Join(", ", elements)}]";
        var bytes = PackedText.Pack(text);
        Assert.Equal(ResultCode.Ok, CdtWire.Read(bytes, TypeOf(text), _scratch, _target, out var asGiven));
        Assert.False(asGiven);
        var stored = _target.Read(0, _target.Length).ToArray();
        Assert.True(stored.Length > bytes.Length);
        _target.Clear();
        CdtWire.Append(_target, stored);
        Assert.Equal(bytes, _target.Read(0, _target.Length).ToArray());

        // a client that sends the index back, or one of its own, does not get it stored
        stored[^1]++;
        _target.Clear();
        Assert.Equal(ResultCode.Ok, CdtWire.Read(stored, TypeOf(text), _scratch, _target, out asGiven));
        Assert.False(asGiven);
    }

    [Fact]
    public void Bytes_without_an_index_go_out_as_they_are()
    {
        foreach (var text in new[] { "[1, 2]", "o[1, 2]", "k{1: 2}", "{}", "m17{1: 2}" })
        {
            _target.Clear();
            CdtWire.Append(_target, PackedText.Pack(text));
            Assert.Equal(PackedText.Pack(text), _target.Read(0, _target.Length).ToArray());
        }
    }

    [Fact]
    public void Values_in_calls_are_put_in_order_too()
    {
        var bin = new CdtBin("[]");
        Assert.Equal(ResultCode.Ok, bin.Run("[1, o[3, k{2: 1, 1: 2}, 1]]"));
        Assert.Equal("[o[1, 3, k{1: 2, 2: 1}]]", bin.Text);
    }

    [Fact]
    public void Children_are_enumerated_and_put_together_again()
    {
        foreach (var text in new[] { "[1, [2], \"a\"]", "k{1: [2], 2: {3: 4}}", "o[]", "o[1, 5, 9]" })
        {
            Assert.True(PackedContainer.TryOpen(PackedText.Pack(text), out var container));
            var children = new CdtChildren(container);
            _target.Clear();
            _target.Append(0xFF);
            var builder = CdtBuilder.Begin(_target, container.IsMap, container.Flags);
            while (children.TryNext(out var key, out var value))
            {
                builder.Add(key, value);
            }

            builder.End(_scratch);
            Assert.Equal(text, PackedText.Show(_target.Read(1, _target.Length - 1)));
        }
    }

    [Fact]
    public void A_built_ordered_list_is_sorted()
    {
        var builder = CdtBuilder.Begin(_target, isMap: false, CdtFlags.Ordered);
        for (var i = 100; i > 0; i--)
        {
            builder.Add([(byte)i]);
        }

        builder.End(_scratch);
        Assert.Equal($"o[{string.Join(", ", Enumerable.Range(1, 100))}]", PackedText.Show(_target.Read(0, _target.Length)));
    }

    private static ParticleType TypeOf(string text) => text.TrimStart('o', 'k', 'v', 'm', '0', '1', '2', '5', '7', '8')[0] == '{'
        ? ParticleType.Map : ParticleType.List;
}

using Aerie.DataModel;
using Aerie.DataModel.Hll;
using Aerie.Foundation;
using Aerie.Node.Tests.DataModel.Operations;
using Xunit;

namespace Aerie.Node.Tests.DataModel.Hll;

/// What clients expect of sketches, as their own tests and examples say it.
public sealed class HllCommandTests
{
    private const int CreateOnly = 1, UpdateOnly = 2, NoFail = 4, AllowFold = 8;
    private const int Init = 0, Add = 1, Union = 2, UpdateCount = 3, Fold = 4;
    private const int Count = 50, GetUnion = 51, UnionCount = 52, IntersectCount = 53, Similarity = 54, Describe = 55, MayContain = 56;

    private static readonly object[] Cats = ["jaguar", "tiger", "tiger", "leopard", "lion", "jaguar"];

    public static TheoryData<object[], ResultCode> RefusalsOfNewBins => new()
    {
        { [Init, 3, 0], ResultCode.Parameter },
        { [Init, 17, 48], ResultCode.Parameter },
        { [Init, 4, 3], ResultCode.Parameter },
        { [Init, 4, 52], ResultCode.Parameter },
        { [Init, 14, 51], ResultCode.Parameter },
        { [Init, 10, -1, AllowFold], ResultCode.Parameter },
        { [Init, 10, -1, CreateOnly | UpdateOnly], ResultCode.Parameter },
        { [Init, 10, -1, 16], ResultCode.Parameter },
        { [Init, 10, -1, UpdateOnly], ResultCode.BinNotFound },
        { [Init, -1, -1], ResultCode.OpNotApplicable },
        { [Add, Cats], ResultCode.OpNotApplicable },
        { [Add, Cats, -1, -1, CreateOnly], ResultCode.OpNotApplicable },
        { [Add, Cats, 8, -1, UpdateOnly], ResultCode.Parameter },
        { [Add, Cats, 8, -1, AllowFold], ResultCode.Parameter },
        { [Add, "cat", 8], ResultCode.Parameter },
        { [Union, Array.Empty<object>()], ResultCode.Parameter },
        { [Union, new object[] { new byte[203] }], ResultCode.Parameter },
        { [Union, new object[] { "text" }], ResultCode.Parameter },
        { [Fold, 8], ResultCode.BinNotFound },
        { [Fold, 2], ResultCode.Parameter },
        { [Fold, -1], ResultCode.Parameter },
        { [UpdateCount], ResultCode.BinNotFound },
        { [UpdateCount, 0], ResultCode.Parameter },
        { [Count], ResultCode.Parameter },
        { [5], ResultCode.Parameter },
        { [], ResultCode.Parameter },
    };

    public static TheoryData<int, int> Shapes =>
        new() { { 4, 0 }, { 4, 4 }, { 4, 51 }, { 8, 29 }, { 12, 31 }, { 13, 51 }, { 16, 0 }, { 16, 48 } };

    private readonly BinUnderTest _bin = Bin();

    [Fact]
    public void The_bytes_of_a_sketch_are_those_that_clients_compare_with()
    {
        Assert.Equal(ResultCode.Ok, _bin.Modify(Add, Cats, 8));
        Assert.Equal((4, ParticleType.Hll), (_bin.ReplyInteger, _bin.Type));
        var expected = new byte[203];
        (expected[1], expected[36], expected[43], expected[163]) = (8, 16, 4, 65);
        Assert.Equal(expected, _bin.Bytes);
    }

    [Fact]
    public void The_bytes_of_a_sketch_with_minhashes_stay_what_they_are()
    {
        _bin.Modify(Add, new object[] { "tiger", 7, new byte[] { 1, 2 } }, 4, 12);
        _bin.Modify(UpdateCount);
        Assert.Equal(
            "00040C0000000000000003000000000000000000000000000000001BD1000001832000004832000000000000000000",
            Convert.ToHexString(_bin.Bytes));
    }

    [Fact]
    public void Estimates_of_the_documented_example_are_met()
    {
        var farnsworth = Sketch(Items(0, 750), 12, 24);
        var scruffy = Sketch(Items(250, 1000), 12, 24);
        _bin.Modify(Add, Items(0, 500), 12, 24);
        Assert.Equal(251, Ask(IntersectCount, farnsworth, scruffy));
        Assert.Equal(1010, Ask(UnionCount, farnsworth, scruffy));
        Assert.Equal(ResultCode.Ok, _bin.Read(Similarity, new object[] { farnsworth, scruffy }));
        Assert.Equal(0.24888393, _bin.ReplyDouble, 8);
    }

    [Fact]
    public void Estimates_of_few_values_are_exact()
    {
        var cats = Sketch(Cats, 8);
        _bin.Modify(Add, new object[] { "leopard", "lynx", "tiger", "tiger", "cheetah", "lynx" }, 8);
        Assert.Equal((4, 6, 2), (Ask(Count), Ask(UnionCount, cats), Ask(IntersectCount, cats)));
        Assert.Equal(ResultCode.Ok, _bin.Read(Similarity, new object[] { cats }));
        Assert.Equal(2 / 6.0, _bin.ReplyDouble);
        Assert.Equal(ResultCode.Ok, _bin.Modify(Union, new object[] { cats }));
        Assert.Equal(6, Ask(Count));
    }

    [Fact]
    public void A_hundred_values_are_97_in_256_registers()
    {
        _bin.Modify(Add, Keys(0, 100), 8);
        Assert.Equal(97, Ask(Count));
        Assert.Equal((ResultCode.Ok, 97), (_bin.Modify(UpdateCount), _bin.ReplyInteger));
        Assert.True(_bin.HasChanged);
        Assert.Equal((ResultCode.Ok, 97), (_bin.Modify(UpdateCount), _bin.ReplyInteger));
        Assert.False(_bin.HasChanged);
    }

    [Fact]
    public void A_cached_count_is_used_and_lost_with_the_next_value()
    {
        _bin.Modify(Add, Cats, 8);
        var bytes = _bin.Bytes;
        bytes[10] = 99;
        Assert.Equal(99, Ask(Count));
        _bin.Modify(Add, new object[] { "puma" });
        Assert.Equal(5, Ask(Count));
        bytes[3] = 1; // in the other byte order it would be 1
        _bin.Put(bytes, ParticleType.Hll);
        Assert.Equal(4, Ask(Count));
    }

    [Fact]
    public void A_folded_sketch_counts_on()
    {
        _bin.Modify(Add, new object[] { "tiger", "lynx", "cheetah", "tiger" }, 8);
        _bin.Modify(Add, new object[] { "lion", "tiger", "puma", "puma" });
        Assert.Equal(ResultCode.Ok, _bin.Modify(Fold, 6));
        Assert.Equal((ResultCode.Ok, 5), (_bin.Modify(UpdateCount), _bin.ReplyInteger));
        Assert.Equal((6, 0), Described());
        _bin.Modify(Add, new object[] { "tiger", "lynx", "cheetah", "lion", "puma" });
        Assert.Equal((0, false), (_bin.ReplyInteger, _bin.HasChanged));
        Assert.Equal((ResultCode.Ok, false), (_bin.Modify(Fold, 6), _bin.HasChanged));
        Assert.Equal(ResultCode.OpNotApplicable, _bin.Modify(Fold, 7));
    }

    [Fact]
    public void Minhashes_cannot_be_folded()
    {
        _bin.Modify(Init, 16, 8);
        Assert.Equal(ResultCode.OpNotApplicable, _bin.Modify(Fold, 8));
        Assert.Equal(ResultCode.OpNotApplicable, _bin.Modify(Fold, 16));
    }

    [Theory, MemberData(nameof(Shapes))]
    public void A_sketch_is_what_it_was_made_to_be(int indexBits, int minhashBits)
    {
        Assert.Equal(ResultCode.Ok, _bin.Modify(Init, indexBits, minhashBits));
        Assert.Equal((indexBits, minhashBits), Described());
        Assert.Equal(11 + (1 << indexBits) * (6 + minhashBits) / 8, _bin.Bytes.Length);
        Assert.Equal((0, ResultCode.Ok, 0), (Ask(Count), _bin.Modify(UpdateCount), _bin.ReplyInteger));
        _bin.Modify(Add, Keys(0, 256));
        _bin.Modify(Add, Keys(0, 256), indexBits, minhashBits);
        Assert.Equal(0, _bin.ReplyInteger);
        Assert.InRange(Ask(Count), 256 * (1 - 6 * 1.04 / (1 << (indexBits / 2))), 256 * (1 + 6 * 1.04 / (1 << (indexBits / 2))));
        Assert.Equal((1, 0), (Ask(MayContain, "key3", "key255"), Ask(MayContain, Named("stranger", 0, 100))));
    }

    [Theory, MemberData(nameof(Shapes))]
    public void Nothing_has_no_similarity_to_nothing(int indexBits, int minhashBits)
    {
        _bin.Modify(Init, indexBits, minhashBits);
        var empty = new Tagged(ParticleType.Hll, _bin.Bytes);
        Assert.Equal(0, Ask(IntersectCount, empty));
        Assert.Equal(ResultCode.Ok, _bin.Read(Similarity, new object[] { empty }));
        Assert.Equal(double.NaN, _bin.ReplyDouble);
    }

    [Fact]
    public void Init_keeps_the_bits_that_it_is_not_told()
    {
        _bin.Modify(Add, Cats, 15, 49);
        Assert.Equal((ResultCode.Ok, (12, 49)), (_bin.Modify(Init, 12, -1), Described()));
        Assert.Equal((ResultCode.Ok, (12, 4)), (_bin.Modify(Init, -1, 4), Described()));
        Assert.Equal((ResultCode.Ok, (12, 4)), (_bin.Modify(Init, -1), Described()));
        Assert.Equal(0, Ask(Count));
        _bin.Modify(Init, 16, 0);
        Assert.Equal(ResultCode.OpNotApplicable, _bin.Modify(Init, -1, 51));
    }

    [Theory, MemberData(nameof(RefusalsOfNewBins))]
    public void What_cannot_make_a_sketch_is_refused(object[] call, ResultCode expected)
    {
        Assert.Equal(expected, _bin.Modify(call));
        Assert.False(_bin.HasChanged);
    }

    [Fact]
    public void Write_flags_are_obeyed()
    {
        var other = Sketch(Cats, 6);
        Assert.Equal((ResultCode.Ok, false), (_bin.Modify(Init, 6, -1, UpdateOnly | NoFail), _bin.HasChanged));
        Assert.Equal((ResultCode.Ok, false), (_bin.Modify(Union, new object[] { other }, UpdateOnly | NoFail), _bin.HasChanged));
        Assert.Equal((ResultCode.Ok, true), (_bin.Modify(Init, 6, -1, CreateOnly), _bin.HasChanged));
        Assert.Equal(ResultCode.BinExists, _bin.Modify(Init, 6, -1, CreateOnly));
        Assert.Equal(ResultCode.BinExists, _bin.Modify(Add, Cats, 6, -1, CreateOnly));
        Assert.Equal(ResultCode.BinExists, _bin.Modify(Union, new object[] { other }, CreateOnly));
        Assert.Equal((ResultCode.Ok, false), (_bin.Modify(Add, Cats, 6, -1, CreateOnly | NoFail), _bin.HasChanged));
        Assert.Equal((ResultCode.Ok, true), (_bin.Modify(Init, 6, -1, UpdateOnly), _bin.HasChanged));
    }

    [Fact]
    public void A_union_changes_the_shape_of_a_bin_only_where_that_is_allowed()
    {
        var small = Sketch(Keys(0, 5), 8);
        var large = Sketch(Keys(5, 10), 10);
        _bin.Modify(Add, Keys(0, 5), 8);
        Assert.Equal(ResultCode.Ok, _bin.Modify(Union, new object[] { large }));
        Assert.Equal(((8, 0), 10), (Described(), Ask(Count)));
        _bin.Put(null).Modify(Add, Keys(0, 5), 10);
        Assert.Equal(ResultCode.OpNotApplicable, _bin.Modify(Union, new object[] { small }));
        Assert.Equal(ResultCode.Ok, _bin.Modify(Union, new object[] { small, large }, AllowFold));
        Assert.Equal(((8, 0), 10), (Described(), Ask(Count)));
        Assert.Equal(ResultCode.Ok, _bin.Put(null).Modify(Union, new object[] { large, small }));
        Assert.Equal(((8, 0), 10), (Described(), Ask(Count)));
        _bin.Put(null).Modify(Add, Keys(0, 5), 8, 12);
        Assert.Equal(ResultCode.OpNotApplicable, _bin.Modify(Union, new object[] { small }));
        Assert.Equal((ResultCode.Ok, (8, 0)), (_bin.Modify(Union, new object[] { small }, AllowFold), Described()));
    }

    [Fact]
    public void Sketches_of_different_shapes_are_asked_together()
    {
        var small = Sketch(Keys(0, 100), 8);
        var few = Sketch(Keys(6, 11), 10);
        _bin.Modify(Add, Keys(0, 5), 8);
        Assert.Equal(10, Ask(UnionCount, few));
        Assert.Equal(ResultCode.Ok, _bin.Read(GetUnion, new object[] { few }));
        Assert.Equal(ParticleType.Hll, _bin.ReplyType);
        var union = new Tagged(ParticleType.Hll, _bin.Reply);
        Assert.Equal(5, Ask(IntersectCount, union));
        _bin.Put(few.Bytes, ParticleType.Hll);
        Assert.Equal((5, 5), (Ask(IntersectCount, union), Ask(IntersectCount, small)));
    }

    [Fact]
    public void Without_minhashes_three_sketches_are_intersected_at_most()
    {
        var plain = Sketch(Keys(0, 256), 8);
        var minhashed = Sketch(Keys(0, 256), 8, 4);
        _bin.Modify(Add, Keys(0, 256), 8);
        Assert.InRange(Ask(IntersectCount, plain, plain), 200, 300);
        Assert.InRange(Ask(IntersectCount, minhashed, minhashed), 200, 300);
        Assert.Equal(ResultCode.Parameter, _bin.Read(IntersectCount, new object[] { plain, plain, plain }));
        Assert.Equal(ResultCode.Parameter, _bin.Read(Similarity, new object[] { plain, minhashed, plain }));
        Assert.Equal(ResultCode.OpNotApplicable, _bin.Read(IntersectCount, new object[] { minhashed, minhashed, minhashed }));
        Assert.Equal(ResultCode.OpNotApplicable, _bin.Read(Similarity, new object[] { minhashed, minhashed, minhashed }));
        _bin.Put(minhashed.Bytes, ParticleType.Hll);
        Assert.InRange(Ask(IntersectCount, minhashed, minhashed, minhashed, minhashed), 200, 300);
    }

    [Theory]
    [InlineData(0.01)]
    [InlineData(0.1)]
    [InlineData(0.5)]
    public void Minhashes_find_the_similarity_of_many_values(double overlap)
    {
        const int Values = 1 << 16;
        var common = (int)(Values * overlap);
        var each = (Values - common) / 3;
        var sketches = Enumerable.Range(0, 3)
            .Select(i => Sketch([.. Named("common", 0, common), .. Named($"key{i} ", 0, each)], 12, 31)).ToArray<object>();
        _bin.Modify(Union, sketches);
        Assert.Equal(ResultCode.Ok, _bin.Put(((Tagged)sketches[0]).Bytes, ParticleType.Hll).Read(Similarity, sketches));
        Assert.Equal(overlap, _bin.ReplyDouble, 6.0 / 64);
        Assert.InRange(Ask(IntersectCount, sketches), common - 6 * Values / 64.0, common + 6 * Values / 64.0);
    }

    [Fact]
    public void A_missing_bin_answers_nothing()
    {
        Assert.Equal((ResultCode.Ok, null), (_bin.Read(Count), _bin.ReplyInteger));
        Assert.Equal((ResultCode.Ok, ParticleType.Null), (_bin.Read(Describe), _bin.ReplyType));
        Assert.Equal((ResultCode.Ok, null), (_bin.Read(MayContain, new object[] { "a" }), _bin.ReplyInteger));
    }

    [Fact]
    public void A_bin_that_is_no_sketch_is_refused()
    {
        var text = "not a sketch"u8.ToArray();
        Assert.Equal(ResultCode.IncompatibleType, _bin.Put(text, ParticleType.String).Modify(Add, Cats, 8, -1, NoFail));
        Assert.Equal(ResultCode.Parameter, _bin.Put(text, ParticleType.Hll).Read(Count));
        var sketch = Sketch(Cats, 8).Bytes;
        Assert.Equal(ResultCode.Parameter, _bin.Put(sketch[..^1], ParticleType.Hll).Read(Count));
        Assert.Equal(ResultCode.Parameter, _bin.Put([1, .. sketch[1..]], ParticleType.Hll).Read(Count));
        Assert.Equal(ResultCode.Parameter, _bin.Put([.. sketch, 0], ParticleType.Hll).Modify(Init, 8));
    }

    [Fact]
    public void Full_registers_do_not_overflow_the_estimate()
    {
        var sketch = Sketch(Cats, 8).Bytes;
        sketch.AsSpan(11).Fill(0xFF);
        _bin.Put(sketch, ParticleType.Hll);
        Assert.Equal(long.MaxValue, Ask(Count));
        Assert.Equal(long.MaxValue, Ask(IntersectCount, new Tagged(ParticleType.Hll, sketch)));
        Assert.Equal((ResultCode.Ok, long.MaxValue), (_bin.Modify(UpdateCount), _bin.ReplyInteger));
    }

    [Fact]
    public void Adding_counting_and_comparing_allocate_nothing()
    {
        var other = Sketch(Keys(0, 50), 12, 20);
        _bin.Modify(Add, Keys(0, 100), 12, 20);
        Assert.Equal(0, _bin.AllocatedEach(modifies: true, PackedCall.Of(Add, new object[] { "one", "two", "three" }), times: 100));
        Assert.Equal(0, _bin.AllocatedEach(modifies: false, PackedCall.Of(Count), times: 100));
        Assert.Equal(0, _bin.AllocatedEach(modifies: false, PackedCall.Of(IntersectCount, new object[] { other, other }), times: 100));
        Assert.Equal(0, _bin.AllocatedEach(modifies: true, PackedCall.Of(Union, new object[] { other }), times: 100));
    }

    [Theory]
    [InlineData("", 0, 0)]
    [InlineData("The quick brown fox jumps over the lazy dog", 0xe34bbc7bbc071b6c, 0x7a433ca9c49a9347)]
    [InlineData("The quick brown fox jumps over the lazy cog", 0x658ca970ff85269a, 0x43fee3eaa68e5c3e)]
    public void The_hash_is_the_published_one(string text, ulong low, ulong high) =>
        Assert.Equal((low, high), Murmur3.Hash(System.Text.Encoding.UTF8.GetBytes(text)));

    internal static BinUnderTest Bin()
    {
        var scratch = new HllScratch();
        return new BinUnderTest((bin, modifies, call, outcome) => HllCommand.Run(bin, modifies, call, scratch, outcome));
    }

    private static Tagged Sketch(object[] values, int indexBits, int minhashBits = 0)
    {
        var bin = Bin();
        Assert.Equal(ResultCode.Ok, bin.Modify(Add, values, indexBits, minhashBits));
        return new Tagged(ParticleType.Hll, bin.Bytes);
    }

    private static object[] Items(int first, int end) => Named("item", first, end);

    private static object[] Keys(int first, int end) => Named("key", first, end);

    private static object[] Named(string name, int first, int end) => [.. Enumerable.Range(first, end - first).Select(i => $"{name}{i}")];

    private long Ask(int code, params object[] list)
    {
        Assert.Equal(ResultCode.Ok, list.Length == 0 ? _bin.Read(code) : _bin.Read(code, list));
        return _bin.ReplyInteger!.Value;
    }

    private (int IndexBits, int MinhashBits) Described()
    {
        Assert.Equal(ResultCode.Ok, _bin.Read(Describe));
        Assert.Equal((ParticleType.List, 3, 0x92), (_bin.ReplyType, _bin.Reply.Length, _bin.Reply[0]));
        return (_bin.Reply[1], _bin.Reply[2]);
    }
}

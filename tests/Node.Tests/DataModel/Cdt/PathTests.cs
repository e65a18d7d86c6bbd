using Aerie.DataModel;
using Aerie.DataModel.Bins;
using Aerie.DataModel.Cdt;
using Aerie.Foundation;
using Xunit;

namespace Aerie.Node.Tests.DataModel.Cdt;

/// Operations on lists and maps inside each other.
public sealed class PathTests
{
    private const string Lists = "[[1, 2], [5, 6], [3, 4], [5, 6]]";
    private const string Maps = "{\"a\": [1, 2], \"c\": [5, 6], \"b\": [3, 4], \"d\": [5, 6]}";

    public static TheoryData<string, string, string, string> Found => new()
    {
        { Lists, "[0xFF, [0x10, 1], [17, 0]]", "5", Lists },
        { Lists, "[0xFF, [0x11, 1], [17, 0]]", "3", Lists },
        { Lists, "[0xFF, [0x13, [5, 6]], [17, 0]]", "5", Lists },
        { Maps, "[0xFF, [0x20, 1], [17, 0]]", "3", Maps },
        { Maps, "[0xFF, [0x21, 1], [17, 0]]", "3", Maps },
        { Maps, "[0xFF, [0x22, \"d\"], [17, 0]]", "5", Maps },
        { Maps, "[0xFF, [0x23, [5, 6]], [17, 0]]", "5", Maps },
        { "[[3, 1, 2], [6, 5, 4]]", "[0xFF, [0x10, 0], [0, 1]]", "-", "[o[1, 2, 3], [6, 5, 4]]" },
        { "[[\"a\"], [3, 1, 2, 1]]", "[0xFF, [0x10, -1], [13, 0]]", "-", "[[\"a\"], [1, 1, 2, 3]]" },
        { "[1, [\"a\"], 5]", "[0xFF, [0x10, 1], [1, \"d\"]]", "2", "[1, [\"a\", \"d\"], 5]" },
        { "{\"list\": [1, 2]}", "[0xFF, [0x22, \"list\"], [2, [99, 100]]]", "4", "{\"list\": [1, 2, 99, 100]}" },
        { "[[7, 9, 5], [1, 2, 3], [6, 5, 4, 1]]", "[0xFF, [0x10, -1], [1, 11]]", "5", "[[7, 9, 5], [1, 2, 3], [6, 5, 4, 1, 11]]" },
        {
            "{\"key1\": [[7, 9, 5], [13]], \"key2\": [[9], [2, 4], [6, 1, 9]]}", "[0xFF, [0x22, \"key2\", 0x11, 0], [1, 11]]", "3",
            "{\"key1\": [[7, 9, 5], [13]], \"key2\": [[9], [2, 4, 11], [6, 1, 9]]}"
        },
        { "[[3, 2, 1], [1, 2, 3]]", "[0xFF, [0x13, [3, 2, 1]], [35, 0, 3]]", "-", "[[2, 1], [1, 2, 3]]" },
        {
            "[{\"a\": 1, \"b\": 2}, {\"a\": 1, \"b\": 2}]", "[0xFF, [0x13, {\"a\": 1, \"b\": 2}], [82, 3, 2]]", "[1]",
            "[{\"a\": 1}, {\"a\": 1, \"b\": 2}]"
        },
        { "[{\"a\": 1}]", "[0xFF, [0x10, 0], [67, \"d\", 99, 0]]", "2", "[{\"a\": 1, \"d\": 99}]" },
        { "{\"n\": {\"d\": {\"a\": 1}}}", "[0xFF, [0x22, \"n\", 0x22, \"d\"], [75]]", "-", "{\"n\": {\"d\": {}}}" },

        // in an ordered list the child takes the place of its new value
        { "o[[1, 2], [3], [5]]", "[0xFF, [0x10, 0], [9, 0, 4]]", "-", "o[[3], [4, 2], [5]]" },
        { "o[[1, 2], [3], [5]]", "[0xFF, [0x10, 2], [9, 0, 0]]", "-", "o[[0], [1, 2], [3]]" },
        { "[7, o[[o[1, 9], 0], [o[5], 0]]]", "[0xFF, [0x10, 1, 0x10, 0, 0x10, 0], [5, 0]]", "1", "[7, o[[o[5], 0], [o[9], 0]]]" },
        { "o[k{1: o[2]}, k{1: o[3]}]", "[0xFF, [0x10, 0, 0x22, 1], [1, 9]]", "2", "o[k{1: o[2, 9]}, k{1: o[3]}]" },
        { "o[k{1: o[2]}, k{1: o[3]}]", "[0xFF, [0x10, 0, 0x22, 1], [12, 0, 9]]", "11", "o[k{1: o[3]}, k{1: o[11]}]" },
        { "[1, 2]", "[0xFF, [], [16]]", "2", "[1, 2]" },
    };

    /// Create bits: 0x40 without order, 0x80 list with padding or map by key, 0xC0 ordered list or map by key and value. They
    /// describe the container in which the step looks, not what it finds.
    public static TheoryData<string, string, string, string> Created => new()
    {
        { Lists, "[0xFF, [0x90, 4], [9, 0, 150]]", "-", "[[1, 2], [5, 6], [3, 4], [5, 6], [150]]" },
        { Lists, "[0xFF, [0xD0, 4], [9, 0, 150]]", "-", "[[1, 2], [5, 6], [3, 4], [5, 6], [150]]" },
        { Lists, "[0xFF, [0x50, 4], [9, 0, 150]]", "-", "[[1, 2], [5, 6], [3, 4], [5, 6], [150]]" },
        { Lists, "[0xFF, [0x90, 5], [9, 0, 150]]", "-", "[[1, 2], [5, 6], [3, 4], [5, 6], null, [150]]" },
        { Maps, "[0xFF, [0x62, \"e\"], [9, 0, 150]]", "-", Maps[..^1] + ", \"e\": [150]}" },
        { "k{1: [1], 5: [5]}", "[0xFF, [0xA2, 3], [1, 150]]", "1", "k{1: [1], 3: [150], 5: [5]}" },
        { "{\"map\": 1}", "[0xFF, [0xE2, \"nested\"], [0, 1]]", "-", "{\"map\": 1, \"nested\": o[]}" },
        { "[1, 2, 3, 4, 5]", "[0xFF, [0x90, 10], [0, 0]]", "-", "[1, 2, 3, 4, 5, null, null, null, null, null, []]" },
        { "o[[7]]", "[0xFF, [0xD0, 3], [0, 1]]", "-", "o[o[], [7]]" },
        { "o[[7]]", "[0xFF, [0xD0, 3], [1, 2]]", "1", "o[[2], [7]]" },
        { "-", "[0xFF, [0x50, 0], [0, 0]]", "-", "[[]]" },
        { "-", "[0xFF, [0xD0, 3], [0, 0]]", "-", "o[[]]" },
        { "-", "[0xFF, [0x90, 3], [1, 1, 1, 0]]", "1", "[null, null, null, o[1]]" },
        { "[null, null, null, o[1]]", "[0xFF, [0x90, 3, 0x90, 3], [1, 2]]", "1", "[null, null, null, o[1, [2]]]" },
        { "[null, null, null, o[1, [2]]]", "[0xFF, [0x90, 3, 0x90, 3], [1, 1]]", "1", "[null, null, null, o[1, [1], [2]]]" },
        { "-", "[0xFF, [0xD0, 3, 0xD0, 3], [1, 10]]", "1", "o[o[[10]]]" },
        { "o[o[[10]]]", "[0xFF, [0xD0, 3, 0xD0, 3], [1, 1]]", "1", "o[o[[1]], o[[10]]]" },
        { "-", "[0xFF, [0xA2, \"a\", 0x90, 1, 0x62, \"b\"], [67, 1, 2, 1]]", "1", "k{\"a\": [null, {\"b\": k{1: 2}}]}" },
        { "-", "[0xFF, [0x1A2, \"a\"], [67, 1, 2, 0]]", "1", "m17{\"a\": {1: 2}}" },

        // what only takes away makes nothing
        { "-", "[0xFF, [0xD0, 3], [11]]", "-", "-" },
        { "o[[1]]", "[0xFF, [0xD0, 4, 0x50, 0, 0x50, 0], [11]]", "-", "o[[1]]" },
        { "[1]", "[0xFF, [0x50, 1], [2, [5, 5], 0, 5]]", "0", "[1]" },
    };

    public static TheoryData<string, string, int> Errors => new()
    {
        { Lists, "[0xFF, [0xD0, 5], [9, 0, 150]]", 26 },
        { Lists, "[0xFF, [0x50, 5], [9, 0, 150]]", 26 },
        { Lists, "[0xFF, [0x90, -5], [9, 0, 150]]", 26 },
        { Lists, "[0xFF, [0x10, 4], [1, 150]]", 26 },
        { Lists, "[0xFF, [0x10, 4], [17, 0]]", 26 },
        { Lists, "[0xFF, [0x90, 4], [17, 0]]", 26 },
        { Lists, "[0xFF, [0x10, 4], [11]]", 26 },
        { Lists, "[0xFF, [0x22, 4], [17, 0]]", 26 },
        { Lists, "[0xFF, [0x13, 4], [17, 0]]", 26 },
        { Lists, "[0xFF, [0x10, 0, 0x10, 0], [17, 0]]", 12 },
        { Lists, "[0xFF, [0x10, 0, 0x10, 0, 0x10, 0], [17, 0]]", 26 },
        { Lists, "[0xFF, [0x10, 0], [96]]", 12 },
        { Lists, "[0xFF, [0x10, \"x\"], [16]]", 4 },
        { Lists, "[0xFF, [0x10], [16]]", 4 },
        { Lists, "[0xFF, [0x12, 1], [16]]", 4 },
        { Lists, "[0xFF, [0x2A, [1]], [16]]", 4 },
        { Lists, "[0xFF, [0x210, 1], [16]]", 4 },
        { Lists, "[0xFF, [0x10, 0], [0xFF, [0x10, 0], [16]]]", 4 },
        { Lists, "[0xFE, [0x10, 0], 0]", 4 },
        { Lists, "[0xFF, [0x90, 100000000], [1, 1]]", 26 },
        { Maps, "[0xFF, [0x62, null], [1, 1]]", 26 },
        { "-", "[0xFF, [0x10, 0], [1, 1]]", 26 },
    };

    [Theory, MemberData(nameof(Found)), MemberData(nameof(Created))]
    public void An_operation_reaches_the_end_of_its_path(string before, string call, string answer, string after)
    {
        var bin = new CdtBin(before);
        Assert.Equal(ResultCode.Ok, bin.Run(call));
        Assert.Equal(answer, bin.Answer);
        Assert.Equal(after, bin.Text);
        Assert.Equal(before != after, bin.HasChanged);
    }

    [Theory, MemberData(nameof(Errors))]
    public void A_path_that_leads_nowhere_has_its_code(string value, string call, int code) =>
        Assert.Equal((ResultCode)code, new CdtBin(value).Run(call));

    [Fact]
    public void A_bin_of_another_type_is_no_list()
    {
        foreach (var call in new[] { "[16]", "[0xFF, [0x10, 0], [16]]", "[0xFF, [0x50, 0], [1, 1]]" })
        {
            var bin = new CdtBin("-") { Type = ParticleType.String, Bytes = [65] };
            Assert.Equal(ResultCode.IncompatibleType, bin.Run(call));
        }
    }

    [Fact]
    public void A_path_of_many_steps_makes_and_finds_what_it_names()
    {
        var bin = new CdtBin("-");
        var path = string.Join(", ", Enumerable.Repeat("0x50, 0", 250));
        Assert.Equal(ResultCode.Ok, bin.Run($"[0xFF, [{path}], [1, 1]]"));
        Assert.Equal(ResultCode.Ok, bin.Run($"[0xFF, [{path}], [1, 2]]"));
        Assert.Equal("2", bin.Answer);
        Assert.Equal(ResultCode.Parameter, bin.Run($"[0xFF, [{path}], [1, [[[[[[[]]]]]]]]]"));
        Assert.Equal(ResultCode.Parameter, bin.Run($"[0xFF, [{path}, {path}], [1, 1]]"));
    }

    [Theory]
    [InlineData("[0x22, \"d\", 0x10, 1]", "6")]
    [InlineData("[0x22, \"d\"]", "[5, 6]")]
    [InlineData("[0x22, \"x\"]", "")]
    [InlineData("[0x22, \"d\", 0x10, 1, 0x10, 0]", "")]
    [InlineData("[]", Maps)]
    public void A_value_is_read_at_its_path_without_an_operation(string path, string expected)
    {
        var value = PackedText.Pack(Maps);
        var result = CdtPath.Read(new BinValue(ParticleType.Map, value), PackedText.Pack(path), new CdtScratch(), out _, out var packed);
        Assert.Equal(ResultCode.Ok, result);
        Assert.Equal(expected, packed.IsEmpty ? "" : PackedText.Show(packed));
    }
}

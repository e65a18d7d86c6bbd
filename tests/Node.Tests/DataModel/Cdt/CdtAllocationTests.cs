using Aerie.DataModel.Bins;
using Aerie.DataModel.Cdt;
using Aerie.DataModel.Packed;
using Aerie.Foundation;
using Xunit;

namespace Aerie.Node.Tests.DataModel.Cdt;

/// Once warm, no operation may allocate: what does is collected on the request path.
public sealed class CdtAllocationTests
{
    private const int Times = 500;

    public static TheoryData<string, bool, string> Operations => new()
    {
        { "k{1: 1, 2: 2, 3: 3}", false, "[97, 7, 2]" },
        { "k{1: 1, 2: 2, 3: 3}", true, "[67, 2, 5, 1]" },
        { "k{1: 1, 2: 2, 3: 3}", true, "[73, 2, 5, 1]" },
        { "{1: 1, 2: 2, 3: 3}", true, "[67, 4, 5, 0]" },
        { "{3: 1, 2: 2, 1: 3}", true, "[68, {4: 5, 1: 2}, 0]" },
        { "{3: 1, 2: 2, 1: 3}", false, "[106, 8, 0, 2]" },
        { "[1, 2, 3]", true, "[1, 5]" },
        { "o[1, 2, 3]", true, "[1, 2]" },
        { "[1, 2, 3]", false, "[17, 1]" },
        { "[3, 2, 1]", true, "[13, 0]" },
        { "[3, 2, 1]", true, "[36, 7, [2, 1]]" },
        { "[3, 2, 1]", false, "[23, 3, [2, 1]]" },
        { "[[3], o[2], 1]", true, "[0xFF, [0x10, 1], [1, 7]]" },
        { "o[1, [3], k{1: o[2]}]", true, "[0xFF, [0x10, 2, 0x22, 1], [1, 7]]" },
        { "k{1: o[2]}", true, "[0xFF, [0x22, 1], [1, 7]]" },
        { "o[1, [3], [4]]", true, "[0xFF, [0x10, 1], [1, 7]]" },
        { "{1: {2: 3}}", true, "[0xFF, [0x22, 1], [67, 1, 7, 0]]" },
    };

    [Theory, MemberData(nameof(Operations))]
    public void An_operation_allocates_nothing(string text, bool modifies, string call)
    {
        Measure(new CdtBin(text), modifies, call);
    }

    [Theory]
    [InlineData(false, "[97, 7, 777]")]
    [InlineData(true, "[67, 777, 5, 1]")]
    [InlineData(true, "[67, 100000, 5, 1]")]
    [InlineData(true, "[76, 0, 500]")]
    public void Nor_does_one_on_a_large_map(bool modifies, string call)
    {
        var bin = new CdtBin("-");
        bin.Run($"[68, {{{string.Join(", ", Enumerable.Range(0, 1_000).Select(i => $"{i}: {i}"))}}}, 1]");
        Measure(bin, modifies, call);
    }

    private static void Measure(CdtBin bin, bool modifies, string call)
    {
        var packed = PackedText.Pack(call);
        var scratch = new CdtScratch();
        var outcome = new OpOutcome(new GrowingBytes(1024 * 1024), new GrowingBytes(1024 * 1024));
        Run(bin, modifies, packed, scratch, outcome);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Run(bin, modifies, packed, scratch, outcome);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static void Run(CdtBin bin, bool modifies, byte[] call, CdtScratch scratch, OpOutcome outcome)
    {
        for (var i = 0; i < Times; i++)
        {
            outcome.Value.Clear();
            outcome.Reply.Clear();
            outcome.Begin();
            Assert.True(CdtCommand.Run(new BinValue(bin.Type, bin.Bytes), modifies, call, scratch, outcome) == ResultCode.Ok);
        }
    }
}

using Aerie.DataModel;
using Aerie.DataModel.Bits;
using Aerie.Foundation;
using Aerie.Node.Tests.DataModel.Operations;
using Xunit;

namespace Aerie.Node.Tests.DataModel.Bits;

/// What clients expect of operations on bits, as their own tests say it: bytes, answers and result codes.
public sealed class BitsCommandTests
{
    private const int CreateOnly = 1, UpdateOnly = 2, NoFail = 4, Partial = 8;
    private const int FromFront = 1, GrowOnly = 2, ShrinkOnly = 4;
    private const int Fail = 0, Signed = 1, Saturate = 2, Wrap = 4;

    private readonly BinUnderTest _bin = new(BitsCommand.Run);

    public static TheoryData<string, object[], string> Modifications => new()
    {
        { "0102", [0, 4], "01020000" },
        { "010203", [0, 2, 0, 0], "0102" },
        { "0102", [0, 4, 0, FromFront], "00000102" },
        { "010203", [0, 1, 0, FromFront], "03" },
        { "0102", [0, 2, 0, GrowOnly | FromFront], "0102" },
        { "0102", [1, 1, Hex("0304")], "01030402" },
        { "0102", [1, -1, Hex("03")], "010302" },
        { "FFFFFFFFFF", [1, 9, Hex("03")], "FFFFFFFFFF0000000003" },
        { "0142030405", [2, 2, 3], "0142" },
        { "0142030405", [2, 3, 9, Partial], "014203" },
        { "0142030405", [3, 13, 3, Hex("E0")], "0147030405" },
        { "00", [3, 4, 8, Hex("AA"), UpdateOnly | NoFail | Partial], "0A" },
        { "0142030405", [4, 17, 6, Hex("A8")], "0142570405" },
        { "0142030405", [5, 17, 6, Hex("AC")], "0142550405" },
        { "0142030405", [6, 23, 9, Hex("3C80")], "0142020005" },
        { "0142030405", [7, 25, 6], "0142037A05" },
        { "0142030405", [8, 32, 8, 3], "0142030428" },
        { "0142030405", [9, 0, 9, 1], "00C2030405" },
        { "FFFFFF", [8, 0, 20, 15], "F8000F" },
        { "1801", [8, 0, 4, 7], "0801" },
        { "0142030405", [10, 24, 16, 128], "0142030485" },
        { "FE", [10, 0, 8, 2, 0, Wrap], "00" },
        { "FC", [10, 0, 8, 100, 0, Saturate], "FF" },
        { "77", [10, 0, 8, 0x77, 0, Signed | Saturate], "7F" },
        { "8F", [10, 0, 8, 0x8F, 0, Signed | Saturate], "80" },
        { "80", [10, 0, 8, 0xFF, 0, Signed | Wrap], "7F" },
        { "FF", [10, 0, 8, 254, 0, Signed | Wrap], "FD" },
        { "0142030405", [11, 24, 16, 128], "0142030385" },
        { "04", [11, 0, 8, 10, 0, Wrap], "FA" },
        { "04", [11, 0, 8, 10, 0, Saturate], "00" },
        { "89", [11, 0, 8, 0x77, 0, Signed | Saturate], "80" },
        { "7F", [11, 0, 8, 0x8F, 0, Signed | Saturate], "7F" },
        { "0142030405", [12, 1, 8, 127], "3FC2030405" },
        { "0142030405", [12, 0, 40, -1], "FFFFFFFFFF" },
        { "0000000000000000FF", [12, 3, 64, -1], "1FFFFFFFFFFFFFFFFF" },
    };

    public static TheoryData<string, object[], string> Answers => new()
    {
        { "0142030405", [50, 9, 5], "80" },
        { "C1AAAA", [50, 9, 15], "5554" },
        { "C1AAAA", [50, 9, 14], "5554" },
        { "C1AAAA", [50, -1, 1], "00" },
    };

    public static TheoryData<string, object[], long> Integers => new()
    {
        { "0142030405", [51, 20, 4], 2 },
        { "C1AAAB", [51, 9, 14], 7 },
        { "0142030405", [52, 24, 8, true], 5 },
        { "FFFFFFFF0000000001", [52, 32, 40, true], 39 },
        { "FFFFFFFF0000000001", [52, 1, 30, false], -1 },
        { "FFFFFFFF0000000001", [52, -1, 1, true], 0 },
        { "0142030405", [53, 32, 8, true], 7 },
        { "FFFFFFFF0000000001", [53, 0, 72, false], 70 },
        { "FFFFFFFF0000000001", [53, 33, 38, true], -1 },
        { "0142030405", [54, 8, 16], 16899 },
        { "0F0F00", [54, 7, 4, Signed], -8 },
        { "0F0F00", [54, 5, 17, Signed], -15424 },
        { "0F0F00", [54, -12, 4], 15 },
        { "FFFFFFFFFFFFFFFF00", [54, 0, 64], -1 },
        { "FFFFFFFFFFFFFFFE80", [54, 1, 64, Signed], -3 },
    };

    public static TheoryData<string?, object[], ResultCode> Refusals => new()
    {
        { "010203", [0, 2, 0, GrowOnly], ResultCode.Parameter },
        { "010203", [0, 4, 0, ShrinkOnly], ResultCode.Parameter },
        { "010203", [0, 4, 0, GrowOnly | ShrinkOnly], ResultCode.Parameter },
        { "010203", [0, 4, CreateOnly], ResultCode.BinExists },
        { "010203", [0, 4, Partial], ResultCode.Parameter },
        { null, [0, 4, UpdateOnly], ResultCode.BinNotFound },
        { null, [0, 4, CreateOnly | UpdateOnly], ResultCode.Parameter },
        { null, [0, -1], ResultCode.Parameter },
        { null, [0, BitsCommand.BlobLengthMax + 1], ResultCode.RecordTooBig },
        { null, [0, long.MaxValue, NoFail], ResultCode.RecordTooBig },
        { null, [1, long.MaxValue, Hex("01")], ResultCode.RecordTooBig },
        { "01", [1, -2, Hex("01")], ResultCode.Parameter },
        { "01", [1, 0, Hex("")], ResultCode.Parameter },
        { null, [2, 3, 3], ResultCode.BinNotFound },
        { "0000000000", [2, 6, 1], ResultCode.Parameter },
        { "0000000000", [2, 3, 3], ResultCode.Parameter },
        { "", [2, 0, 1], ResultCode.Parameter },
        { "0000000000", [3, 41, 8, Hex("FF")], ResultCode.OpNotApplicable },
        { "0000000000", [3, 0, 48, Hex("FFFFFFFFFFFF")], ResultCode.OpNotApplicable },
        { "0000000000", [3, 0, 16, Hex("FF")], ResultCode.Parameter },
        { "0000000000", [3, 0, 0, Hex("FF")], ResultCode.Parameter },
        { "0000000000", [3, 0, 1, "text"], ResultCode.Parameter },
        { "0000000000", [3, 0, 1, Hex("80"), CreateOnly], ResultCode.Parameter },
        { null, [3, 1, 1, Hex("80")], ResultCode.BinNotFound },
        { "", [7, 0, 1], ResultCode.OpNotApplicable },
        { "00", [7, -9, 1], ResultCode.OpNotApplicable },
        { "00", [8, 0, 8, -1], ResultCode.Parameter },
        { "FF", [10, 0, 8, 1, 0, Fail], ResultCode.OpNotApplicable },
        { "7F", [10, 0, 8, 2, 0, Signed], ResultCode.OpNotApplicable },
        { "81", [10, 0, 8, 0xFE, 0, Signed], ResultCode.OpNotApplicable },
        { "04", [11, 0, 8, 10], ResultCode.OpNotApplicable },
        { "00", [10, 0, 8, 1, 0, Saturate | Wrap], ResultCode.Parameter },
        { "00", [10, 0, 8, 1, Partial], ResultCode.Parameter },
        { "000000000000000000", [12, 0, 65, 1], ResultCode.Parameter },
        { "00", [13, 0, 1], ResultCode.Parameter },
        { "00", [255, new object[] { 0x10, 0 }, new object[] { 0, 4 }], ResultCode.Parameter },
        { "00", [7, 0], ResultCode.Parameter },
        { "00", [7, 0, 1, 0, 0], ResultCode.Parameter },
        { "00", [7, 1.5, 1], ResultCode.Parameter },
        { "00", [], ResultCode.Parameter },
        { "00", [50, 0, 1], ResultCode.Parameter },
    };

    public static TheoryData<object[], ResultCode> RefusedReads => new()
    {
        { [50, 41, 1], ResultCode.OpNotApplicable },
        { [50, 0, 41], ResultCode.OpNotApplicable },
        { [51, 40, 1], ResultCode.OpNotApplicable },
        { [52, -41, 1, true], ResultCode.OpNotApplicable },
        { [52, 0, 1, 1], ResultCode.Parameter },
        { [54, 0, 65], ResultCode.Parameter },
        { [54, 0, 8, 2], ResultCode.Parameter },
        { [0, 4], ResultCode.Parameter },
    };

    [Theory, MemberData(nameof(Modifications))]
    public void A_modification_leaves_the_bytes_that_clients_expect(string before, object[] call, string after)
    {
        Assert.Equal(ResultCode.Ok, _bin.Put(Hex(before)).Modify(call));
        Assert.Equal((after, ParticleType.Bytes, ParticleType.Null), (Convert.ToHexString(_bin.Bytes), _bin.Type, _bin.ReplyType));
    }

    [Theory, MemberData(nameof(Answers))]
    public void Bits_are_answered_from_the_left(string blob, object[] call, string expected)
    {
        Assert.Equal(ResultCode.Ok, _bin.Put(Hex(blob)).Read(call));
        Assert.Equal((expected, ParticleType.Bytes), (Convert.ToHexString(_bin.Reply), _bin.ReplyType));
    }

    [Theory, MemberData(nameof(Integers))]
    public void A_number_is_answered(string blob, object[] call, long expected)
    {
        Assert.Equal(ResultCode.Ok, _bin.Put(Hex(blob)).Read(call));
        Assert.Equal(expected, _bin.ReplyInteger);
    }

    [Theory, MemberData(nameof(Refusals))]
    public void A_refused_modification_leaves_the_bin_as_it_was(string? before, object[] call, ResultCode expected)
    {
        Assert.Equal(expected, _bin.Put(before is null ? null : Hex(before)).Modify(call));
        Assert.False(_bin.HasChanged);
    }

    [Theory, MemberData(nameof(RefusedReads))]
    public void A_read_that_cannot_be_is_refused(object[] call, ResultCode expected) =>
        Assert.Equal(expected, _bin.Put(Hex("0142030405")).Read(call));

    [Theory]
    [InlineData("FF", 10, 0, 8, 1, NoFail)] // an overflow
    [InlineData("FF", 12, 9, 8, 1, NoFail)] // behind the end
    [InlineData(null, 12, 0, 8, 1, UpdateOnly | NoFail)]
    public void An_operation_that_must_not_fail_changes_nothing_instead(string? before, params object[] call)
    {
        Assert.Equal(ResultCode.Ok, _bin.Put(before is null ? null : Hex(before)).Modify(call));
        Assert.False(_bin.HasChanged);
    }

    [Fact]
    public void A_bin_comes_to_be_by_resize_and_insert_alone()
    {
        Assert.Equal(ResultCode.Ok, _bin.Put(null).Modify(0, 3, CreateOnly));
        Assert.Equal("000000", Convert.ToHexString(_bin.Bytes));
        Assert.Equal(ResultCode.Ok, _bin.Put(null).Modify(1, 1, Hex("0A"), CreateOnly));
        Assert.Equal("000A", Convert.ToHexString(_bin.Bytes));
        Assert.Equal(ResultCode.BinNotFound, _bin.Put(null).Modify(12, 0, 8, 1));
    }

    [Theory]
    [InlineData(50)]
    [InlineData(51)]
    [InlineData(54)]
    public void A_bin_that_is_not_there_answers_nothing(int code)
    {
        Assert.Equal(ResultCode.Ok, _bin.Put(null).Read(code, 0, 1));
        Assert.Equal(ParticleType.Null, _bin.ReplyType);
    }

    [Theory]
    [InlineData(ParticleType.String)]
    [InlineData(ParticleType.PythonBlob)]
    [InlineData(ParticleType.Hll)]
    public void Only_plain_blobs_have_bits(ParticleType type)
    {
        Assert.Equal(ResultCode.IncompatibleType, _bin.Put(Hex("00"), type).Modify(7, 0, 1, NoFail));
        Assert.Equal(ResultCode.IncompatibleType, _bin.Put(Hex("00"), type).Read(51, 0, 1));
    }

    [Fact]
    public void A_blob_that_outgrows_the_memory_of_a_command_is_too_big()
    {
        var bin = new BinUnderTest(BitsCommand.Run, lengthMax: 4096).Put(new byte[5000]);
        Assert.Equal(ResultCode.RecordTooBig, bin.Modify(7, 0, 1, NoFail));
        Assert.Equal(ResultCode.RecordTooBig, bin.Read(50, 0, 40_000));
    }

    [Fact]
    public void A_call_with_bytes_behind_its_end_is_refused() =>
        Assert.Equal(ResultCode.Parameter, _bin.Put(Hex("00")).Run(modifies: true, [.. PackedCall.Of(7, 0, 1), 0]));

    [Fact]
    public void Setting_and_getting_bits_allocates_nothing()
    {
        _bin.Put(new byte[1000]);
        Assert.Equal(0, _bin.AllocatedEach(modifies: true, PackedCall.Of(3, 13, 3, Hex("E0"))));
        Assert.Equal(0, _bin.AllocatedEach(modifies: true, PackedCall.Of(10, 13, 30, 7, 0, Wrap)));
        Assert.Equal(0, _bin.AllocatedEach(modifies: false, PackedCall.Of(50, 13, 300)));
        Assert.Equal(0, _bin.AllocatedEach(modifies: false, PackedCall.Of(51, 13, 7000)));
    }

    private static byte[] Hex(string text) => Convert.FromHexString(text);
}

using Aerie.Client;
using Aerie.Client.Wire;
using Aerie.DataModel;
using Aerie.Foundation;
using Aerie.Protocol;
using Xunit;

namespace Aerie.Node.Tests.Client;

/// The exact bytes of requests, written down by hand from the protocol.
public class RequestBytesTests
{
    private const string DigestA = "000102030405060708090a0b0c0d0e0f10111213";
    private const string DigestB = "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff00010203";
    private const string NamespaceField = "00000005" + "00" + "74657374";
    private const string SetField = "00000002" + "01" + "73";
    private const string DigestField = "00000015" + "04" + DigestA;
    private const string Address = NamespaceField + SetField + DigestField;

    private readonly MessageWriter _writer = new(16);
    private readonly Key _key = KeyOf(DigestA);

    [Fact]
    public void Get_of_all_bins()
    {
        Requests.Read(_writer, Policy.Default, _key, []);
        AssertWritten("020300000000003e" + "16" + "03000000" + "00" + "00000000" + "00000000" + "000003e8" + "0003" + "0000" + Address);
    }

    [Fact]
    public void Get_of_one_bin_names_it_as_a_read_operation()
    {
        Requests.Read(_writer, Policy.Default, _key, ["a"]);
        AssertWritten(
            "0203000000000047" + "16" + "01000000" + "00" + "00000000" + "00000000" + "000003e8" + "0003" + "0001"
            + Address + "00000005" + "01" + "00" + "00" + "01" + "61");
    }

    [Fact]
    public void Put_of_an_integer()
    {
        Requests.Write(_writer, WritePolicy.Default, _key, OpCode.Write, [new Bin("a", 1L)]);
        AssertWritten(
            "020300000000004f" + "16" + "00010000" + "00" + "00000000" + "00000000" + "000003e8" + "0003" + "0001"
            + Address + "0000000d" + "02" + "01" + "00" + "01" + "61" + "0000000000000001");
    }

    [Fact]
    public void Put_carries_generation_ttl_key_and_policies()
    {
        var policy = new WritePolicy
        {
            Exists = ExistsAction.ReplaceOnly,
            GenerationPolicy = GenerationPolicy.ExpectEqual,
            Generation = 7,
            Ttl = Ttl.Never,
            SendKey = true,
            DurableDelete = true,
            CommitToMasterOnly = true,
        };
        Requests.Write(_writer, policy, KeyOf(DigestA, "k"), OpCode.Append, [new Bin("a", "x")]);
        AssertWritten(
            "020300000000004f" + "16" + "00152200" + "00" + "00000007" + "ffffffff" + "000003e8" + "0004" + "0001"
            + Address + "00000003" + "02" + "03" + "6b" + "00000006" + "09" + "03" + "00" + "01" + "61" + "78");
    }

    [Fact]
    public void Delete_is_a_write_with_the_delete_bit()
    {
        Requests.Delete(_writer, WritePolicy.Default, _key);
        AssertWritten("020300000000003e" + "16" + "00030000" + "00" + "00000000" + "00000000" + "000003e8" + "0003" + "0000" + Address);
    }

    [Fact]
    public void Operate_with_a_read_of_all_bins_cannot_ask_for_a_result_per_operation()
    {
        var policy = new WritePolicy { RespondAllOperations = true };
        Requests.Operate(_writer, policy, _key, [Operation.Put("a", true), Operation.Get()]);
        Assert.Equal([(byte)(Info1.Read | Info1.GetAll), (byte)Info2.Write], _writer.Written[9..11].ToArray());
        Requests.Operate(_writer, policy, _key, [Operation.Put("a", true), Operation.Get("a")]);
        Assert.Equal([(byte)Info1.Read, (byte)(Info2.Write | Info2.RespondAllOps)], _writer.Written[9..11].ToArray());
    }

    [Fact]
    public void Batch_names_namespace_and_set_once_for_keys_that_are_alike()
    {
        Requests.Batch(_writer, BatchPolicy.Default, [new BatchEntry(KeyOf(DigestA)), new BatchEntry(KeyOf(DigestB))], [0, 1]);
        AssertWritten(
            "020300000000006c" + "16" + "08000000" + "00" + "00000000" + "00000000" + "000003e8" + "0001" + "0000"
            + "00000052" + "29" + "00000002" + "05"
            + "00000000" + DigestA + "0a" + "030000" + "00000000" + "0002" + "0000" + NamespaceField + SetField
            + "00000001" + DigestB + "01");
    }

    [Fact]
    public void Batch_with_a_write_carries_its_own_attributes()
    {
        var write = new BatchEntry(KeyOf(DigestA), Operation.Put("a", 1L)) { Policy = new WritePolicy { Ttl = 60 } };
        Requests.Batch(_writer, new BatchPolicy { AllowInline = false, RespondAllKeys = false }, [write], [0]);
        AssertWritten(
            "0203000000000066" + "16" + "08000000" + "00" + "00000000" + "00000000" + "000003e8" + "0001" + "0000"
            + "0000004c" + "29" + "00000001" + "00"
            + "00000000" + DigestA + "0e" + "008100" + "0000" + "0000003c" + "0002" + "0001" + NamespaceField + SetField
            + "0000000d" + "02" + "01" + "00" + "01" + "61" + "0000000000000001");
    }

    [Fact]
    public void Rows_of_a_batch_may_call_a_function_which_is_named_once_for_keys_that_are_alike()
    {
        var call = new FunctionCall("m", "f", [0x91, 7]);
        BatchEntry[] entries = [new(KeyOf(DigestA), call), new(KeyOf(DigestB), call), new(KeyOf(DigestA), call with { Module = "n" })];
        Requests.Batch(_writer, BatchPolicy.Default, entries, [0, 1, 2]);
        string Row(string module) =>
            "0e" + "000100" + "0000" + "00000000" + "0005" + "0000" + NamespaceField + SetField
            + "00000002" + "1e" + module + "00000002" + "1f" + "66" + "00000003" + "20" + "9107";
        AssertWritten(
            "02030000000000c9" + "16" + "08000000" + "00" + "00000000" + "00000000" + "000003e8" + "0001" + "0000"
            + "000000af" + "29" + "00000003" + "05"
            + "00000000" + DigestA + Row("6d") + "00000001" + DigestB + "01" + "00000002" + DigestA + Row("6e"));
    }

    [Fact]
    public void A_call_of_a_function_is_a_write_with_module_name_and_arguments()
    {
        Requests.Execute(_writer, WritePolicy.Default, _key, new FunctionCall("m", "f", [0x91, 7]));
        AssertWritten(
            "0203000000000051" + "16" + "00010000" + "00" + "00000000" + "00000000" + "000003e8" + "0006" + "0000" + Address
            + "00000002" + "1e" + "6d" + "00000002" + "1f" + "66" + "00000003" + "20" + "9107");
    }

    [Fact]
    public void A_filter_goes_with_the_address()
    {
        Requests.Read(_writer, new Policy { Filter = [0xC3] }, _key, []);
        AssertWritten(
            "0203000000000044" + "16" + "03000000" + "00" + "00000000" + "00000000" + "000003e8" + "0004" + "0000" + Address
            + "00000002" + "2b" + "c3");
    }

    [Fact]
    public void Query_lists_partitions_little_endian_and_asks_not_to_hear_of_partitions_that_end_well()
    {
        var request = new QueryRequest(new Statement("test", "s"), [1, 4095], [], 10, 7);
        Requests.Query(_writer, QueryPolicy.Default, request);
        AssertWritten(
            "0203000000000051" + "16" + "01000400" + "00" + "00000000" + "00000000" + "00000000" + "0006" + "0000"
            + NamespaceField + SetField + "00000005" + "0b" + "0100ff0f" + "00000009" + "0d" + "000000000000000a"
            + "00000005" + "09" + "00007530" + "00000009" + "07" + "0000000000000007");
    }

    [Fact]
    public void Query_that_goes_on_sends_the_last_digests()
    {
        var request = new QueryRequest(new Statement("test", string.Empty, "a"), [], [DigestOf(DigestA)], 0, 7);
        Requests.Query(_writer, new QueryPolicy { IncludeBinData = false, RecordsPerSecond = 5 }, request);
        AssertWritten(
            "0203000000000060" + "16" + "21000400" + "00" + "00000000" + "00000000" + "00000000" + "0005" + "0001"
            + NamespaceField + "00000015" + "0c" + DigestA + "00000005" + "0a" + "00000005"
            + "00000005" + "09" + "00007530" + "00000009" + "07" + "0000000000000007" + "00000005" + "01" + "00" + "00" + "01" + "61");
    }

    [Fact]
    public void Info_is_one_command_per_line()
    {
        _writer.Info(["node", "build"]);
        AssertWritten("020100000000000b" + "6e6f64650a" + "6275696c640a");
    }

    [Fact]
    public void A_key_hashes_set_type_and_value()
    {
        var expected = Ripemd160.OfKey("s"u8, (byte)ParticleType.Integer, [0, 0, 0, 0, 0, 0, 0, 5]);
        Assert.Equal(expected, new Key("test", "s", 5L).Digest);
        Assert.Equal(Ripemd160.OfKey(""u8, (byte)ParticleType.String, "k"u8), new Key("test", string.Empty, "k").Digest);
        Assert.Throws<ArgumentException>(() => new Key("test", "s", 1.5));
    }

    [Fact]
    public void A_bin_name_that_is_too_long_is_refused_before_it_is_sent()
    {
        var failure = Assert.Throws<AerieException>(() =>
            Requests.Write(_writer, WritePolicy.Default, _key, OpCode.Write, [new Bin("sixteen_letters_", 1L)]));
        Assert.Equal(ResultCode.BinName, failure.Code);
    }

    private static Key KeyOf(string digest, Value userKey = default) => new("test", "s", DigestOf(digest), userKey);

    private static Digest DigestOf(string hex) => new(Convert.FromHexString(hex));

    private void AssertWritten(string expected) => Assert.Equal(expected, Convert.ToHexStringLower(_writer.Written));
}

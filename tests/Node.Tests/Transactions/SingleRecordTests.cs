using System.Text;
using Aerie.DataModel;
using Aerie.DataModel.Bins;
using Aerie.Foundation;
using Aerie.Protocol;
using Aerie.Storage;
using Aerie.TestKit;
using Xunit;

namespace Aerie.Node.Tests.Transactions;

/// Single-record commands as exact messages against a whole node in the simulated world.
public class SingleRecordTests : IDisposable
{
    private readonly NodeUnderTest _node;
    private readonly SimulatedPeer _client;

    public SingleRecordTests()
        : this(new NodeUnderTest())
    {
    }

    protected SingleRecordTests(NodeUnderTest node)
    {
        _node = node;
        _client = _node.Connect();
        _node.Settle(); // it is accepted in a turn of its own
    }

    public void Dispose()
    {
        GC.SuppressFinalize(this);
        _client.Close();
        _node.Settle();
        _node.Dispose();
    }

    [Fact, Evidence("REC-GET-01"), Evidence("REC-PUT-01")]
    public void What_was_put_is_read_back_with_its_generation()
    {
        Assert.Equal(ResultCode.Ok, Ask(WireRequest.Put("k", "a", "one")).Result);
        var put = Ask(WireRequest.Put("k", "b", "two"));
        Assert.Equal(2u, put.Header.Generation);
        Assert.Equal(0u, put.Header.Ttl);

        var read = Ask(WireRequest.Get("k"));
        Assert.Equal(ResultCode.Ok, read.Result);
        Assert.Equal(2u, read.Header.Generation);
        Assert.Equal(["a", "b"], read.Ops.Select(op => op.Name));
        Assert.Equal("one", read["a"].Text);
        Assert.Equal("two", read["b"].Text);
    }

    [Fact, Evidence("REC-GET-02"), Evidence("REC-DEL-01"), Evidence("REC-PUT-04")]
    public void A_record_that_is_not_there_answers_not_found_to_every_command_but_a_put()
    {
        Assert.Equal(ResultCode.NotFound, Ask(WireRequest.Get("none")).Result);
        Assert.Equal(ResultCode.NotFound, Ask(WireRequest.Exists("none")).Result);
        Assert.Equal(ResultCode.NotFound, Ask(WireRequest.Delete("none")).Result);
        Assert.Equal(ResultCode.NotFound, Ask(WireRequest.Write("none").Op(OpCode.Touch, "")).Result);
        Assert.Equal(ResultCode.NotFound, Ask(WireRequest.Put("none", "a", "x").Flags(Info3.UpdateOnly)).Result);
        Assert.Equal(ResultCode.NotFound, Ask(WireRequest.Put("none", "a", "x").Flags(Info3.ReplaceOnly)).Result);
        Assert.Equal(0, _node.Node.Namespaces.All[0].Objects);
    }

    [Fact, Evidence("REC-EXISTS-01"), Evidence("REC-GET-04")]
    public void Exists_answers_metadata_without_bins()
    {
        Ask(WireRequest.Put("k", "a", "one"));
        var reply = Ask(WireRequest.Exists("k"));
        Assert.Equal(ResultCode.Ok, reply.Result);
        Assert.Equal(1u, reply.Header.Generation);
        Assert.Empty(reply.Ops);
    }

    [Fact, Evidence("REC-GET-03")]
    public void Named_bins_come_in_the_order_asked_for_and_missing_ones_are_left_out()
    {
        Ask(WireRequest.Put("k", "a", "one").Op(OpCode.Write, "b", ParticleType.Integer, WireRequest.Integer(7)));
        var read = new WireRequest().Flags(Info1.Read).Record("k", "s").Op(OpCode.Read, "b").Op(OpCode.Read, "none").Op(OpCode.Read, "a");
        Assert.Equal(["b", "a"], Ask(read).Ops.Select(op => op.Name));

        var all = Ask(read.Flags(Info2.RespondAllOps));
        Assert.Equal(["b", "none", "a"], all.Ops.Select(op => op.Name));
        Assert.Equal(ParticleType.Null, all["none"].Type);
    }

    [Fact, Evidence("REC-PUT-03")]
    public void Create_only_meets_an_existing_record_with_exists()
    {
        Assert.Equal(ResultCode.Ok, Ask(WireRequest.Put("k", "a", "one").Flags(Info2.CreateOnly)).Result);
        Assert.Equal(ResultCode.RecordExists, Ask(WireRequest.Put("k", "a", "two").Flags(Info2.CreateOnly)).Result);
        Assert.Equal("one", Ask(WireRequest.Get("k"))["a"].Text);
    }

    [Fact, Evidence("REC-PUT-05")]
    public void Replace_drops_the_bins_that_it_does_not_name()
    {
        Ask(WireRequest.Put("k", "a", "one"));
        Ask(WireRequest.Put("k", "b", "two").Flags(Info3.CreateOrReplace));
        Assert.Equal(["b"], Ask(WireRequest.Get("k")).Ops.Select(op => op.Name));
        Assert.Equal(ResultCode.Parameter, Ask(WireRequest.Write("k").Flags(Info3.CreateOrReplace).Op(OpCode.Touch, "")).Result);
    }

    [Theory, Evidence("REC-PUT-06")]
    [InlineData(Info2.GenerationEqual, 1, ResultCode.Ok)]
    [InlineData(Info2.GenerationEqual, 2, ResultCode.Generation)]
    [InlineData(Info2.GenerationGreater, 1, ResultCode.Generation)]
    [InlineData(Info2.GenerationGreater, 2, ResultCode.Ok)]
    public void A_generation_condition_is_held_against_the_record(Info2 condition, int expected, ResultCode result)
    {
        Ask(WireRequest.Put("k", "a", "one"));
        Assert.Equal(result, Ask(WireRequest.Put("k", "a", "two").Flags(condition).Generation((uint)expected)).Result);
        var delete = Ask(WireRequest.Delete("k").Flags(condition).Generation((uint)expected + (result == ResultCode.Ok ? 1u : 0u)));
        Assert.Equal(result, delete.Result);
    }

    [Fact, Evidence("GEN-01")]
    public void The_generation_wraps_to_one()
    {
        for (var i = 0; i < ushort.MaxValue; i++)
        {
            _client.Send(WireRequest.Put("k", "a", "x").Bytes());
            _node.Turn();
            _client.ReadAll();
        }

        Assert.Equal(65_535u, Ask(WireRequest.Exists("k")).Header.Generation);
        Assert.Equal(1u, Ask(WireRequest.Put("k", "a", "x")).Header.Generation);
    }

    [Fact, Evidence("REC-APPEND-01")]
    public void Adding_appending_and_prepending_start_from_nothing_and_refuse_other_types()
    {
        var five = WireRequest.Integer(5);
        Ask(WireRequest.Write("k").Op(OpCode.Add, "n", ParticleType.Integer, five).Op(OpCode.Add, "n", ParticleType.Integer, five));
        Ask(WireRequest.Write("k").Op(OpCode.Add, "d", ParticleType.Double, WireRequest.Double(1.5)));
        Ask(WireRequest.Write("k").Op(OpCode.Add, "d", ParticleType.Double, WireRequest.Double(1.25)));
        Ask(WireRequest.Write("k").Op(OpCode.Append, "t", ParticleType.String, "mid"u8));
        Ask(WireRequest.Write("k")
            .Op(OpCode.Append, "t", ParticleType.String, "-end"u8).Op(OpCode.Prepend, "t", ParticleType.String, "start-"u8));

        var read = Ask(WireRequest.Get("k"));
        Assert.Equal(10, read["n"].Number);
        Assert.Equal(2.75, read["d"].Float);
        Assert.Equal("start-mid-end", read["t"].Text);
        Assert.Equal(ResultCode.IncompatibleType, Ask(WireRequest.Write("k").Op(OpCode.Add, "t", ParticleType.Integer, five)).Result);
        Assert.Equal(ResultCode.IncompatibleType, Ask(WireRequest.Write("k").Op(OpCode.Append, "n", ParticleType.String, "x"u8)).Result);
        Assert.Equal(ResultCode.Parameter, Ask(WireRequest.Write("k").Op(OpCode.Add, "n", ParticleType.String, "x"u8)).Result);
    }

    [Fact, Evidence("REC-OP-02"), Evidence("REC-OP-03")]
    public void Operations_of_one_command_see_each_other_in_order()
    {
        var one = WireRequest.Integer(1);
        var reply = Ask(WireRequest.Write("k").Flags(Info1.Read).Flags(Info2.RespondAllOps)
            .Op(OpCode.Write, "n", ParticleType.Integer, one)
            .Op(OpCode.Read, "n")
            .Op(OpCode.Add, "n", ParticleType.Integer, one)
            .Op(OpCode.Read, "n"));
        Assert.Equal(4, reply.Ops.Count);
        Assert.Equal([ParticleType.Null, ParticleType.Integer, ParticleType.Null, ParticleType.Integer], reply.Ops.Select(op => op.Type));
        Assert.Equal([1L, 2L], reply.Ops.Where(op => op.Type == ParticleType.Integer).Select(op => op.Number));
    }

    [Fact, Evidence("REC-OP-01")]
    public void A_command_that_fails_half_way_leaves_no_trace()
    {
        Ask(WireRequest.Put("k", "t", "text"));
        var failed = Ask(WireRequest.Put("k", "new", "x").Op(OpCode.Add, "t", ParticleType.Integer, WireRequest.Integer(1)));
        Assert.Equal(ResultCode.IncompatibleType, failed.Result);
        Assert.Empty(failed.Ops);
        var read = Ask(WireRequest.Get("k"));
        Assert.Equal(1u, read.Header.Generation);
        Assert.Equal(["t"], read.Ops.Select(op => op.Name));
    }

    [Fact, Evidence("REC-PUT-02")]
    public void Removing_the_last_bin_deletes_the_record()
    {
        Ask(WireRequest.Put("k", "a", "one"));
        Assert.Equal(ResultCode.Ok, Ask(WireRequest.Write("k").Op(OpCode.Write, "a")).Result);
        Assert.Equal(ResultCode.NotFound, Ask(WireRequest.Get("k")).Result);
        var records = _node.Node.Namespaces.All[0];
        Assert.Equal(0, records.Objects);
        Assert.Equal(records.RemovalMarks * RemovalMark.Length, records.Log.UsedBytes);
    }

    [Fact, Evidence("REC-DEL-02")]
    public void A_durable_delete_leaves_a_tombstone_and_the_generation_goes_on()
    {
        Ask(WireRequest.Put("k", "a", "one"));
        Assert.Equal(ResultCode.Ok, Ask(WireRequest.Delete("k").Flags(Info2.DurableDelete)).Result);
        var records = _node.Node.Namespaces.All[0];
        Assert.Equal((0L, 1L), (records.Objects, records.Tombstones));
        Assert.Equal(ResultCode.NotFound, Ask(WireRequest.Get("k")).Result);
        Assert.Equal(ResultCode.NotFound, Ask(WireRequest.Delete("k")).Result);
        Assert.Equal(3u, Ask(WireRequest.Put("k", "a", "two")).Header.Generation);
        Assert.Equal((1L, 0L), (records.Objects, records.Tombstones));
    }

    [Fact]
    public void Removing_the_last_bin_durably_leaves_a_tombstone()
    {
        Ask(WireRequest.Put("k", "a", "one"));
        Assert.Equal(ResultCode.Ok, Ask(WireRequest.Write("k").Flags(Info2.DurableDelete).Op(OpCode.Write, "a")).Result);
        var records = _node.Node.Namespaces.All[0];
        Assert.Equal((0L, 1L), (records.Objects, records.Tombstones));
        Assert.Equal(ResultCode.NotFound, Ask(WireRequest.Get("k")).Result);
    }

    [Fact, Evidence("REC-KEY-02")]
    public void A_stored_key_must_match_the_one_sent()
    {
        Ask(WireRequest.Put("k", "a", "one").SendKey("k"));
        Ask(WireRequest.Put("k", "a", "two"));
        Assert.Equal(ResultCode.KeyMismatch, Ask(WireRequest.Put("k", "a", "x").SendKey("other")).Result);
        Assert.Equal(ResultCode.KeyMismatch, Ask(WireRequest.Get("k").SendKey("other")).Result);
        Assert.Equal(ResultCode.KeyMismatch, Ask(WireRequest.Delete("k").SendKey("other")).Result);
        Assert.Equal("two", Ask(WireRequest.Get("k").SendKey("k"))["a"].Text);
    }

    [Theory, Evidence("LIMIT-BIN-01")]
    [InlineData("sixteen-letters!", ResultCode.BinName)]
    [InlineData("fifteen-letters", ResultCode.Ok)]
    [InlineData("", ResultCode.Parameter)]
    public void Bin_names_have_up_to_fifteen_bytes(string name, ResultCode result) =>
        Assert.Equal(result, Ask(WireRequest.Put("k", name, "x")).Result);

    [Theory, Evidence("WIRE-OP-01")]
    [InlineData(OpCode.CdtRead)]
    [InlineData(OpCode.CdtModify)]
    [InlineData((OpCode)200)]
    public void Unknown_operations_are_parameter_errors_and_change_nothing(OpCode code)
    {
        Ask(WireRequest.Put("k", "b", "one"));
        Assert.Equal(ResultCode.Parameter, Ask(WireRequest.Put("k", "b", "two").Op(code, "a", ParticleType.Bytes, "x"u8)).Result);
        Assert.Equal("one", Ask(WireRequest.Get("k"))["b"].Text);
    }

    [Fact, Evidence("LIMIT-REC-01")]
    public void Records_beyond_the_limit_are_too_big()
    {
        var big = new string('x', 1024 * 1024);
        Assert.Equal(ResultCode.RecordTooBig, Ask(WireRequest.Put("k", "a", big)).Result);
        Assert.Equal(ResultCode.Ok, Ask(WireRequest.Put("k", "a", big[..(1024 * 1024 - 200)])).Result);
        Assert.Equal(ResultCode.RecordTooBig, Ask(WireRequest.Put("k", "a", big)).Result);
        _client.ReceiveWindow = 2 * big.Length;
        Assert.Equal(big.Length - 200, Ask(WireRequest.Get("k"))["a"].Value.Length);
    }

    [Fact, Evidence("TTL-02"), Evidence("WIRE-TTL-01")]
    public void Times_to_live_follow_the_request_the_namespace_and_the_clock()
    {
        var now = CitrusTime.Seconds(_node.Clock.UnixMilliseconds);
        Assert.Equal(now + 100, Ask(WireRequest.Put("k", "a", "x").Ttl(100)).Header.Ttl);
        Assert.Equal(now + 100, Ask(WireRequest.Put("k", "a", "y").Ttl(Ttl.DoNotChange)).Header.Ttl);
        Assert.Equal(ResultCode.Parameter, Ask(WireRequest.Put("k", "a", "z").Ttl(CitrusTime.TtlSecondsMax + 1)).Result);
        _node.Clock.Advance(TimeSpan.FromSeconds(99));
        Assert.Equal(ResultCode.Ok, Ask(WireRequest.Get("k")).Result);
        _node.Clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(ResultCode.NotFound, Ask(WireRequest.Get("k")).Result);
        Assert.Equal(1u, Ask(WireRequest.Put("k", "a", "z").Ttl(Ttl.Never)).Header.Generation);
        Assert.Equal(0u, Ask(WireRequest.Exists("k")).Header.Ttl);
    }

    [Fact]
    public void A_filter_keeps_every_command_from_a_record_that_is_there()
    {
        byte[] never = [0x93, 1, 2, 3]; // 2 == 3
        Assert.Equal(ResultCode.Ok, Ask(WireRequest.Put("k", "a", "x").Field(FieldId.Filter, never)).Result); // there was none
        Assert.Equal(ResultCode.FilteredOut, Ask(WireRequest.Put("k", "a", "y").Field(FieldId.Filter, never)).Result);
        Assert.Equal(ResultCode.FilteredOut, Ask(WireRequest.Delete("k").Field(FieldId.Filter, never)).Result);
        Assert.Equal(ResultCode.FilteredOut, Ask(WireRequest.Get("k").Field(FieldId.Filter, never)).Result);
        Assert.Equal(ResultCode.NotFound, Ask(WireRequest.Get("none").Field(FieldId.Filter, never)).Result);
        Assert.Equal("x", Ask(WireRequest.Get("k").Field(FieldId.Filter, [0x93, 1, 2, 2]))["a"].Text);
        Assert.Equal(ResultCode.Parameter, Ask(WireRequest.Get("k").Field(FieldId.Filter, [0x93, 1, 2])).Result);
    }

    [Fact, Evidence("LIMIT-NS-01"), Evidence("WIRE-FIELD-01")]
    public void Unknown_namespaces_and_fields_are_told_apart()
    {
        var elsewhere = new WireRequest().Flags(Info1.Read | Info1.GetAll).Record("k", "s", ns: "nowhere");
        Assert.Equal(ResultCode.Namespace, Ask(elsewhere).Result);
        Assert.Equal(ResultCode.NotFound, Ask(WireRequest.Get("k").Field((FieldId)99, [1, 2, 3])).Result);
    }

    [Fact]
    public void A_key_without_a_digest_is_hashed_by_the_node()
    {
        Ask(WireRequest.Put("k", "a", "one"));
        var byKey = new WireRequest().Flags(Info1.Read | Info1.GetAll)
            .Field(FieldId.Namespace, "test"u8).Field(FieldId.Set, "s"u8).SendKey("k");
        Assert.Equal("one", Ask(byKey)["a"].Text);
    }

    [Fact, Evidence("LIMIT-BIN-02")]
    public void A_record_has_up_to_32767_bins_and_each_is_found()
    {
        const int most = RecordDraft.BinsMax;
        var put = WireRequest.Write("k");
        for (var i = 0; i < most; i++)
        {
            put.Op(OpCode.Write, $"bin{i}", ParticleType.Integer, WireRequest.Integer(i));
        }

        Assert.Equal(ResultCode.Ok, Ask(put).Result);
        var read = new WireRequest().Flags(Info1.Read).Record("k", "s").Op(OpCode.Read, $"bin{most - 1}").Op(OpCode.Read, "bin17");
        Assert.Equal([most - 1, 17L], Ask(read).Ops.Select(op => op.Number));
        Assert.Equal(most, Ask(WireRequest.Get("k")).Ops.Count);
        Assert.Equal(ResultCode.Parameter, Ask(WireRequest.Put("k", "one more", "x")).Result);
        Assert.Equal(1u, Ask(WireRequest.Exists("k")).Header.Generation);
    }

    [Theory, Evidence("TYPE-03")]
    [InlineData(ParticleType.JavaBlob)]
    [InlineData(ParticleType.CSharpBlob)]
    [InlineData(ParticleType.PythonBlob)]
    [InlineData(ParticleType.RubyBlob)]
    [InlineData(ParticleType.PhpBlob)]
    [InlineData(ParticleType.ErlangBlob)]
    public void Blobs_of_a_language_come_back_as_they_went(ParticleType type)
    {
        Ask(WireRequest.Write("k").Op(OpCode.Write, "a", type, [0, 255, 1]));
        var bin = Ask(WireRequest.Get("k"))["a"];
        Assert.Equal(type, bin.Type);
        Assert.Equal([0, 255, 1], bin.Value);
    }

    [Fact, Evidence("REC-STOP-01")]
    public void A_namespace_that_stops_writes_still_reads_and_deletes()
    {
        Ask(WireRequest.Put("k", "a", "one"));
        _node.Node.Namespaces.All[0].StopWrites = true;
        Assert.Equal(ResultCode.OutOfSpace, Ask(WireRequest.Put("k", "a", "two")).Result);
        Assert.Equal(ResultCode.OutOfSpace, Ask(WireRequest.Put("new", "a", "two")).Result);
        Assert.Equal("one", Ask(WireRequest.Get("k"))["a"].Text);
        Assert.Equal(ResultCode.Ok, Ask(WireRequest.Delete("k")).Result);
    }

    [Fact, Evidence("REC-PUT-07")]
    public void A_put_without_ops_or_with_flags_that_contradict_each_other_is_a_parameter_error()
    {
        Assert.Equal(ResultCode.Parameter, Ask(WireRequest.Write("k")).Result);
        Ask(WireRequest.Put("k", "a", "one"));
        Assert.Equal(ResultCode.Parameter, Ask(WireRequest.Write("k")).Result);
        Assert.Equal(ResultCode.Parameter, Ask(WireRequest.Put("k", "a", "x").Flags(Info2.CreateOnly).Flags(Info3.UpdateOnly)).Result);
        Assert.Equal(ResultCode.Parameter, Ask(WireRequest.Put("k", "a", "x").Flags(Info2.CreateOnly).Flags(Info3.ReplaceOnly)).Result);
        Assert.Equal(1u, Ask(WireRequest.Exists("k")).Header.Generation);
    }

    [Theory, Evidence("LIMIT-SET-01"), InlineData(63, ResultCode.Ok), InlineData(64, ResultCode.Parameter)]
    public void Set_names_have_up_to_63_bytes(int length, ResultCode result) =>
        Assert.Equal(result, Ask(WireRequest.Put("k", "a", "x", set: new string('s', length))).Result);

    [Fact, Evidence("WIRE-HDR-04"), Evidence("WIRE-HDR-05")]
    public void A_message_that_lies_about_what_is_in_it_is_a_parameter_error_and_the_connection_goes_on()
    {
        foreach (var (offset, value) in new[] { (8, 21), (8, 23), (8 + 18, 200), (8 + 20, 200), (8 + 22, 255), (8 + 22 + 3, 250) })
        {
            var message = WireRequest.Put("k", "a", "x").Bytes();
            message[offset] = (byte)value;
            Assert.Equal(ResultCode.Parameter, WireReply.Read(_node.Ask(_client, message)).Result);
        }

        Assert.Equal(ResultCode.NotFound, Ask(WireRequest.Get("k")).Result);
    }

    [Fact, Evidence("WIRE-HDR-02")]
    public void A_message_may_come_byte_by_byte_and_many_at_once()
    {
        var put = WireRequest.Put("k", "a", "one").Bytes();
        foreach (var b in put)
        {
            _client.Send([b]);
            _node.Turn();
        }

        _node.Settle();
        Assert.Equal(ResultCode.Ok, WireReply.Read(_client.ReadAll()).Result);
        var get = WireRequest.Get("k").Bytes();
        var replies = WireReply.ReadAll(_node.Ask(_client, Enumerable.Repeat(get, 100).SelectMany(bytes => bytes).ToArray()));
        Assert.Equal(100, replies.Count);
        Assert.All(replies, reply => Assert.Equal("one", reply["a"].Text));
    }

    [Fact]
    public void Bytes_that_are_no_message_close_their_connection_only()
    {
        var hostile = _node.Connect();
        hostile.Send(Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\n\r\n"));
        _node.Settle();
        Assert.True(hostile.IsClosedByServer);
        Assert.Equal(ResultCode.NotFound, Ask(WireRequest.Get("k")).Result);
        Assert.Equal(1, _node.Node.Counters.Sum(Server.Metrics.NodeCounter.DemarshalError));
    }

    private WireReply Ask(WireRequest request) => WireReply.Read(_node.Ask(_client, request.Bytes()));
}

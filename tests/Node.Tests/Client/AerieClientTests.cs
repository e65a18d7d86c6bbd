using System.Diagnostics;
using Aerie.Client;
using Aerie.Client.Wire;
using Aerie.DataModel;
using Aerie.Foundation;
using Aerie.Protocol;
using Xunit;
using static Aerie.Node.Tests.Client.ScriptedServer;

namespace Aerie.Node.Tests.Client;

public class AerieClientTests
{
    private static readonly Key Key = new("test", "s", 1L);
    private static readonly Policy Once = new() { MaxRetries = 0, TotalTimeout = TimeSpan.FromMilliseconds(200) };

    [Fact]
    public void Get_returns_all_kinds_of_values()
    {
        byte[][] bins =
        [
            Operation("i", ParticleType.Integer, [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE]),
            Operation("d", ParticleType.Double, [0x3F, 0xF8, 0, 0, 0, 0, 0, 0]),
            Operation("s", ParticleType.String, "text"u8),
            Operation("b", ParticleType.Bytes, [1, 2]),
            Operation("t", ParticleType.Bool, [1]),
            Operation("l", ParticleType.List, [0x90]),
        ];
        var reply = Message(Record(ResultCode.Ok, generation: 3, operations: bins));
        using var server = new ScriptedServer((stream, _) => stream.Write(reply));
        using var client = new AerieClient(server.Address);
        var record = client.Get(Key)!;
        Assert.Equal(3u, record.Generation);
        Value[] expected = [-2L, 1.5, "text", new byte[] { 1, 2 }, true, Value.Raw(ParticleType.List, [0x90])];
        Assert.Equal(expected, record.Bins.Select(bin => bin.Value));
        Assert.Equal("text", record["s"].AsString());
        Assert.True(record["none"].IsNull);
    }

    [Fact]
    public void Not_found_is_an_answer_and_not_a_failure()
    {
        using var server = Answering(Message(Record(ResultCode.NotFound)));
        using var client = new AerieClient(server.Address);
        Assert.Null(client.Get(Key));
        Assert.False(client.Exists(Key));
        Assert.False(client.Delete(Key));
        Assert.False(client.Touch(Key));
        Assert.Equal(ResultCode.NotFound, Assert.Throws<AerieException>(() => client.Put(Key, new Bin("a", 1L))).Code);
    }

    [Fact]
    public void A_result_code_becomes_an_exception_that_names_it_and_the_connection_lives_on()
    {
        using var server = Answering(Message(Record(ResultCode.Generation)));
        using var client = new AerieClient(server.Address);
        for (var i = 0; i < 3; i++)
        {
            var failure = Assert.Throws<AerieException>(() => client.Put(Key, new Bin("a", 1L)));
            Assert.Equal((FailureKind.Server, ResultCode.Generation, false), (failure.Kind, failure.Code, failure.InDoubt));
            Assert.Contains("3 (Generation)", failure.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_silent_server_is_given_up_in_time_and_a_write_is_in_doubt()
    {
        using var server = new ScriptedServer((_, _) => { });
        using var client = new AerieClient(server.Address);
        var watch = Stopwatch.StartNew();
        Assert.Equal(FailureKind.Timeout, Assert.Throws<AerieException>(() => client.Get(Once, Key)).Kind);
        var policy = new WritePolicy { TotalTimeout = Once.TotalTimeout };
        var failure = Assert.Throws<AerieException>(() => client.Put(policy, Key, new Bin("a", 1L)));
        Assert.Equal((FailureKind.Timeout, ResultCode.Timeout, true), (failure.Kind, failure.Code, failure.InDoubt));
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(5), $"took {watch.Elapsed}");
    }

    [Fact]
    public void A_call_with_more_time_is_not_cut_short_by_an_earlier_one_with_less()
    {
        var calls = 0;
        using var never = new ManualResetEventSlim();
        using var server = new ScriptedServer((stream, _) =>
        {
            never.Wait(calls++ == 0 ? TimeSpan.Zero : TimeSpan.FromMilliseconds(700));
            stream.Write(ScriptedServer.Message(ScriptedServer.Record(ResultCode.NotFound)));
        });
        using var client = new AerieClient(server.Address);
        Assert.Null(client.Get(Once with { TotalTimeout = TimeSpan.FromMilliseconds(400) }, Key));
        Assert.Null(client.Get(Once with { TotalTimeout = TimeSpan.FromSeconds(30) }, Key));
    }

    [Fact]
    public void Half_a_reply_and_then_nothing_is_a_timeout()
    {
        var reply = Message(Record(ResultCode.Ok));
        using var server = new ScriptedServer((stream, _) => stream.Write(reply.AsSpan(0, 20)));
        using var client = new AerieClient(server.Address);
        Assert.Equal(FailureKind.Timeout, Assert.Throws<AerieException>(() => client.Get(Once, Key)).Kind);
    }

    [Fact]
    public void A_connection_that_closes_in_the_middle_is_tried_again_for_a_read_only()
    {
        using var server = new ScriptedServer((stream, _) =>
        {
            stream.Write(Message(Record(ResultCode.Ok)).AsSpan(0, 9));
            stream.Close();
        });
        using var client = new AerieClient(server.Address);
        Assert.Equal(FailureKind.Connection, Assert.Throws<AerieException>(() => client.Get(Key)).Kind);
        Assert.Equal(1 + Policy.Default.MaxRetries, server.Messages.Count);
        Assert.True(Assert.Throws<AerieException>(() => client.Put(Key, new Bin("a", 1L))).InDoubt);
        Assert.Equal(2 + Policy.Default.MaxRetries, server.Messages.Count);
    }

    [Fact]
    public void A_reply_may_come_byte_by_byte()
    {
        var reply = Message(Record(ResultCode.Ok, operations: [Operation("a", ParticleType.String, "x"u8)]));
        using var server = new ScriptedServer((stream, _) =>
        {
            foreach (var one in reply)
            {
                stream.WriteByte(one);
                stream.Flush();
            }
        });
        using var client = new AerieClient(server.Address);
        Assert.Equal("x", client.Get(Key)!["a"].AsString());
    }

    [Theory]
    [InlineData("48545450")] // not a version of the protocol
    [InlineData("0203ffffffffffff")] // a length beyond all bounds
    [InlineData("0203000000000003161616")] // shorter than a header
    [InlineData("0203000000000016" + "16000000000000000001000000000000000000000001")] // an operation that is not there
    [InlineData("020300000000001a" + "16000000000000000001000000000000000000010000" + "ffffffff")] // a field longer than the message
    [InlineData("020300000000001e" + "16000000000000000001000000000000000000000001" + "0000000401010009")] // a bin name without end
    public void Garbage_is_reported_as_such(string hex)
    {
        using var server = new ScriptedServer((stream, _) =>
        {
            stream.Write(Convert.FromHexString(hex));
            stream.Write(new byte[8]);
        });
        using var client = new AerieClient(server.Address);
        Assert.Equal(FailureKind.Malformed, Assert.Throws<AerieException>(() => client.Get(Once, Key)).Kind);
    }

    [Fact]
    public void Batch_answers_find_their_entries_in_any_order_and_over_several_messages()
    {
        byte[] replies =
        [
            .. Message(Record(ResultCode.Ok, slot: 2, operations: [Operation("a", ParticleType.String, "two"u8)])),
            .. Message(Record(ResultCode.NotFound, slot: 0), Record(ResultCode.Ok, slot: 1)),
            .. Message(Record(ResultCode.Ok, Info3.Last)),
        ];
        using var server = Answering(replies);
        using var client = new AerieClient(server.Address);
        BatchEntry[] entries = [new(new Key("test", "s", 0L)), new(new Key("test", "s", 1L)), new(new Key("test", "s", 2L))];
        client.Batch(entries);
        Assert.Equal([ResultCode.NotFound, ResultCode.Ok, ResultCode.Ok], entries.Select(entry => entry.Result));
        Assert.Equal("two", entries[2].Record!["a"].AsString());
        Assert.Null(entries[0].Record);
    }

    [Fact]
    public void A_batch_answer_for_a_key_that_was_not_asked_is_garbage()
    {
        using var server = Answering(Message(Record(ResultCode.Ok, slot: 7)));
        using var client = new AerieClient(server.Address);
        Assert.Equal(FailureKind.Malformed, Assert.Throws<AerieException>(() => client.Batch([new BatchEntry(Key)])).Kind);
    }

    [Fact]
    public void A_query_asks_again_for_what_was_unavailable_behind_the_last_record_seen()
    {
        var digest = Key.Digest.ToArray();
        var found = Record(ResultCode.Ok, fields: [Field(FieldId.Digest, digest)]);
        var unavailable = Record(ResultCode.Unavailable, Info3.PartitionDone, generation: (uint)Key.Partition);
        var last = Record(ResultCode.Ok, Info3.Last);
        var round = 0;
        using var server = new ScriptedServer((stream, _) =>
            stream.Write(++round == 1 ? Message(found, unavailable, last) : Message(last)));
        using var client = new AerieClient(server.Address);
        var progress = new QueryProgress(Key.Partition, 1);
        var records = new List<FoundRecord>();
        client.Query(new Statement("test", "s"), record => { records.Add(record); return true; }, progress);
        Assert.Equal(Key.Digest, Assert.Single(records).Key.Digest);
        Assert.True(progress.IsDone);
        Assert.Equal(2, server.Messages.Count);
        Assert.True(server.Messages[1].AsSpan().IndexOf(Field(FieldId.ResumeDigests, digest)) > 0);
    }

    [Fact]
    public void A_query_that_its_caller_stops_can_go_on_later()
    {
        var found = Record(ResultCode.Ok, fields: [Field(FieldId.Digest, Key.Digest.ToArray())]);
        var reply = Message(found, Record(ResultCode.Ok, Info3.Last));
        using var server = Answering(reply);
        using var client = new AerieClient(server.Address);
        var progress = new QueryProgress(Key.Partition, 1);
        client.Query(new Statement("test"), _ => false, progress);
        Assert.False(progress.IsDone);
        client.Query(new Statement("test"), _ => true, progress);
        Assert.True(progress.IsDone);
    }

    [Fact]
    public void A_namespace_that_no_node_has_is_named()
    {
        using var server = new ScriptedServer((_, _) => { });
        using var client = new AerieClient(server.Address);
        var failure = Assert.Throws<AerieException>(() => client.Get(new Key("other", "s", 1L)));
        Assert.Equal(ResultCode.Namespace, failure.Code);
        Assert.Contains("other", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Seeds_that_do_not_answer_are_named()
    {
        using var server = new ScriptedServer((_, _) => { });
        var address = server.Address;
        server.Dispose();
        var failure = Assert.Throws<AerieException>(() => new AerieClient(address));
        Assert.Contains(address.ToString(), failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Truncate_speaks_the_node_s_refusal()
    {
        using var server = new ScriptedServer((_, _) => { });
        server.Info["truncate:namespace=test;set=s"] = "ok";
        server.Info["truncate-namespace:namespace=test"] = "ERROR:22:no";
        using var client = new AerieClient(server.Address);
        client.Truncate("test", "s");
        Assert.Equal(ResultCode.Forbidden, Assert.Throws<AerieException>(() => client.Truncate("test")).Code);
    }

    private static ScriptedServer Answering(byte[] reply) => new((stream, _) => stream.Write(reply));
}

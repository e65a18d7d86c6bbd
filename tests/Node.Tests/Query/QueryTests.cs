using System.Text;
using Aerie.DataModel;
using Aerie.Foundation;
using Aerie.Protocol;
using Aerie.Server.Metrics;
using Aerie.Server.Query;
using Aerie.TestKit;
using Xunit;

namespace Aerie.Node.Tests.Query;

/// Primary-index queries as exact messages against a whole node in the simulated world.
public class QueryTests : IDisposable
{
    private const Info3 NoPartitionDone = Info3.PartitionDone;

    private readonly NodeUnderTest _node;
    private readonly SimulatedPeer _client;

    public QueryTests()
        : this(new NodeUnderTest())
    {
    }

    protected QueryTests(NodeUnderTest node)
    {
        _node = node;
        _client = _node.Connect();
        _client.ReceiveWindow = int.MaxValue;
    }

    public void Dispose()
    {
        GC.SuppressFinalize(this);
        _client.Close();
        _node.RunUntil(() => _node.Node.IsQuiet);
        _node.Dispose();
    }

    [Fact]
    public void A_query_returns_the_records_of_its_set_with_digest_and_metadata()
    {
        Load(300);
        Put("other", "elsewhere");
        Put("none", "");
        var replies = Run(new WireQuery().AllPartitions().Flags(NoPartitionDone));
        Assert.Equal(301, replies.Count);
        Assert.Equal(Info3.Last, replies[^1].Header.Info3);
        var digests = replies.Take(300).Select(DigestOf).ToHashSet();
        Assert.Equal(Enumerable.Range(0, 300).Select(i => WireRequest.DigestOf($"k{i}")).ToHashSet(), digests);
        Assert.All(replies.Take(300), reply =>
        {
            Assert.Equal("test", Encoding.UTF8.GetString(reply.Fields[FieldId.Namespace]));
            Assert.Equal("s", Encoding.UTF8.GetString(reply.Fields[FieldId.Set]));
            Assert.False(reply.Fields.ContainsKey(FieldId.Key));
            Assert.Equal(1u, reply.Header.Generation);
            Assert.Equal(2, reply.Ops.Count);
        });
        Assert.Equal(1, Count(NamespaceCounter.PiQueryLongBasicComplete));
    }

    [Fact]
    public void The_bytes_of_a_record_are_these()
    {
        Ask(WireRequest.Write("k").SendKey("k").Op(OpCode.Write, "b", ParticleType.String, "v"u8).Ttl(100).Bytes());
        var voidTime = CitrusTime.Seconds(_node.Clock.UnixMilliseconds) + 100;
        var reply = Ask(new WireQuery().Partitions(WireRequest.DigestOf("k").Partition).Flags(NoPartitionDone).Bytes());
        byte[] record =
        [
            22, 0, 0, 0, 0, 0, 0, 0, 0, 1, (byte)(voidTime >> 24), (byte)(voidTime >> 16), (byte)(voidTime >> 8), (byte)voidTime,
            0, 0, 0, 0, 0, 4, 0, 1,
            0, 0, 0, 5, 0, .. "test"u8,
            0, 0, 0, 2, 1, .. "s"u8,
            0, 0, 0, 21, 4, .. WireRequest.DigestOf("k").ToArray(),
            0, 0, 0, 3, 2, 3, .. "k"u8,
            0, 0, 0, 6, 1, 3, 0, 1, .. "bv"u8,
        ];
        byte[] last = [22, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        Assert.Equal([2, 3, 0, 0, 0, 0, 0, (byte)(record.Length + last.Length), .. record, .. last], reply);
    }

    [Fact]
    public void Without_a_set_all_records_are_returned_those_without_set_too()
    {
        Put("a", "one");
        Put("b", "two");
        Put("c", "");
        var replies = Run(new WireQuery(set: null));
        Assert.Equal(4, replies.Count);
        Assert.Equal(["one", "two"], replies.Where(reply => reply.Fields.ContainsKey(FieldId.Set))
            .Select(reply => Encoding.UTF8.GetString(reply.Fields[FieldId.Set])).Order());
    }

    [Fact]
    public void Each_listed_partition_reports_that_it_is_done_unless_the_client_does_not_want_to_hear()
    {
        Load(50);
        var replies = Run(new WireQuery().Partitions(3, 7, 7, 4095));
        var done = replies.Where(reply => reply.Header.Info3 == Info3.PartitionDone).ToList();
        Assert.Equal([3u, 7u, 4095u], done.Select(reply => reply.Header.Generation));
        Assert.All(done, reply => Assert.Equal(ResultCode.Ok, reply.Result));
        var unknownSet = Run(new WireQuery("nobody").Partitions(3, 7));
        Assert.Equal(3, unknownSet.Count);
        Assert.Single(Run(new WireQuery("nobody").Partitions(3, 7).Flags(NoPartitionDone)));
    }

    [Fact, Evidence("QUERY-PI-10")]
    public void Read_operations_are_answered_for_each_record_in_place_of_its_bins()
    {
        const byte ListSize = 16;
        byte[] isEqual = [0x92, 0x93, 1, 2, 2, 0]; // 2 = 2, no flags
        Load(3);
        Ask(WireRequest.Write("l").Op(OpCode.Write, "v", ParticleType.List, [0x92, 1, 2]).Bytes());
        var replies = Run(new WireQuery().Op(OpCode.CdtRead, "v", ParticleType.Bytes, [0, ListSize])
            .Op(OpCode.ExpressionRead, "e", ParticleType.Bytes, isEqual).Op(OpCode.Read, "v2").Flags(NoPartitionDone));
        Assert.Equal(Info3.Last, replies[^1].Header.Info3);
        var records = replies.SkipLast(1).ToDictionary(DigestOf);
        Assert.Equal(["v", "e"], records[WireRequest.DigestOf("l")].Ops.Select(op => op.Name));
        Assert.Equal(2, records[WireRequest.DigestOf("l")]["v"].Number);
        for (var i = 0; i < 3; i++)
        {
            var other = records[WireRequest.DigestOf($"k{i}")]; // its bin v is no list
            Assert.Equal(["e", "v2"], other.Ops.Select(op => op.Name));
            Assert.Equal((ParticleType.Bool, "s"), (other["e"].Type, Encoding.UTF8.GetString(other.Fields[FieldId.Set])));
        }
    }

    [Fact]
    public void Bins_are_projected_in_the_order_asked_for()
    {
        Put("k", "s");
        Assert.Equal(["v2", "v"], Run(new WireQuery().Bins("v2", "nope", "v", "v2"))[0].Ops.Select(op => op.Name));
        Assert.Equal(["v2"], Run(new WireQuery().Field(FieldId.QueryBins, [1, 2, (byte)'v', (byte)'2']))[0].Ops.Select(op => op.Name));
        Assert.Empty(Run(new WireQuery().Flags(Info1.NoBinData))[0].Ops);
        Assert.Empty(Run(new WireQuery().Bins("nope"))[0].Ops);
        string[] many = [.. Enumerable.Range(0, 200).Select(i => $"x{i}"), "v"];
        Assert.Equal(["v"], Run(new WireQuery().Bins(many))[0].Ops.Select(op => op.Name));
    }

    [Fact]
    public void Dead_records_are_not_returned()
    {
        Load(20);
        Ask(WireRequest.Put("brief", "v", "1").Ttl(5).Bytes());
        Ask(WireRequest.Delete("k3").Bytes());
        Assert.Equal(21, Run(new WireQuery()).Count);
        _node.Clock.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(20, Run(new WireQuery()).Count);
    }

    [Fact]
    public void Max_records_stops_in_the_middle_and_the_last_digests_go_on_from_there()
    {
        Load(2000);
        var seen = new HashSet<Digest>();
        var last = new Dictionary<int, Digest>();
        for (var rounds = 0; ; rounds++)
        {
            Assert.True(rounds < 40);
            var query = new WireQuery().MaxRecords(97).Flags(NoPartitionDone)
                .Partitions(Enumerable.Range(0, Digest.PartitionCount).Where(id => !last.ContainsKey(id)));
            var replies = Run(last.Count > 0 ? query.Resume(last.Values) : query);
            Assert.True(replies.Count <= 98);
            foreach (var digest in replies.SkipLast(1).Select(DigestOf))
            {
                Assert.True(seen.Add(digest));
                last[digest.Partition] = digest;
            }

            if (replies.Count < 98)
            {
                break;
            }
        }

        Assert.Equal(2000, seen.Count);
    }

    [Fact]
    public void Records_that_stay_are_returned_exactly_once_whatever_is_written_meanwhile()
    {
        const int Seed = 7;
        var random = new Random(Seed);
        Load(20_000);
        var writer = _node.Connect();
        _client.Send(new WireQuery().AllPartitions().Bins("v").Flags(NoPartitionDone).Bytes());
        var received = new List<byte>();
        _node.RunUntil(() =>
        {
            for (var i = 0; i < 20; i++)
            {
                writer.Send(WireRequest.Put($"fresh{random.Next(10_000)}", "v", new string('x', random.Next(100))).Bytes());
                writer.Send(WireRequest.Delete($"fresh{random.Next(10_000)}").Bytes());
                writer.Send(WireRequest.Put($"k{random.Next(20_000)}", "v", "changed").Bytes());
            }

            writer.ReadAll();
            received.AddRange(_client.ReadAll());
            return _node.Node.Shared.Queries.Registry.Snapshot() is [{ IsActive: false }];
        });
        received.AddRange(_client.ReadAll());
        var times = WireReply.ReadAll([.. received]).SkipLast(1).GroupBy(DigestOf).ToDictionary(group => group.Key, group => group.Count());
        Assert.All(Enumerable.Range(0, 20_000), i => Assert.Equal(1, times[WireRequest.DigestOf($"k{i}")]));
        Assert.All(times.Values, count => Assert.Equal(1, count));
        writer.Close();
    }

    [Fact]
    public void A_query_keeps_to_its_records_per_second()
    {
        Load(500);
        var start = _node.Clock.MonotonicNanoseconds;
        _client.Send(new WireQuery().RecordsPerSecond(100).Flags(NoPartitionDone).Bytes());
        var records = 0;
        for (var seconds = 1; seconds <= 4; seconds++)
        {
            for (var step = 0; step < 100; step++)
            {
                _node.Clock.Advance(TimeSpan.FromMilliseconds(10));
                _node.Turn();
            }

            records += WireReply.ReadAll(_client.ReadAll()).Count;
            Assert.InRange(records, (100 * seconds) - 5, (100 * seconds) + 5);
        }

        _node.RunUntil(() =>
        {
            _node.Clock.Advance(TimeSpan.FromMilliseconds(10));
            records += WireReply.ReadAll(_client.ReadAll()).Count;
            return records == 501;
        });
        Assert.InRange(_node.Clock.MonotonicNanoseconds - start, 4_800_000_000, 5_200_000_000);
    }

    [Fact]
    public void What_cannot_be_answered_is_refused_and_never_left_out()
    {
        Load(3);
        Assert.Equal(ResultCode.Namespace, Refused(new WireQuery(ns: "nowhere")));
        Assert.Equal(ResultCode.Parameter, Refused(new WireQuery().Field(FieldId.Filter, [0x93, 1, 2])));
        Assert.Equal(ResultCode.UnsupportedFeature, Refused(new WireQuery().Field(FieldId.UdfOp, [1])));
        Assert.Equal(ResultCode.Parameter, Refused(new WireQuery().Op(OpCode.CdtRead, "")));
        Assert.Equal(ResultCode.Parameter, Refused(new WireQuery().Op(OpCode.CdtRead, "v").Op(OpCode.CdtModify, "v")));
        foreach (var code in (OpCode[])[OpCode.CdtRead, OpCode.BitsRead, OpCode.HllRead, OpCode.ExpressionRead])
        {
            Assert.Equal(ResultCode.Parameter, Refused(new WireQuery().Op(code, "v", ParticleType.Bytes, [0x91, 0xCC])));
        }

        Assert.Equal(ResultCode.IndexNotFound, Refused(new WireQuery().Field(FieldId.IndexRange, [1])));
        Assert.Equal(ResultCode.Parameter, Refused(new WireQuery().Op(OpCode.Write, "v")));
        Assert.Equal(ResultCode.Parameter, Refused(new WireQuery().Partitions(4096)));
        Assert.Equal(ResultCode.Parameter, Refused(new WireQuery().Field(FieldId.Partitions, [1])));
        Assert.Equal(ResultCode.Parameter, Refused(new WireQuery().Field(FieldId.ResumeDigests, new byte[19])));
        Assert.Equal(ResultCode.Parameter, Refused(new WireQuery().Field(FieldId.MaxRecords, [1])));
        Assert.Equal(ResultCode.BinName, Refused(new WireQuery().Bins("a-name-that-is-too-long")));
        Assert.Equal(15, Count(NamespaceCounter.PiQueryLongBasicError));
    }

    [Fact]
    public void An_operator_sees_and_aborts_a_long_query()
    {
        Load(5000);
        _client.Send(new WireQuery().Id(77).RecordsPerSecond(1000).SocketTimeout(5000).Flags(NoPartitionDone).Bytes());
        _node.Turn();
        _node.Turn();
        var status = Assert.Single(_node.Node.Shared.Queries.Registry.Snapshot());
        Assert.Equal((77ul, "test", "s"), (status.Id, status.Namespace, status.Set));
        Assert.Equal((1000u, 5000u), (status.RecordsPerSecond, status.SocketTimeout));
        Assert.StartsWith("simulated:", status.From, StringComparison.Ordinal);
        Assert.Equal("active(ok)", status.StatusText);
        Assert.False(_node.Node.Shared.Queries.Registry.Abort(78));
        Assert.True(_node.Node.Shared.Queries.Registry.Abort(77));
        _node.Clock.Advance(TimeSpan.FromMilliseconds(20));
        _node.Settle();
        Assert.Equal(ResultCode.QueryUserAbort, WireReply.ReadAll(_client.ReadAll())[^1].Result);
        Assert.Equal("done(user-aborted)", status.StatusText);
        Assert.Equal(20_000_000, status.RunTime(_node.Clock.MonotonicNanoseconds));
        Assert.Equal(1, Count(NamespaceCounter.PiQueryLongBasicAbort));
        Assert.False(_node.Node.Shared.Queries.Registry.Abort(77));
    }

    [Fact]
    public void Short_queries_are_not_watched_and_may_not_last()
    {
        Load(3000);
        Assert.Equal(3001, Run(new WireQuery().Flags(Info1.ShortQuery)).Count);
        Assert.Empty(_node.Node.Shared.Queries.Registry.Snapshot());
        Assert.Equal(1, Count(NamespaceCounter.PiQueryShortBasicComplete));
        _client.Send(new WireQuery().Flags(Info1.ShortQuery).Bytes());
        _node.Turn();
        _node.Clock.Advance(TimeSpan.FromSeconds(2));
        _node.Settle();
        Assert.Equal(ResultCode.Timeout, WireReply.ReadAll(_client.ReadAll())[^1].Result);
        Assert.Equal(1, Count(NamespaceCounter.PiQueryShortBasicTimeout));
    }

    [Fact]
    public void A_client_that_vanishes_leaves_an_abandoned_query_and_no_buffer()
    {
        Load(5000);
        for (var turns = 1; turns < 6; turns++)
        {
            var client = _node.Connect();
            client.ReceiveWindow = 10_000;
            client.Send(new WireQuery().Bytes());
            for (var turn = 0; turn < turns; turn++)
            {
                _node.Turn();
            }

            client.Vanish();
            _node.Settle();
        }

        var done = _node.Node.Shared.Queries.Registry.Snapshot();
        Assert.NotEmpty(done);
        Assert.All(done, status => Assert.Equal(QueryOutcome.ResponseError, status.Outcome));
    }

    [Fact]
    public void A_slow_reader_costs_little_memory_and_is_given_up_after_its_socket_timeout()
    {
        Load(20_000);
        var slow = _node.Connect();
        slow.ReceiveWindow = 1000;
        slow.Send(new WireQuery().SocketTimeout(3000).Bytes());
        for (var turn = 0; turn < 300; turn++)
        {
            _node.Turn();
        }

        Assert.True(_node.Node.Loops[0].Buffers.Outstanding < 4);
        for (var second = 0; second < 10; second++)
        {
            slow.ReadAll(); // slow is not dead
            _node.Clock.Advance(TimeSpan.FromSeconds(1));
            _node.Settle();
        }

        Assert.False(slow.IsClosedByServer);
        for (var second = 0; second < 5; second++)
        {
            _node.Clock.Advance(TimeSpan.FromSeconds(1));
            _node.Settle();
        }

        Assert.True(slow.IsClosedByServer);
        Assert.Equal(QueryOutcome.ResponseTimeout, Assert.Single(_node.Node.Shared.Queries.Registry.Snapshot()).Outcome);
    }

    [Fact]
    public void A_query_for_few_records_among_many_lets_single_reads_through()
    {
        Load(20_000);
        Put("needle", "rare");
        var single = _node.Connect();
        _client.Send(new WireQuery("rare").Flags(NoPartitionDone).Bytes());
        var singles = 0;
        _node.Turn();
        while (_node.Node.Shared.Queries.Registry.Snapshot() is [{ IsActive: true }])
        {
            single.Send(WireRequest.Get("k1").Bytes());
            _node.Turn();
            _node.Turn();
            Assert.Equal(ResultCode.Ok, WireReply.Read(single.ReadAll()).Result);
            singles++;
        }

        Assert.True(singles >= 5);
        Assert.Equal(2, WireReply.ReadAll(_client.ReadAll()).Count);
        single.Close();
    }

    [Fact]
    public void A_record_costs_no_managed_memory()
    {
        Load(20_000);
        var request = new WireQuery().AllPartitions().Flags(NoPartitionDone).Bytes();
        var into = new byte[8 * 1024 * 1024];
        for (var i = 0; i < 3; i++)
        {
            RunOnce();
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        RunOnce();
        var bytes = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(bytes < 40_000, $"{bytes} bytes for 20 000 records"); // the plan of the query itself

        void RunOnce()
        {
            _client.Send(request);
            for (var turn = 0; turn < 200; turn++)
            {
                _node.Node.Loops[0].Turn(0);
            }

            Assert.True(_client.Read(into) > 20_000 * 60);
        }
    }

    private void Load(int count)
    {
        for (var i = 0; i < count; i++)
        {
            _client.Send(WireRequest.Put($"k{i}", "v", $"value {i}").Op(OpCode.Write, "v2", ParticleType.Integer, new byte[8]).Bytes());
        }

        _node.Settle();
        Assert.Equal(count, WireReply.ReadAll(_client.ReadAll()).Count);
    }

    private void Put(string key, string set)
    {
        var put = WireRequest.Put(key, "v", "1", set).Op(OpCode.Write, "v2", ParticleType.String, "2"u8);
        Assert.Equal(ResultCode.Ok, WireReply.Read(Ask(put.Bytes())).Result);
    }

    private byte[] Ask(byte[] request) => _node.Ask(_client, request);

    private IReadOnlyList<WireReply> Run(WireQuery query)
    {
        _client.Send(query.Bytes());
        var received = new List<byte>();
        _node.RunUntil(() =>
        {
            received.AddRange(_client.ReadAll());
            return received.Count >= MessageHeader.Length && received[^MessageHeader.Length] == MessageHeader.Length
                && received[^(MessageHeader.Length - 3)] == (byte)Info3.Last;
        });
        return WireReply.ReadAll([.. received]);
    }

    private ResultCode Refused(WireQuery query)
    {
        var reply = Assert.Single(Run(query));
        Assert.Equal(Info3.Last, reply.Header.Info3);
        return reply.Result;
    }

    private static Digest DigestOf(WireReply reply) => new(reply.Fields[FieldId.Digest]);

    private long Count(NamespaceCounter counter) => _node.Node.Namespaces.All[0].Counters.Sum(counter);
}

using Aerie.DataModel;
using Aerie.Foundation;
using Aerie.Protocol;
using Aerie.Server.Config;
using Aerie.Server.Info;
using Aerie.Server.Metrics;
using Aerie.Server.Query;
using Aerie.Server.Records;
using Aerie.TestKit;
using Xunit;

namespace Aerie.Node.Tests.Query;

/// Write operations that a query carries out in the background, as exact messages against a whole node.
[Evidence("QUERY-PI-09")]
public sealed class BackgroundQueryTests : IDisposable
{
    private readonly NodeUnderTest _node = new(NodeUnderTest.Configuration("background-query-max-rps 1000000"));
    private readonly SimulatedPeer _client;

    public BackgroundQueryTests()
    {
        _client = _node.Connect();
        _client.ReceiveWindow = int.MaxValue;
    }

    public void Dispose()
    {
        Records.StopWrites = false;
        _client.Close();
        foreach (var loop in _node.Node.Loops)
        {
            loop.BeginDrain();
        }

        _node.RunUntil(() => _node.Node.IsQuiet);
        _node.Dispose();
    }

    private Namespace Records => _node.Node.Namespaces.All[0];

    [Fact]
    public void Operations_are_carried_out_once_on_every_record_of_the_set_and_on_no_other()
    {
        Load(3000);
        Load(20, set: "other");
        Assert.Equal(ResultCode.Ok, Start(Increment().Id(5)));
        var status = RunToEnd();
        Assert.Equal((3000L, 0L, "done(ok)", 100.0), (status.RecordsSucceeded, status.RecordsFailed, status.StatusText, status.Progress));
        Assert.All(Enumerable.Range(0, 3000), i => Assert.Equal(1, Number($"k{i}")));
        Assert.All(Enumerable.Range(0, 20), i => Assert.Equal(0, Number($"k{i}", "other")));
        Assert.Equal((3000L, 0L), (Count(NamespaceCounter.OpsSubWriteSuccess), Count(NamespaceCounter.OpsSubWriteError)));
        Assert.Equal(1, Count(NamespaceCounter.PiQueryOpsBgComplete));
        Assert.Equal(3020, Count(NamespaceCounter.ClientWriteSuccess));
    }

    [Fact]
    public void The_answer_comes_at_once_and_the_client_may_go()
    {
        Load(3000);
        var client = _node.Connect();
        client.Send(Increment().Bytes());
        _node.Turn();
        _node.Turn();
        Assert.Equal(Info3.Last, WireReply.Read(client.ReadAll()).Header.Info3);
        var status = Assert.Single(Statuses());
        Assert.True(status.IsActive);
        Assert.StartsWith("simulated:", status.From, StringComparison.Ordinal);
        client.Vanish();
        Assert.Equal(3000, RunToEnd().RecordsSucceeded);
    }

    [Fact]
    public void Only_the_partitions_asked_for_are_touched()
    {
        Load(500);
        var partitions = Enumerable.Range(0, 1000).ToArray();
        Start(Increment().Partitions(partitions));
        RunToEnd();
        Assert.All(Enumerable.Range(0, 500), i =>
            Assert.Equal(WireRequest.DigestOf($"k{i}").Partition < 1000 ? 1 : 0, Number($"k{i}")));
    }

    [Fact]
    public void Touches_give_records_a_lifetime_and_deletes_take_them_away()
    {
        Load(50);
        Start(WireQuery.Background().Op(OpCode.Touch, "").Ttl(100));
        RunToEnd();
        var reply = WireReply.Read(Ask(WireRequest.Get("k7").Bytes()));
        Assert.Equal((2u, CitrusTime.Seconds(_node.Clock.UnixMilliseconds) + 100), (reply.Header.Generation, reply.Header.Ttl));
        Load(10, set: "gone");
        Start(WireQuery.Background("gone").Flags(Info2.DurableDelete).Op(OpCode.Delete, ""));
        RunToEnd();
        Assert.Equal((50L, 10L), (Records.Objects, Records.Tombstones));
        Start(WireQuery.Background().Op(OpCode.Delete, ""));
        RunToEnd();
        Assert.Equal((0L, 10L), (Records.Objects, Records.Tombstones));
    }

    [Fact]
    public void A_set_that_does_not_exist_is_done_at_once()
    {
        Assert.Equal(ResultCode.Ok, Start(Increment("nobody")));
        Assert.Equal("done(ok)", RunToEnd().StatusText);
    }

    [Fact]
    public void An_operator_aborts_it_by_its_number()
    {
        Load(2000);
        Start(Increment().Id(9).RecordsPerSecond(1000));
        Pass(TimeSpan.FromMilliseconds(500));
        Assert.True(_node.Node.Queries.Abort(9));
        Pass(TimeSpan.FromMilliseconds(20));
        var status = Assert.Single(Statuses());
        Assert.Equal("done(user-aborted)", status.StatusText);
        Assert.InRange(status.RecordsSucceeded, 400, 600);
        Assert.Equal(status.RecordsSucceeded, Enumerable.Range(0, 2000).Sum(i => Number($"k{i}")));
        Assert.Equal(1, Count(NamespaceCounter.PiQueryOpsBgAbort));
        Assert.False(_node.Node.Queries.Abort(9));
    }

    [Fact]
    public void Its_progress_reads_as_clients_expect()
    {
        Load(1000);
        Start(Increment().Id(9).RecordsPerSecond(500));
        Pass(TimeSpan.FromSeconds(1));
        var row = Row();
        Assert.StartsWith("trid=9:job-type=background-ops:ns=test:set=s:n-pids-requested=4096:rps=500:", row, StringComparison.Ordinal);
        Assert.Contains(":status=active(ok):job-progress=", row, StringComparison.Ordinal);
        Assert.Matches(":recs-succeeded=(49|50|51)[0-9]:recs-failed=0:", row);
        Pass(TimeSpan.FromSeconds(2));
        Assert.Contains(":status=done(ok):job-progress=100.00:run-time=", Row(), StringComparison.Ordinal);
        Assert.Contains(":recs-succeeded=1000:recs-failed=0:", Row(), StringComparison.Ordinal);

        string Row() => QueryCommands.Row(Statuses()[0], _node.Clock.MonotonicNanoseconds);
    }

    [Fact]
    public void It_keeps_to_its_records_per_second_and_to_a_limit_that_is_lowered_while_it_runs()
    {
        Load(2000);
        Start(Increment().RecordsPerSecond(500));
        for (var second = 1; second <= 2; second++)
        {
            Pass(TimeSpan.FromSeconds(1));
            Assert.InRange(Statuses()[0].RecordsSucceeded, (500 * second) - 10, (500 * second) + 10);
        }

        var before = Statuses()[0].RecordsSucceeded;
        var answer = _node.Config.Set("context=namespace;namespace=test;background-query-max-rps=100");
        Assert.Equal(new ConfigAnswer(ResultCode.Ok, "ok"), answer);
        Pass(TimeSpan.FromSeconds(2));
        Assert.InRange(Statuses()[0].RecordsSucceeded - before, 190, 210);
    }

    [Fact]
    public void Writes_that_are_stopped_half_way_are_counted_as_failed()
    {
        Load(2000);
        Start(Increment().RecordsPerSecond(1000));
        Pass(TimeSpan.FromSeconds(1));
        Records.StopWrites = true;
        Pass(TimeSpan.FromSeconds(2));
        var status = Assert.Single(Statuses());
        Assert.Equal("done(ok)", status.StatusText);
        Assert.Equal(2000, status.RecordsSucceeded + status.RecordsFailed);
        Assert.InRange(status.RecordsFailed, 900, 1100);
        Assert.Equal(status.RecordsFailed, Count(NamespaceCounter.OpsSubWriteError));
    }

    [Fact]
    public void Records_that_stay_are_written_exactly_once_whatever_is_written_meanwhile()
    {
        const int Seed = 11;
        var random = new Random(Seed);
        Load(10_000);
        var writer = _node.Connect();
        Start(Increment());
        _node.RunUntil(() =>
        {
            for (var i = 0; i < 20; i++)
            {
                writer.Send(WireRequest.Put($"fresh{random.Next(5000)}", "v", new string('x', random.Next(100))).Bytes());
                writer.Send(WireRequest.Delete($"fresh{random.Next(5000)}").Bytes());
            }

            writer.ReadAll();
            return !Statuses()[0].IsActive;
        });
        writer.Close();
        Assert.All(Enumerable.Range(0, 10_000), i => Assert.Equal(1, Number($"k{i}")));
    }

    [Fact]
    public void Two_at_once_take_turns_and_single_reads_get_through()
    {
        Load(3000);
        Load(3000, set: "t");
        Start(Increment().Id(1));
        Start(Increment("t").Id(2));
        var bothHalfWay = false;
        while (Statuses().Any(status => status.IsActive))
        {
            bothHalfWay |= Statuses().All(status => status.RecordsSucceeded is > 500 and < 2500);
            Assert.Equal(0, WireReply.Read(AskInTwoTurns(WireRequest.Get("k1").Bytes())).Header.Result);
        }

        Assert.True(bothHalfWay);
        Assert.All(Enumerable.Range(0, 3000), i => Assert.Equal((1, 1), (Number($"k{i}"), Number($"k{i}", "t"))));
    }

    [Fact]
    public void What_makes_no_sense_in_the_background_is_refused()
    {
        Load(3);
        Assert.Equal(ResultCode.Namespace, Start(Increment(ns: "nowhere")));
        Assert.Equal(ResultCode.Parameter, Start(WireQuery.Background()));
        Assert.Equal(ResultCode.Parameter, Start(WireQuery.Background().Op(OpCode.Read, "n")));
        Assert.Equal(ResultCode.Parameter, Start(Increment().Op(OpCode.Read, "n")));
        Assert.Equal(ResultCode.Parameter, Start(Increment().Flags(Info2.Delete)));
        Assert.Equal(ResultCode.Parameter, Start(Increment().Flags(Info2.GenerationEqual)));
        Assert.Equal(ResultCode.Parameter, Start(Increment().Flags(Info3.ReplaceOnly)));
        Assert.Equal(ResultCode.Parameter, Start(Increment().Partitions(4096)));
        Assert.Equal(ResultCode.BinName, Start(WireQuery.Background().Op(OpCode.Touch, "a-name-that-is-too-long")));
        Assert.Equal(ResultCode.Parameter, Start(Increment().Field(FieldId.UdfOp, [2]))); // and no function
        Assert.Equal(ResultCode.Parameter, Start(Increment().Field(FieldId.Filter, [0x93, 1, 2])));
        Assert.Equal(ResultCode.IndexNotFound, Start(Increment().Field(FieldId.IndexRange, [1])));
        Assert.Equal(10, Count(NamespaceCounter.PiQueryOpsBgError));
        Assert.Equal(1, Count(NamespaceCounter.PiQueryUdfBgError));
        Assert.Empty(Statuses());
        Assert.Equal(0, Number("k1"));
    }

    [Fact]
    public void Neither_the_same_number_twice_nor_any_number_of_queries_is_taken()
    {
        Load(1000);
        Assert.Equal(ResultCode.Ok, Start(Increment().Id(1).RecordsPerSecond(1)));
        Assert.Equal(ResultCode.Parameter, Start(Increment().Id(1)));
        var taken = Enumerable.Range(2, 100).Count(id => Start(Increment().Id((ulong)id).RecordsPerSecond(1)) == ResultCode.Ok);
        Assert.Equal(31, taken);
        Assert.Equal(ResultCode.QueryQueueFull, Start(Increment().Id(500)));
    }

    [Fact]
    public void A_node_that_drains_ends_them_half_way_and_says_so()
    {
        Load(1000);
        Start(Increment().RecordsPerSecond(10));
        _node.Turn();
        Assert.False(_node.Node.IsQuiet);
        _client.Close();
        _node.Node.Loops[0].BeginDrain();
        _node.Settle();
        Assert.True(_node.Node.IsQuiet);
        Assert.Equal("done(abandoned-unknown)", Assert.Single(Statuses()).StatusText);
        Assert.Equal(1, Count(NamespaceCounter.PiQueryOpsBgAbort));
    }

    [Fact]
    public void A_record_costs_no_managed_memory()
    {
        Load(20_000);
        RunOnce();
        RunOnce();
        var before = GC.GetAllocatedBytesForCurrentThread();
        RunOnce();
        var bytes = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(bytes < 40_000, $"{bytes} bytes for 20 000 records"); // the plan of the query itself

        void RunOnce()
        {
            var done = Count(NamespaceCounter.OpsSubWriteSuccess) + 20_000;
            _client.Send(WireQuery.Background().Op(OpCode.Add, "n", ParticleType.Integer, WireRequest.Integer(1)).Bytes());
            for (var turn = 0; turn < 2000 && Count(NamespaceCounter.OpsSubWriteSuccess) < done; turn++)
            {
                _node.Node.Loops[0].Turn(0);
                _node.Clock.Advance(TimeSpan.FromMilliseconds(10));
            }

            Assert.Equal(done, Count(NamespaceCounter.OpsSubWriteSuccess));
        }
    }

    private static WireQuery Increment(string set = "s", string ns = "test") =>
        WireQuery.Background(set, ns).Op(OpCode.Add, "n", ParticleType.Integer, WireRequest.Integer(1));

    private void Load(int count, string set = "s")
    {
        for (var i = 0; i < count; i++)
        {
            _client.Send(WireRequest.Write($"k{i}", set).Op(OpCode.Write, "n", ParticleType.Integer, WireRequest.Integer(0)).Bytes());
        }

        _node.Settle();
        Assert.Equal(count, WireReply.ReadAll(_client.ReadAll()).Count);
    }

    private ResultCode Start(WireQuery query)
    {
        var reply = WireReply.Read(AskInTwoTurns(query.Bytes()));
        Assert.Equal(Info3.Last, reply.Header.Info3);
        return reply.Result;
    }

    private byte[] AskInTwoTurns(byte[] request)
    {
        _client.Send(request);
        _node.Turn();
        _node.Turn();
        return _client.ReadAll();
    }

    // Time passes in small steps, as it does for a node that is awake.
    private void Pass(TimeSpan time)
    {
        for (var end = _node.Clock.MonotonicNanoseconds + (time.Ticks * 100); _node.Clock.MonotonicNanoseconds < end;)
        {
            _node.Clock.Advance(TimeSpan.FromMilliseconds(10));
            _node.Turn();
        }
    }

    private QueryStatus RunToEnd()
    {
        _node.RunUntil(() => Statuses().All(status => !status.IsActive));
        return Statuses()[^1];
    }

    private IReadOnlyList<QueryStatus> Statuses() => _node.Node.Queries.Snapshot();

    private long Number(string key, string set = "s") => WireReply.Read(Ask(WireRequest.Get(key, set).Bytes()))["n"].Number;

    private byte[] Ask(byte[] request) => _node.Ask(_client, request);

    private long Count(NamespaceCounter counter) => Records.Counters.Sum(counter);
}

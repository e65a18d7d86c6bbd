using System.Text;
using Aerie.DataModel;
using Aerie.Foundation;
using Aerie.Node.Tests.Records;
using Aerie.Protocol;
using Aerie.Server.Metrics;
using Aerie.Server.Udf;
using Aerie.TestKit;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Aerie.Node.Tests.Transactions.Udfs;

/// Calls of functions as exact messages against a whole node in the simulated world.
public sealed class UdfCommandTests : IDisposable
{
    private const string Text = """
        function echo(rec, value) return value end
        function add(rec, n)
          rec['n'] = (rec['n'] or 0) + n
          if aerospike:exists(rec) then aerospike:update(rec) else aerospike:create(rec) end
          return rec['n']
        end
        function fail(rec) error('no') end
        function update_and_fail(rec) rec['n'] = 7 aerospike:update(rec) error('late') end
        function drop(rec) return aerospike:remove(rec) end
        function forget(rec) rec['n'] = nil return aerospike:update(rec) end
        function too_big(rec) rec['big'] = string.rep('x', 2000000) return aerospike:update(rec) end
        function spin(rec) while true do end end
        function touch_slowly(rec)
          local n = 0
          for i = 1, 2000000 do n = n + i end
          local was = aerospike:exists(rec)
          rec['n'] = 1
          if was then aerospike:update(rec) else aerospike:create(rec) end
          return was and 1 or 0
        end
        """;

    private readonly NodeUnderTest _node = new();
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("aerie-udf");
    private readonly SimulatedPeer _client;

    public UdfCommandTests()
    {
        var modules = new UdfModules(_folder.FullName, _node.Node.Udfs, NullLogger.Instance);
        Assert.Equal(UdfOutcome.Done, modules.Put("m.lua", Encoding.UTF8.GetBytes(Text), out _));
        _client = Connect();
    }

    public void Dispose()
    {
        _client.Close();
        _node.Settle();
        _node.Dispose();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public void What_a_function_returns_comes_back_in_the_bin_success()
    {
        var reply = Ask(Call("none", "echo", 0x91, 0x2A));
        Assert.Equal(ResultCode.Ok, reply.Result);
        Assert.Equal((ParticleType.Integer, 42L), (reply["SUCCESS"].Type, reply["SUCCESS"].Number));
        Assert.Equal(ResultCode.NotFound, Ask(WireRequest.Get("none")).Result); // it was not created by that
        Assert.Equal(1, Count(NamespaceCounter.ClientUdfComplete));
        Assert.Equal(1, Count(NamespaceCounter.ClientLangReadSuccess));
    }

    [Fact]
    public void What_a_function_assigns_and_updates_is_stored_once()
    {
        Assert.Equal(5, Ask(Call("k", "add", 0x91, 5))["SUCCESS"].Number);
        Assert.Equal(8, Ask(Call("k", "add", 0x91, 3))["SUCCESS"].Number);
        var read = Ask(WireRequest.Get("k"));
        Assert.Equal((2u, 8L), (read.Header.Generation, read["n"].Number));
        Assert.Equal(2, Count(NamespaceCounter.ClientLangWriteSuccess));
    }

    [Fact, Evidence("UDF-REC-01")]
    public void An_error_comes_back_as_code_100_with_file_line_and_message()
    {
        var reply = Ask(Call("k", "fail"));
        Assert.Equal(ResultCode.UdfExecution, reply.Result);
        Assert.Contains("m.lua:7: no", reply["FAILURE"].Text, StringComparison.Ordinal);
        Assert.Contains("not found", Ask(Call("k", "nothing"))["FAILURE"].Text, StringComparison.Ordinal);
        Assert.Equal(ResultCode.UdfExecution, Ask(Call("k", "echo", 0x91, 1, module: "other")).Result);
        Assert.Equal(3, Count(NamespaceCounter.ClientUdfError));
    }

    [Fact, Evidence("UDF-REC-02")]
    public void What_was_updated_before_an_error_stays()
    {
        Ask(WireRequest.Put("k", "a", "x"));
        Assert.Equal(ResultCode.UdfExecution, Ask(Call("k", "update_and_fail")).Result);
        Assert.Equal(7, Ask(WireRequest.Get("k"))["n"].Number);
    }

    [Fact]
    public void A_record_that_is_removed_or_loses_its_last_bin_is_gone()
    {
        Ask(Call("k", "add", 0x91, 5));
        Assert.Equal(ResultCode.Ok, Ask(Call("k", "drop")).Result);
        Assert.Equal(ResultCode.NotFound, Ask(WireRequest.Get("k")).Result);
        Ask(Call("l", "add", 0x91, 5));
        Assert.Equal(ResultCode.Ok, Ask(Call("l", "forget")).Result);
        Assert.Equal(ResultCode.NotFound, Ask(WireRequest.Get("l")).Result);
        Assert.Equal(0, _node.Node.Namespaces.All[0].Objects);
    }

    [Fact]
    public void A_record_that_would_be_too_big_stays_as_it_was_and_the_function_hears_of_it()
    {
        Ask(WireRequest.Put("k", "a", "x"));
        Assert.NotEqual(0, Ask(Call("k", "too_big"))["SUCCESS"].Number);
        Assert.Equal(["a"], Ask(WireRequest.Get("k")).Ops.Select(op => op.Name));
    }

    [Fact, Evidence("REC-FILTER-01")]
    public void A_filter_keeps_a_function_from_running()
    {
        Ask(Call("k", "add", 0x91, 5));
        Assert.Equal(ResultCode.FilteredOut, Ask(Call("k", "add", 0x91, 5).Field(FieldId.Filter, [0x93, 1, 2, 3])).Result);
        Assert.Equal(5, Ask(WireRequest.Get("k"))["n"].Number);
    }

    [Fact, Evidence("UDF-LIMIT-01")]
    public void Others_are_served_while_a_function_runs_and_it_ends_with_its_time()
    {
        Ask(WireRequest.Put("k", "a", "x"));
        var slow = Connect();
        slow.Send(Call("k", "spin").Timeout(500).Bytes());
        _node.Turn();
        _node.Turn();
        Assert.Equal(ResultCode.Ok, AskAmongOthers(WireRequest.Put("other", "a", "x")).Result);
        Assert.Equal(0, slow.Available);
        _node.Clock.Advance(TimeSpan.FromSeconds(1));
        _node.RunUntil(() => slow.Available > 0);
        var reply = Assert.Single(WireReply.ReadAll(slow.ReadAll()));
        Assert.Equal(ResultCode.UdfExecution, reply.Result);
        Assert.Contains("UDF Execution Timeout", reply["FAILURE"].Text, StringComparison.Ordinal);
        Assert.Equal(ResultCode.Ok, Ask(WireRequest.Put("k", "a", "y")).Result); // nobody holds it any more
    }

    [Fact, Evidence("UDF-REC-03")]
    public void Who_would_change_the_record_waits_until_the_function_is_through()
    {
        Ask(WireRequest.Put("k", "a", "x"));
        var (slow, next) = (Connect(), Connect());
        slow.Send(Call("k", "spin").Timeout(500).Bytes());
        _node.Turn();
        next.Send(WireRequest.Put("k", "a", "y").Timeout(10_000).Bytes());
        Turn(20);
        Assert.Equal(0, next.Available);
        _node.Clock.Advance(TimeSpan.FromSeconds(1));
        _node.RunUntil(() => next.Available > 0);
        Assert.Equal(ResultCode.Ok, Assert.Single(WireReply.ReadAll(next.ReadAll())).Result);
        Assert.Equal("y", Ask(WireRequest.Get("k"))["a"].Text);
    }

    [Fact]
    public void A_client_that_vanishes_leaves_the_record_free()
    {
        Ask(WireRequest.Put("k", "a", "x"));
        var slow = Connect();
        slow.Send(Call("k", "spin").Timeout(60_000).Bytes());
        Turn(4);
        slow.Vanish();
        Turn(4);
        Assert.Equal(ResultCode.Ok, Ask(WireRequest.Put("k", "a", "y")).Result);
        Assert.Equal(0, _node.Node.Loops[0].Parked.Count);
    }

    [Fact]
    public void A_function_that_began_without_a_record_runs_again_when_there_is_one()
    {
        var slow = Connect();
        slow.Send(Call("late", "touch_slowly").Timeout(60_000).Bytes());
        Turn(2);
        Assert.Equal(ResultCode.Ok, AskAmongOthers(WireRequest.Put("late", "a", "x")).Result);
        Assert.Equal(0, slow.Available);
        _node.RunUntil(() => slow.Available > 0);
        Assert.Equal(1, WireReply.Read(slow.ReadAll())["SUCCESS"].Number);
        Assert.Equal(["a", "n"], Ask(WireRequest.Get("late")).Ops.Select(op => op.Name));
    }

    [Fact, Evidence("UDF-OFF-01")]
    public void Where_functions_are_switched_off_calls_are_forbidden()
    {
        var configuration = NodeUnderTest.Configuration().Replace("# loops", "disable-udf-execution true", StringComparison.Ordinal);
        using var node = new NodeUnderTest(configuration);
        var client = node.Connect();
        Assert.Equal(ResultCode.Forbidden, WireReply.Read(node.Ask(client, Call("k", "echo", 0x91, 1).Bytes())).Result);
        var rows = WireReply.ReadAll(node.Ask(client, new WireBatch().Call("a", "m", "add", [0x91, 4]).Read("a").Bytes()));
        Assert.Equal([ResultCode.Forbidden, ResultCode.NotFound, ResultCode.Ok], rows.Select(reply => reply.Result));
        client.Close();
        node.Settle();
    }

    [Fact]
    public void What_a_function_logs_stands_in_the_nodes_log_with_its_file_and_line()
    {
        using var logs = new CollectedLog();
        using var node = new NodeUnderTest(logs: logs);
        var modules = new UdfModules(_folder.FullName, node.Node.Udfs, NullLogger.Instance);
        const string Says = "function f(rec)\n warn('%d apples', 3)\n trace('nobody asks')\n return 1\nend";
        Assert.Equal(UdfOutcome.Done, modules.Put("said.lua", Encoding.UTF8.GetBytes(Says), out _));
        var client = node.Connect();
        Assert.Equal(ResultCode.Ok, WireReply.Read(node.Ask(client, Call("k", "f", [0x90], "said").Bytes())).Result);
        Assert.Contains(logs.Lines, line => line.Contains("(said.lua:2) 3 apples", StringComparison.Ordinal));
        client.Close();
        node.Settle();
    }

    [Fact, Evidence("UDF-BATCH-01")]
    public void The_rows_of_a_batch_may_be_calls()
    {
        var batch = new WireBatch().Call("a", "m", "add", [0x91, 4]).Call("b", "m", "fail", []).Read("a");
        var replies = WireReply.ReadAll(_node.Ask(_client, batch.Bytes()));
        Assert.Equal([ResultCode.Ok, ResultCode.UdfExecution, ResultCode.Ok, ResultCode.Ok], replies.Select(reply => reply.Result));
        Assert.Equal(4, replies[0]["SUCCESS"].Number);
        Assert.Contains("no", replies[1]["FAILURE"].Text, StringComparison.Ordinal);
        Assert.Equal(4, replies[2]["n"].Number);
        Assert.Equal(1, Count(NamespaceCounter.BatchSubUdfComplete));
    }

    [Fact, Evidence("UDF-BG-01")]
    public void A_background_query_calls_a_function_on_every_record()
    {
        for (var i = 0; i < 300; i++)
        {
            Ask(Call($"k{i}", "add", 0x91, 1));
        }

        var start = new WireRequest().Flags(Info2.Write).Field(FieldId.Namespace, "test"u8).Field(FieldId.UdfOp, [2])
            .Field(FieldId.UdfModule, "m"u8).Field(FieldId.UdfFunction, "add"u8).Field(FieldId.UdfArguments, [0x91, 10]);
        Assert.Equal(ResultCode.Ok, Ask(start).Result);
        _node.RunUntil(() =>
        {
            _node.Clock.Advance(TimeSpan.FromMilliseconds(10));
            return Count(NamespaceCounter.PiQueryUdfBgComplete) == 1;
        });
        Assert.Equal(300, Count(NamespaceCounter.UdfSubUdfComplete));
        Assert.Equal(11, Ask(WireRequest.Get("k77"))["n"].Number);
    }

    private static WireRequest Call(string key, string function, params byte[] arguments) => Call(key, function, arguments, "m");

    private static WireRequest Call(string key, string function, byte first, byte second, string module) =>
        Call(key, function, [first, second], module);

    private static WireRequest Call(string key, string function, byte[] arguments, string module) =>
        new WireRequest().Flags(Info2.Write).Record(key, "s")
            .Field(FieldId.UdfModule, Encoding.UTF8.GetBytes(module))
            .Field(FieldId.UdfFunction, Encoding.UTF8.GetBytes(function))
            .Field(FieldId.UdfArguments, arguments);

    private long Count(NamespaceCounter counter) => _node.Node.Namespaces.All[0].Counters.Sum(counter);

    private WireReply Ask(WireRequest request) => WireReply.Read(_node.Ask(_client, request.Bytes()));

    // Without waiting for the node to be quiet, which it is not while a function runs.
    private WireReply AskAmongOthers(WireRequest request)
    {
        _client.Send(request.Bytes());
        _node.RunUntil(() => _client.Available > 0);
        return WireReply.Read(_client.ReadAll());
    }

    private void Turn(int times)
    {
        for (var i = 0; i < times; i++)
        {
            _node.Turn();
        }
    }

    private SimulatedPeer Connect()
    {
        var client = _node.Connect();
        Turn(3); // it is accepted in a turn of its own
        return client;
    }
}

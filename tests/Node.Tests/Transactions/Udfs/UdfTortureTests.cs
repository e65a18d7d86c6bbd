using Aerie.DataModel;
using Aerie.Foundation;
using Aerie.Node.Tests.Lua;
using Aerie.Protocol;
using Aerie.Server.Metrics;
using Aerie.TestKit;
using Xunit;

namespace Aerie.Node.Tests.Transactions.Udfs;

/// Functions that fail, run for ever or are replaced while they run, through a whole node: the record is free afterwards, others are
/// served meanwhile, and nothing of it stays. What the engine itself makes of such scripts is proved beside it.
public sealed class UdfTortureTests
{
    private const string Counting = """
        function add(rec, by)
          rec['n'] = (rec['n'] or 0) + (by or 1)
          if aerospike:exists(rec) then aerospike:update(rec) else aerospike:create(rec) end
          return rec['n']
        end
        function add_slowly(rec, by) local x = 0; for i = 1, 300000 do x = x + i end return add(rec, by) end
        function spin(rec) while true do end end
        local function run(f) return coroutine.wrap(f)() end
        function woven(rec) run(function() while true do pcall(run, function() while true do end end) end end) end
        function fail(rec) error('no') end
        function add_and_spin(rec) add(rec) while true do end end
        """;

    public static TheoryData<string, string> Failures => new()
    {
        { "error('no')", "m.lua:1: no" },
        { "error({})", "m.lua:1: error object is a table value" },
        { "error()", "m.lua:1: error object is a nil value" },
        { "error(rec)", "m.lua:1: error object is a userdata value" },
        { "error(setmetatable({}, {__tostring = error}))", "m.lua:1: error object is a table value" },
        { "local t = {}; for i = 1, math.huge do t[i] = {i} end", "m.lua:1: not enough memory" },
        { "local l = list(); for i = 1, math.huge do l[i] = 'x' .. i end", "m.lua:1: not enough memory" },
        { "return string.rep('x', 1 << 40)", "resulting string too large" },
        { "local function g(n) return 1 + g(n + 1) end return g(1)", "m.lua:1: not enough memory" },
        { "local t = setmetatable({}, {}); getmetatable(t).__index = t; return t.x", "m.lua:1: '__index' chain too long; possible loop" },
        { "setmetatable({}, {__gc = print})", "m.lua:1: __gc is not allowed" },
        { "local x <close> = setmetatable({}, {__close = function() error('closing') end}) error('first')", "m.lua:1: first" },
        { "List.__index, Map.__index = nil, nil; local m = map{a = list{7}}; error(m.a[1] .. #m)", "m.lua:1: 71" },
        { "return print", "unsupported return type: function" },
        { "local l = list(); l[1] = l; rec.l = l; aerospike:update(rec)", "lists and maps are nested too deeply" },
    };

    [Theory, MemberData(nameof(Failures))]
    public void A_failure_is_answered_with_its_place_and_leaves_the_record_as_it_was(string body, string expected)
    {
        using var node = new UdfHarness($"function f(rec) {body} end function quick(rec) return rec.a end");
        node.Ask(WireRequest.Put("k", "a", "x"));
        for (var i = 0; i < 2; i++)
        {
            Assert.Contains(expected, UdfHarness.Failure(node.Ask(UdfHarness.Call("k", "f"))), StringComparison.Ordinal);
            Assert.Equal("x", node.Ask(UdfHarness.Call("k", "quick"))["SUCCESS"].Text);
        }

        var read = node.Ask(WireRequest.Get("k"));
        Assert.Equal((1u, "x"), (read.Header.Generation, read["a"].Text));
        Assert.Equal(ResultCode.Ok, node.Ask(WireRequest.Put("k", "a", "y")).Result); // nobody holds it
        Assert.Equal(2, node.Count(NamespaceCounter.ClientUdfError));
        Assert.Equal(2, node.Count(NamespaceCounter.ClientLangError));
    }

    [Theory, InlineData("spin"), InlineData("woven"), InlineData("add_and_spin")]
    public void Many_endless_functions_delay_only_their_own_records(string function)
    {
        const int Endless = 12;
        using var node = new UdfHarness(Counting, loops: 2);
        for (var i = 0; i < Endless; i++)
        {
            node.Ask(WireRequest.Put($"k{i}", "a", "x"));
        }

        var slow = Enumerable.Range(0, Endless).Select(i => node.Begin(UdfHarness.Call($"k{i}", function).Timeout(5_000))).ToList();
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal(ResultCode.Ok, node.Ask(WireRequest.Put("other", "a", "x")).Result);
            Assert.Equal(i + 1, node.Ask(UdfHarness.Call("counted", "add"))["SUCCESS"].Number);
            Assert.Equal("x", node.Ask(WireRequest.Get($"k{i}"))["a"].Text); // reads do not wait, and see what was there before
        }

        Assert.All(slow, client => Assert.Equal(0, client.Available));
        node.Node.Clock.Advance(TimeSpan.FromSeconds(6));
        Assert.All(slow, client => Assert.EndsWith(": UDF Execution Timeout", UdfHarness.Failure(node.Answer(client))));
        for (var i = 0; i < Endless; i++)
        {
            Assert.Equal(ResultCode.Ok, node.Ask(WireRequest.Put($"k{i}", "a", "y")).Result);
        }
    }

    [Fact]
    public void Calls_on_one_record_run_one_after_the_other()
    {
        const int Calls = 15;
        using var node = new UdfHarness(Counting, loops: 2);
        node.Ask(UdfHarness.Call("k", "add"));
        var slow = Enumerable.Range(0, Calls).Select(_ => node.Begin(UdfHarness.Call("k", "add_slowly"))).ToList();
        var answers = slow.Select(client => node.Answer(client)["SUCCESS"].Number).ToList();
        Assert.Equal(Enumerable.Range(2, Calls).Select(i => (long)i), answers.Order());
        Assert.Equal(Calls + 1, node.Ask(WireRequest.Get("k"))["n"].Number);
    }

    [Fact]
    public void Who_waits_for_a_record_too_long_is_told_and_leaves_no_trace()
    {
        using var node = new UdfHarness(Counting);
        node.Ask(UdfHarness.Call("k", "add"));
        var slow = node.Begin(UdfHarness.Call("k", "spin").Timeout(10_000));
        var call = node.Begin(UdfHarness.Call("k", "add").Timeout(100));
        var put = node.Begin(WireRequest.Put("k", "a", "x").Timeout(100));
        node.Node.Clock.Advance(TimeSpan.FromMilliseconds(200));
        Assert.Equal(ResultCode.Timeout, node.Answer(call).Result);
        Assert.Equal(ResultCode.Timeout, node.Answer(put).Result);
        Assert.Equal(1, node.Count(NamespaceCounter.ClientUdfTimeout));
        Assert.Equal(1, node.Count(NamespaceCounter.ClientWriteTimeout));
        node.Node.Clock.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal(ResultCode.UdfExecution, node.Answer(slow).Result);
        Assert.Equal(2, node.Ask(UdfHarness.Call("k", "add"))["SUCCESS"].Number);
    }

    [Fact]
    public void Clients_that_vanish_while_their_calls_run_or_wait_leave_the_record_to_the_next()
    {
        using var node = new UdfHarness(Counting);
        node.Ask(UdfHarness.Call("k", "add"));
        var running = node.Begin(UdfHarness.Call("k", "woven"));
        var waiting = node.Begin(UdfHarness.Call("k", "add_slowly"));
        var next = node.Begin(UdfHarness.Call("k", "add_slowly"));
        waiting.Vanish();
        node.Turn(3);
        running.Vanish();
        Assert.Equal(2, node.Answer(next)["SUCCESS"].Number);
        Assert.Equal(0, node.Parked);
    }

    [Fact]
    public void A_module_that_is_replaced_or_removed_serves_those_who_called_it_before()
    {
        const string Versioned =
            "function f(rec) local x = 0; for i = 1, 2000000 do x = x + i end return {0} end function g(rec) return {0} end";
        using var node = new UdfHarness(Counting);
        node.Put("v", Versioned.Replace("{0}", "1", StringComparison.Ordinal));
        var first = node.Begin(UdfHarness.CallIn("v", "k1", "f"));
        node.Put("v", Versioned.Replace("{0}", "2", StringComparison.Ordinal));
        Assert.Equal(2, node.Ask(UdfHarness.CallIn("v", "k", "g"))["SUCCESS"].Number);
        var second = node.Begin(UdfHarness.CallIn("v", "k2", "f"));
        node.Modules.ClearCache();
        var third = node.Begin(UdfHarness.CallIn("v", "k3", "f"));
        node.Modules.Remove("v.lua");
        Assert.Equal("module 'v' not found", UdfHarness.Failure(node.Ask(UdfHarness.CallIn("v", "k", "g"))));
        Assert.Equal(0, first.Available);
        Assert.Equal([1, 2, 2], new[] { first, second, third }.Select(client => node.Answer(client)["SUCCESS"].Number));
        node.Put("v", "function f() return 3 end");
        Assert.Equal(3, node.Ask(UdfHarness.CallIn("v", "k", "f"))["SUCCESS"].Number);
        Assert.Equal("function not found", UdfHarness.Failure(node.Ask(UdfHarness.CallIn("v", "k", "g"))));
    }

    [Fact]
    public void A_record_that_is_truncated_under_a_function_is_made_anew_by_its_update()
    {
        using var node = new UdfHarness(Counting);
        node.Ask(UdfHarness.Call("k", "add"));
        node.Ask(WireRequest.Put("k", "a", "x"));
        var slow = node.Begin(UdfHarness.Call("k", "add_slowly"));
        node.Node.Clock.Advance(TimeSpan.FromMilliseconds(10));
        var clock = node.Node.Node.LastUpdateClock;
        node.Node.Node.Namespaces.All[0].Truncate(null, clock.Advance(CitrusTime.Milliseconds(node.Node.Clock.UnixMilliseconds)));
        Assert.Equal(ResultCode.NotFound, node.Ask(WireRequest.Get("k")).Result);
        Assert.Equal(2, node.Answer(slow)["SUCCESS"].Number);
        Assert.Equal(2, node.Ask(WireRequest.Get("k"))["n"].Number);
        Assert.Equal(3, node.Ask(UdfHarness.Call("k", "add"))["SUCCESS"].Number);
        Assert.Equal(1, node.Node.Node.Namespaces.All[0].Objects);
    }

    [Fact]
    public void Rows_that_fail_harm_no_others_of_their_batch()
    {
        const int Rows = 600;
        using var node = new UdfHarness(Counting, loops: 2);
        var batch = new WireBatch { Timeout = 60_000 };
        for (var i = 0; i < Rows; i++)
        {
            _ = (i % 6) switch
            {
                0 => batch.Call($"k{i}", "m", "add", [0x91, 3]),
                1 => batch.Call($"k{i}", "m", "fail", []),
                2 => batch.Call($"k{i}", "m", "nowhere", []),
                3 => batch.Call($"k{i}", "nowhere", "f", []),
                4 => batch.Call($"k{i}", "m", "add", [0xC1]),
                _ => batch.Read($"k{i - 5}"),
            };
        }

        var replies = node.Ask(batch).SkipLast(1).OrderBy(reply => reply.Header.Timeout).ToList();
        ResultCode[] expected =
        [
            ResultCode.Ok, ResultCode.UdfExecution, ResultCode.UdfExecution, ResultCode.UdfExecution, ResultCode.Parameter, ResultCode.Ok,
        ];
        Assert.Equal(Enumerable.Range(0, Rows).Select(i => expected[i % 6]), replies.Select(reply => reply.Result));
        Assert.All(replies.Where((_, i) => i % 6 == 1), reply => Assert.EndsWith(": no", UdfHarness.Failure(reply)));
        Assert.All(replies.Where((_, i) => i % 6 == 5), reply => Assert.Equal(3, reply["n"].Number));
        Assert.Equal(Rows / 6, node.Count(NamespaceCounter.BatchSubUdfComplete));
        Assert.Equal(4 * Rows / 6, node.Count(NamespaceCounter.BatchSubUdfError));
    }

    [Fact]
    public void A_batch_whose_client_vanishes_leaves_all_records_free()
    {
        using var node = new UdfHarness(Counting, loops: 2);
        for (var i = 0; i < 40; i++)
        {
            node.Ask(UdfHarness.Call($"k{i}", "add"));
        }

        var batch = new WireBatch { Timeout = 60_000 };
        for (var i = 0; i < 40; i++)
        {
            batch.Call($"k{i}", "m", "add_slowly", [0x91, 1]);
        }

        var client = node.Connect();
        client.Send(batch.Bytes());
        node.Turn(3);
        client.Vanish();
        for (var i = 0; i < 40; i++)
        {
            Assert.InRange(node.Ask(UdfHarness.Call($"k{i}", "add"))["SUCCESS"].Number, 2, 3);
        }
    }

    [Fact]
    public void A_background_query_whose_function_fails_on_every_record_ends_and_counts_it()
    {
        const int Records = 200;
        using var node = new UdfHarness(Counting);
        for (var i = 0; i < Records; i++)
        {
            node.Ask(UdfHarness.Call($"k{i}", "add"));
        }

        var start = new WireRequest().Flags(Info2.Write).Field(FieldId.Namespace, "test"u8).Field(FieldId.UdfOp, [2])
            .Field(FieldId.UdfModule, "m"u8).Field(FieldId.UdfFunction, "fail"u8).Field(FieldId.UdfArguments, []);
        Assert.Equal(ResultCode.Ok, node.Ask(start).Result);
        node.Node.RunUntil(() =>
        {
            node.Node.Clock.Advance(TimeSpan.FromMilliseconds(10));
            return node.Count(NamespaceCounter.UdfSubUdfError) == Records;
        });
        Assert.Equal(2, node.Ask(UdfHarness.Call("k0", "add"))["SUCCESS"].Number);
    }

    [Fact]
    public void Failures_survive_collections_by_other_threads()
    {
        using var collections = new ForcedCollections();
        using var node = new UdfHarness("""
            function f(rec, i)
              pcall(list.append, nil, i); pcall(function() rec.x = {} end); pcall(coroutine.wrap(function() bytes.size(i) end))
              rec.n = i; aerospike:update(rec)
              error(map.keys(i))
            end
            """);
        node.Ask(WireRequest.Put("k", "a", "x"));
        for (var i = 0; i < 2_000; i++)
        {
            var failure = UdfHarness.Failure(node.Ask(UdfHarness.Call("k", "f", 0x91, (byte)(i % 128))));
            Assert.Equal("m.lua:4: bad argument #1 to 'keys' (Map expected, got number)", failure);
            collections.Note();
        }

        Assert.Equal(1_999 % 128, node.Ask(WireRequest.Get("k"))["n"].Number);
    }
}

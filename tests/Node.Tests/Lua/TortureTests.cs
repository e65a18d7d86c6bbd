using System.Diagnostics;
using Aerie.DataModel;
using Aerie.DataModel.Packed;
using Aerie.Foundation;
using Aerie.Io;
using Aerie.Lua;
using Aerie.TestKit;
using Xunit;

namespace Aerie.Node.Tests.Lua;

/// Scripts that want to stay for ever, eat all memory or break out. Each ends in time with an error, and what comes after it runs
/// as if nothing had been: on the same worker, mostly in the same state.
public sealed class TortureTests
{
    private const long TimeLimit = 40_000_000;

    /// Far above the time limit, far below for ever: the machine has other work too.
    private static readonly TimeSpan InTime = TimeSpan.FromSeconds(8);

    public static TheoryData<string> EndlessScripts =>
    [
        "while true do end",
        "repeat until false",
        "::again:: goto again",
        "for i = 1, math.huge do end",
        "while true do pcall(function() while true do end end) end",
        "local function f() return pcall(f) end; while true do f() end",
        "coroutine.wrap(function() while true do end end)()",
        "while true do pcall(coroutine.wrap(function() while true do end end)) end",
        "local co = coroutine.create(function() while true do coroutine.yield() end end); while true do coroutine.resume(co) end",
        "local function f(...) return f(..., ...) end; return f(1, 2)",
        "local function f() for i = 1, 20 do pcall(coroutine.wrap(f)) end end; while true do f() end",
        "xpcall(function() while true do end end, function() while true do end end)",
        "xpcall(error, function() while true do end end)",
        "local t = setmetatable({}, {__index = function(t, k) while true do end end}); return t.x",
        "local t = setmetatable({}, {__tostring = function() while true do end end}); return tostring(t)",
        "local t = setmetatable({}, {__lt = function() while true do end end}); table.sort({t, t, t})",
        "local t = setmetatable({}, {__len = function() return 1 << 60 end}); table.insert(t, 1, 1)",
        "local t = setmetatable({}, {__len = function() return 1 << 60 end}); table.remove(t, 1)",
        "local t = setmetatable({}, {__len = function() return (1 << 31) - 2 end}); table.sort(t, coroutine.isyieldable)",
        "local x <close> = setmetatable({}, {__close = function() while true do end end})",
        "local co = coroutine.wrap(function() local x <close> = setmetatable({}, {__close = function() while true do end end}); "
            + "error('x') end); pcall(co); while true do end",
        "local function f() local x <close> = setmetatable({}, {__close = f}); while true do end end; f()",
        "for _ in next, {}, nil, setmetatable({}, {__close = function() while true do end end}) do end",
        "table.sort({3, 2, 1}, function() while true do end end)",
        "string.gsub('abc', '%w', function() while true do end end)",
        "for _ in string.gmatch(string.rep('a', 1000), '') do while true do end end",
        "table.move({}, 1, 1 << 60, 2)",
        "while true do string.rep('', 1 << 60) end",
        "while true do string.rep('x', 1000000) end",
        "while true do string.find(string.rep('a', 20000), '.-b') end",
        "while true do pcall(string.find, string.rep('a', 400), string.rep('.-', 6) .. 'b') end",
        "while true do string.find(string.rep('a', 100000), string.rep('a', 50000) .. 'b', 1, true) end",
        "while true do string.gsub(string.rep('a', 10000), 'a', 'b') end",
        "while true do local l = list(); for i = 1, 1000 do l[i] = i end; list.nbytes(l) end",
        "while true do tostring(a) end",
        "while true do table.unpack({}, 1, 100000) end",
        "while true do rec.x = string.rep('x', 100000); aerospike:update(rec) end",
        "local l = list(); for i = 1, 1000000 do list.prepend(l, i) end; while true do end",
        "local m = map(); local i = 0; while true do i = (i + 7919) % 100000; m[i] = i end",
        "while true do local ok = pcall(error, 'x') end",
        "while true do info('nothing') end",
        "while true do require('demo') end",
        "local f; f = function() return f() end; f()",
    ];

    [Theory, MemberData(nameof(EndlessScripts))]
    public void A_script_that_would_run_for_ever_is_stopped(string body)
    {
        // The ways that a node takes only where it must take every third of them.
        var ways = body.Length % 3 == 0 ? Enum.GetValues<LuaWay>() : [LuaWay.Signalled];
        foreach (var way in ways)
        {
            using var host = Host(body, way);
            host.TimeLimitNanoseconds = TimeLimit;
            var watch = Stopwatch.StartNew();
            var error = host.Error("f", new UdfTestRecord(), UdfValues.List(1L, UdfValues.List(2L)));
            Assert.EndsWith("UDF Execution Timeout", error);
            Assert.True(watch.Elapsed < InTime, $"{watch.Elapsed} for {body}");
            Assert.Equal(1L, host.Call("after", new UdfTestRecord()));
        }
    }

    public static TheoryData<string> GreedyScripts =>
    [
        "local s = 'x'; while true do s = s .. s end",
        "local t = setmetatable({}, {__len = function() return 1 << 60 end, __index = function() return '' end}); table.concat(t)",
        "local t = {}; for i = 1, math.huge do t[i] = i end",
        "local t = {}; for i = 1, math.huge do t[i] = {i} end",
        "local t = {}; while true do t = {t} end",
        "local s = ''; for i = 1, math.huge do s = s .. i .. s:sub(1, 1000) end",
        "return string.rep('x', 1 << 40)",
        "return string.rep('x', 100, string.rep('y', 1 << 20))",
        "local t = {}; while true do t[#t + 1] = coroutine.create(print) end",
        "local t = {}; while true do t[#t + 1] = function() return t end end",
        "local t = {}; while true do t[#t + 1] = bytes(1 << 20) end",
        "local t = {}; while true do local l = list(); l[4000000] = 1; t[#t + 1] = l end",
        "local l = list(); while true do list.concat(l, l); l[#l + 1] = 1 end",
        "local m = map(); for i = 1, math.huge do m[i] = 'value' .. i end",
        "local b = bytes(); local t = {}; while true do bytes.append_string(b, string.rep('x', 1 << 20)); "
            + "t[#t + 1] = bytes.get_bytes(b, 1, #b) end",
        "local t = {}; while true do t[#t + 1] = string.gsub(string.rep('x', 1 << 20), 'x', 'yy') end",
        "return #table.concat({string.rep('x', 1 << 24), string.rep('y', 1 << 24)})",
        "local t = {}; while true do t[#t + 1] = tostring(a) end",
        "t = {}; while true do pcall(function() for i = 1, math.huge do t[i] = {i} end end) end",
    ];

    [Theory, MemberData(nameof(GreedyScripts))]
    public void A_script_that_takes_too_much_memory_is_stopped(string body)
    {
        using var host = Host(body, LuaWay.Signalled, 8 * 1024 * 1024);
        host.TimeLimitNanoseconds = 20_000_000_000;
        var watch = Stopwatch.StartNew();
        var error = host.Error("f", new UdfTestRecord(), new string('s', 1000));
        Assert.Matches("^(demo.lua:2: )?(not enough memory|resulting string too large|stack overflow.*)$", error.Split('\n')[0]);
        Assert.True(watch.Elapsed < InTime, $"{watch.Elapsed} for {body}");
        Assert.Equal(1L, host.Call("after", new UdfTestRecord()));
    }

    public static TheoryData<string, string> DeepScripts => new()
    {
        { "local function g(n) return 1 + g(n + 1) end; return g(1)", "demo.lua:2: not enough memory" },
        { "local t = setmetatable({}, {}); getmetatable(t).__index = function(t, k) return t[k + 1] end; return t[1]", "C stack overflow" },
        { "local t = setmetatable({}, {}); getmetatable(t).__index = t; return t.x", "'__index' chain too long; possible loop" },
        { "local function g() return pcall(g) end; error('n' .. select('#', g()))", "demo.lua:2: n" },
        { "local function g() coroutine.wrap(g)() end; g()", "C stack overflow" },
        { "local l = list(); l[1] = l; return l", "lists and maps are nested too deeply" },
        { "local m = map(); m.x = m; rec.m = m; aerospike:update(rec)", "lists and maps are nested too deeply" },
        { "local m = map(); m.x = m; return tostring(m)", "lists and maps are nested too deeply" },
        {
            "local l = list(); for i = 1, 1000 do local o = list(); o[1] = l; l = o end; return list.nbytes(l)",
            "lists and maps are nested too deeply"
        },
        {
            "local l = list{1}; for i = 1, 60 do local o = list(); o[1] = l; o[2] = l; l = o end; return l",
            "the value has too many elements"
        },
        {
            "local l = list{1}; for i = 1, 60 do local o = list(); o[1] = l; o[2] = l; l = o end; return tostring(l)",
            "the value has too many elements"
        },
        { "return string.match(string.rep('a', 300), string.rep('a?', 300) .. string.rep('a', 300))", "pattern too complex" },
        { "error(setmetatable({}, {__tostring = function() error('x') end}))", "demo.lua:2: error object is a table value" },
        { "error(rec)", "demo.lua:2: error object is a userdata value" },
        { "error(function() end)", "demo.lua:2: error object is a function value" },
        { "error(coroutine.create(print))", "demo.lua:2: error object is a thread value" },
        { "xpcall(error, error); error('after', 0)", "after" },
        { "return setmetatable({}, {__close = 1}) .. 1", "attempt to concatenate a table value" },
        { "setmetatable(map(), {})", "bad argument #1 to 'setmetatable' (table expected, got userdata)" },
        { "getmetatable(list()).__index = nil; local x = list{1}; error(tostring(x[1]), 0)", "1" },
        { "coroutine.yield(1)", "attempt to yield from outside a coroutine" },
        { "local co = coroutine.running(); error(select(2, coroutine.resume(co)), 0)", "cannot resume non-suspended coroutine" },
        { "local g = _G; for k in pairs(g) do g[k] = nil end; x()", "attempt to call a nil value (global 'x')" },
        { "rec.l = list(); rec.l.x = 1", "bad argument #2 to '__newindex' (number expected, got string)" },
        { "list.iterator(rec)", "bad argument #1 to 'iterator' (List expected, got userdata)" },
        { "for i = 1, 2000 do rec['b' .. i] = i end", "a function may use at most 1024 bins" },
        { "string.format('%d', 'x')", "bad argument #2 to 'format' (number expected, got string)" },
    };

    [Theory, MemberData(nameof(DeepScripts))]
    public void A_script_that_breaks_rules_gets_an_error(string body, string expected)
    {
        foreach (var way in Enum.GetValues<LuaWay>())
        {
            using var host = Host(body, way);
            Assert.Contains(expected, host.Error("f", new UdfTestRecord()));
            var (result, value) = host.Try("after", new UdfTestRecord());
            Assert.True(result == ResultCode.Ok ? value is 1L : body.Contains("_G"), $"{value} after {body}");
        }
    }

    [Fact]
    public void The_record_of_an_earlier_call_is_the_record_of_this_one()
    {
        using var host = new ScriptHost("function f(rec) kept = kept or rec; return kept.a end");
        Assert.Equal(1L, host.Call("f", new UdfTestRecord().With("a", 1)));
        Assert.Equal(2L, host.Call("f", new UdfTestRecord().With("a", 2)));
    }

    [Fact]
    public void Values_of_an_earlier_call_stay_what_they_are()
    {
        using var host = new ScriptHost("function f(rec, l) if l then kept = l; kept2 = rec.m end; return list{kept, kept2} end");
        var record = new UdfTestRecord().With("m", UdfValues.Map(("k", UdfValues.List(1L))));
        var expected = UdfValues.List(UdfValues.List(UdfValues.List("x")), UdfValues.Map(("k", UdfValues.List(1L))));
        Assert.Equal(expected, host.Call("f", record, UdfValues.List(UdfValues.List("x"))));
        for (var i = 0; i < 200; i++)
        {
            host.Call("f", new UdfTestRecord()); // with garbage collections between
        }

        Assert.Equal(expected, host.Call("f", new UdfTestRecord()));
    }

    [Theory]
    [InlineData(new byte[] { 0xC1 })]
    [InlineData(new byte[] { 0x81, 1, 2 })]
    [InlineData(new byte[] { 0x92, 1 })]
    [InlineData(new byte[] { 0x91, 1, 1 })]
    [InlineData(new byte[] { 0xDD, 0x7F, 0xFF, 0xFF, 0xFF })]
    [InlineData(new byte[] { 0x91, 0xDB, 0x7F, 0xFF, 0xFF, 0xFF, 1 })]
    [InlineData(new byte[] { 0x91, 0x92, 1 })]
    public void Arguments_that_are_no_packed_list_are_a_bad_parameter(byte[] arguments)
    {
        using var host = ScriptHost.Of("return 1");
        var run = host.Worker.Start(host.CallOf(ScriptHost.Module, "f", arguments), new UdfTestRecord());
        Assert.Equal(ResultCode.Parameter, run.Result);
        run.Release();
        Assert.Equal(1L, host.Call());
    }

    [Theory]
    [InlineData("local x = rec.bad[1]")]
    [InlineData("for v in list.iterator(rec.bad) do end")]
    [InlineData("rec.bad[1] = 1")]
    [InlineData("return #rec.bad")]
    public void A_stored_list_that_is_none_is_an_error_of_the_script(string body)
    {
        using var host = ScriptHost.Of(body);
        foreach (var bad in (byte[][])[[0x93, 1], [0xC0], [0x91, 0xD9, 200, 3], [0x91, 0x92, 1], [0x91, 1, 1]])
        {
            Assert.Contains("not a valid list", host.Error("f", new UdfTestRecord().With("bad", ParticleType.List, bad)));
        }
    }

    [Fact]
    public void Random_arguments_and_bins_never_break_the_engine()
    {
        using var host = ScriptHost.Of("""
            local function walk(v, depth)
              if depth > 8 or type(v) ~= 'userdata' then return 1 end
              local class, n = getmetatable(v), 0
              if class == List then for i = 1, #v do n = n + walk(v[i], depth + 1) end; v[1] = 2
              elseif class == Map then for k, x in map.pairs(v) do n = n + walk(k, depth + 1) + walk(x, depth + 1) end; v.x = 1
              elseif class == Bytes then v[1] = 1 end
              return n + 1
            end
            walk(a, 0); walk(rec.x, 0)
            rec.x = a; aerospike:update(rec)
            return a
            """);
        const int Seed = 20_261;
        var random = new Random(Seed);
        for (var i = 0; i < 4_000; i++)
        {
            var packed = RandomPacked.Bytes(random);
            var record = new UdfTestRecord().With("x", ParticleType.List, packed);
            var run = host.Worker.Start(host.CallOf(ScriptHost.Module, "f", packed), record);
            Assert.True(run.Progress == UdfProgress.Finished, $"seed {Seed}, input {i}");
            if (run.Result == ResultCode.Ok && run.Value.Type is ParticleType.List or ParticleType.Map)
            {
                Assert.True(PackedReader.IsOneValue(run.Value.Bytes), $"seed {Seed}, input {i}");
            }

            run.Release();
        }
    }

    [Fact]
    public void What_the_record_throws_comes_out_and_the_worker_goes_on()
    {
        using var host = ScriptHost.Of("pcall(function() return rec.a end); while true do pcall(function() return 1 end) end");
        var record = new UdfTestRecord { OnRead = _ => throw new InvalidDataException("the record's own") };
        Assert.Equal("the record's own", Assert.Throws<InvalidDataException>(() => host.Call("f", record)).Message);
        host.Register("demo", "function f() return 2 end");
        Assert.Equal(2L, host.Call());
    }

    private static ScriptHost Host(string body, LuaWay way, long memory = 16 * 1024 * 1024) =>
        new($"function f(rec, a)\n{body}\nend\nfunction after() return 1 end", way.Options() with { MemoryMax = memory });
}

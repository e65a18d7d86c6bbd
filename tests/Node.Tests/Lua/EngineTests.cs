using System.Diagnostics;
using System.Text;
using Aerie.Foundation;
using Aerie.Io;
using Aerie.Lua;
using Aerie.TestKit;
using Xunit;

namespace Aerie.Node.Tests.Lua;

/// Modules, workers and runs around the scripts.
public sealed class EngineTests
{
    private const string Slow = """
        function slow(rec, n) local x = 0; for i = 1, n do x = x + i end; rec.x = x; aerospike:update(rec); return x end
        function quick(rec) counter = (counter or 0) + 1; return counter end
        function sorted(rec, n) local t = {}; for i = 1, n do t[i] = n - i end; table.sort(t); return t[1] end
        function inside(rec, n) local ok, v = pcall(slow, rec, n); return v end
        function woven(rec, n) return coroutine.wrap(function() return slow(rec, n) end)() end
        function replaced(rec, n) local c = 0; string.gsub(string.rep('a', n), 'a', function() c = c + 1 end); return c end
        function meta(rec, n) local t = setmetatable({}, {__index = function(_, k) return slow(rec, k) end}); return t[n] end
        function deep(rec, n)
          return coroutine.wrap(function() return select(2, pcall(coroutine.wrap(function() return inside(rec, n) end))) end)()
        end
        function passed(rec, n)
          local x, count = 0, 0
          local co = coroutine.create(function(a)
            for i = 1, n do x = x + a; a = coroutine.yield(i) end
            for i = 1, n do x = x + 1; coroutine.yield() end
            coroutine.yield(nil, nil, 3)
            return 'end', nil
          end)
          local function note(ok, value, ...)
            count = count + 1
            if not ok then error('failed') end
            if coroutine.status(co) == 'dead' then return value, count + select('#', ...) end
            if count > 2 * n then x = x + 10 * select('#', ...) + (select(2, ...)) end
            return note(coroutine.resume(co, count))
          end
          local value, all = note(coroutine.resume(co, 0))
          return value .. all .. ':' .. x
        end
        """;

    [Theory]
    [InlineData("slow"), InlineData("inside"), InlineData("sorted"), InlineData("replaced"), InlineData("meta")]
    [InlineData("woven"), InlineData("deep"), InlineData("passed")]
    public void A_slow_function_is_suspended_and_ends_with_the_same_result(string function)
    {
        using var host = new ScriptHost(Slow, new UdfOptions { Clock = new SystemClock(), InstructionsPerTurn = 10_000 });
        var slices = host.Call(function, new UdfTestRecord(), 50_000L);
        Assert.True(host.Suspensions > 5, $"{host.Suspensions}");
        using var whole = new ScriptHost(Slow, new UdfOptions { Clock = new SystemClock(), InstructionsPerTurn = int.MaxValue });
        Assert.Equal(slices, whole.Call(function, new UdfTestRecord(), 50_000L));
        Assert.Equal(0, whole.Suspensions);
    }

    /// Where a function of Lua's own calls back, a script cannot be suspended: nobody waits for long.
    [Theory]
    [InlineData("local t = setmetatable({}, {__tostring = function() while true do end end}); return tostring(t)")]
    [InlineData("local t = setmetatable({}, {__index = function() while true do end end}); for _, v in ipairs(t) do return v end")]
    [InlineData("return tostring(setmetatable({}, {__tostring = coroutine.wrap(function() while true do end end)}))")]
    [InlineData("return tostring(setmetatable({}, {__tostring = function() while true do pcall(error) end end}))")]
    public void What_cannot_be_suspended_is_ended_after_some_turns(string body)
    {
        using var host = ScriptHost.Of(body, new UdfOptions { Clock = new FakeClock(), InstructionsPerTurn = 10_000 });
        Assert.Equal("demo.lua:2: UDF Execution Timeout", host.Error("f", new UdfTestRecord()));
        Assert.Equal(0, host.Suspensions);
        host.Register("demo", "function f() return 1 end");
        Assert.Equal(1L, host.Call());
    }

    [Fact]
    public void A_coroutine_past_the_deadline_ends_with_the_function()
    {
        using var host = new ScriptHost(Slow, new UdfOptions { Clock = new SystemClock(), InstructionsPerTurn = 10_000 });
        host.TimeLimitNanoseconds = 20_000_000;
        Assert.Contains("Timeout", host.Error("woven", new UdfTestRecord(), 1L << 40));
        Assert.Contains("Timeout", host.Error("deep", new UdfTestRecord(), 1L << 40));
        Assert.Equal(1L, host.Call("quick", new UdfTestRecord()));
    }

    [Fact]
    public void Others_run_while_a_function_is_suspended()
    {
        using var host = new ScriptHost(Slow, new UdfOptions { Clock = new SystemClock(), InstructionsPerTurn = 10_000 });
        Assert.Equal(1L, host.Call("quick", new UdfTestRecord()));
        var records = Enumerable.Range(0, 5).Select(_ => new UdfTestRecord()).ToList();
        var arguments = UdfValues.Packed(UdfValues.List(100_000L));
        var runs = records.Select(record => host.Worker.Start(host.CallOf("demo", "slow", arguments), record)).ToList();
        Assert.All(runs, run => Assert.Equal(UdfProgress.Suspended, run.Progress));
        Assert.Equal(1L, host.Call("quick", new UdfTestRecord())); // the state with the counter is busy

        runs[0].Release(); // given up: writes nothing
        while (runs.Skip(1).Any(run => run.Progress == UdfProgress.Suspended))
        {
            runs.Skip(1).First(run => run.Progress == UdfProgress.Suspended).Resume();
        }

        Assert.All(
            runs.Skip(1),
            run => Assert.Equal((ResultCode.Ok, 5_000_050_000L), (run.Result, UdfValues.OfBin(run.Value.Type, run.Value.Bytes))));
        Assert.Equal([null, 5_000_050_000L], records.Take(2).Select(record => record["x"]));
        runs.Skip(1).ToList().ForEach(run => run.Release());
    }

    [Fact]
    public void A_function_past_its_deadline_ends_when_it_is_resumed()
    {
        var clock = new FakeClock();
        using var host = new ScriptHost(Slow, new UdfOptions { Clock = clock });
        var run = host.Worker.Start(host.CallOf("demo", "slow", UdfValues.Packed(UdfValues.List(1L << 40))), new UdfTestRecord());
        Assert.Equal(UdfProgress.Suspended, run.Progress);
        Assert.Equal(UdfProgress.Suspended, run.Resume());
        clock.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal(UdfProgress.Finished, run.Resume());
        Assert.Equal("demo.lua:1: UDF Execution Timeout", UdfValues.OfBin(run.Value.Type, run.Value.Bytes));
        run.Release();
    }

    [Fact]
    public void A_turn_is_short()
    {
        using var host = new ScriptHost(Slow, new UdfOptions { Clock = new SystemClock() });
        host.Call("quick", new UdfTestRecord());
        var run = host.Worker.Start(host.CallOf("demo", "slow", UdfValues.Packed(UdfValues.List(3_000_000L))), new UdfTestRecord());
        var shortest = TimeSpan.MaxValue;
        while (run.Progress == UdfProgress.Suspended)
        {
            var watch = Stopwatch.StartNew();
            run.Resume();
            shortest = watch.Elapsed < shortest ? watch.Elapsed : shortest;
        }

        run.Release();
        Assert.True(shortest < TimeSpan.FromMilliseconds(20), $"{shortest}");
    }

    [Fact]
    public void A_text_is_checked_with_file_and_line()
    {
        using var host = new ScriptHost("");
        var engine = host.Engine;
        Assert.Null(engine.Check("good", "function f() return 1 end"u8));
        Assert.Equal(
            new UdfSyntaxError("bad.lua", 2, "unexpected symbol near ','"),
            engine.Check("bad", "function f()\n return { ,, }\nend"u8));
        Assert.Equal(new UdfSyntaxError("bad.lua", 3, "attempt to call a nil value (global 'x')"), engine.Check("bad", "\n\nx()"u8));
        Assert.Equal(new UdfSyntaxError("bad.lua", 1, "module 'none' not found"), engine.Check("bad", "local a = require('none')"u8));
        Assert.Equal("error object is a table value", engine.Check("bad", "error({})"u8)!.Message);
        Assert.Contains("binary chunk", engine.Check("bad", "\u001bLua"u8)!.Message);
        Assert.Contains("near", engine.Check("bad", "function"u8)!.Message);
        Assert.Null(engine.Check("demo2", "local demo = require('demo')"u8));
    }

    [Fact]
    public void A_text_that_runs_for_ever_fails_its_check()
    {
        using var host = new ScriptHost("", new UdfOptions { Clock = new SystemClock(), CheckNanoseconds = 20_000_000 });
        Assert.Equal("UDF Execution Timeout", host.Engine.Check("bad", "while true do end"u8)!.Message);
        host.TimeLimitNanoseconds = 20_000_000;
        host.Register("loop", "while true do end");
        Assert.Equal("loop.lua:1: UDF Execution Timeout", host.TryIn("loop", "f", new UdfTestRecord()).Value);
    }

    [Fact]
    public void Without_a_cache_each_call_begins_with_fresh_globals()
    {
        using var host = new ScriptHost(Slow, new UdfOptions { Clock = new SystemClock(), KeepsStates = false });
        Assert.Equal(1L, host.Call("quick", new UdfTestRecord()));
        Assert.Equal(1L, host.Call("quick", new UdfTestRecord()));
    }

    [Fact]
    public void Ten_thousand_modules_cost_what_is_called_of_them()
    {
        using var host = new ScriptHost("", new UdfOptions { Clock = new SystemClock(), IdleStatesMax = 16 });
        for (var i = 0; i < 10_000; i++)
        {
            host.Register($"m{i}", $"function f(rec) return {i} end");
        }

        for (var i = 0; i < 10_000; i += 97)
        {
            Assert.Equal((ResultCode.Ok, (long)i), host.TryIn($"m{i}", "f", new UdfTestRecord()));
        }

        Assert.True(host.Engine.Remove("m97"));
        Assert.False(host.Engine.Remove("m97"));
        Assert.Equal((ResultCode.UdfExecution, "module 'm97' not found"), host.TryIn("m97", "f", new UdfTestRecord()));
        Assert.Equal((ResultCode.Ok, 98L), host.TryIn("m98", "f", new UdfTestRecord()));
    }

    [Fact]
    public async Task A_module_can_be_replaced_while_others_call_it()
    {
        using var host = new ScriptHost("function f() return 0 end");
        using var stop = new CancellationTokenSource();
        var callers = Enumerable.Range(0, 2)
            .Select(_ => Task.Factory.StartNew(() => CallUntil(host.Engine, stop.Token), TaskCreationOptions.LongRunning)).ToList();
        for (var version = 1; version <= 150; version++)
        {
            host.Register("demo", $"local v = {version}; function f() local a = v; return a end");
            Assert.Equal((long)version, host.Call());
        }

        await stop.CancelAsync();
        foreach (var versions in await Task.WhenAll(callers))
        {
            Assert.Equal(versions.Order(), versions);
            Assert.True(versions[^1] <= 150);
        }
    }

    private static List<long> CallUntil(LuaEngine engine, CancellationToken stop)
    {
        using var worker = engine.OpenWorker();
        var versions = new List<long>();
        while (!stop.IsCancellationRequested)
        {
            var call = new UdfCall { Module = "demo"u8, Function = "f"u8, DeadlineNanoseconds = long.MaxValue };
            var run = worker.Start(call, new UdfTestRecord());
            versions.Add((long)UdfValues.OfBin(run.Value.Type, run.Value.Bytes)!);
            run.Release();
        }

        return versions;
    }

    [Fact]
    public void Calls_errors_and_times_are_counted()
    {
        using var host = new ScriptHost("function f() for i = 1, 100000 do end end function g() error('x') end");
        using var other = host.Engine.OpenWorker();
        for (var i = 0; i < 20; i++)
        {
            host.Call("f", new UdfTestRecord());
            host.Try("g", new UdfTestRecord());
            host.Try("no such function", new UdfTestRecord());
        }

        other.Start(host.CallOf("demo", "g", []), new UdfTestRecord()).Release();
        var statistics = host.Engine.Statistics();
        Assert.Equal([("f", 20L, 0L), ("g", 21L, 21L)], statistics.Select(one => (one.Function, one.Calls, one.Errors)));
        Assert.True(statistics[0].Nanoseconds > 20 * 100_000, $"{statistics[0].Nanoseconds}");
        Assert.All(statistics, one => Assert.Equal("demo", one.Module));
    }

    [Fact]
    public void What_scripts_log_goes_out_with_its_place()
    {
        var log = new Log();
        const string Script = """
            function f()
              info('n is %d', 5)
              warn('w')
              debug('not asked for %d', 'x')
              aerospike:log(1, 'own')
              print('a', 1)
            end
            """;
        using var host = new ScriptHost(Script, new UdfOptions { Clock = new SystemClock(), Log = log });
        host.Call();
        Assert.Equal(["Info demo.lua:2 n is 5", "Warn demo.lua:3 w", "Warn demo.lua:5 own", "Info demo.lua:6 a\t1"], log.Lines);
    }

    private sealed class Log : IUdfLog
    {
        public List<string> Lines { get; } = [];

        public bool IsEnabled(UdfLogLevel level) => level <= UdfLogLevel.Info;

        public void Write(UdfLogLevel level, ReadOnlySpan<byte> file, int line, ReadOnlySpan<byte> text) =>
            Lines.Add($"{level} {Encoding.UTF8.GetString(file)}:{line} {Encoding.UTF8.GetString(text)}");
    }
}

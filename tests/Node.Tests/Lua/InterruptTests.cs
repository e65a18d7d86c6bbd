using System.Globalization;
using Aerie.Foundation;
using Aerie.Lua;
using Aerie.TestKit;
using Xunit;

namespace Aerie.Node.Tests.Lua;

/// The signal that stops who runs on and on, so that nobody's instructions need be counted before.
public sealed class InterruptTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private const string Script = """
        function slow(rec, n) local x = 0; for i = 1, n do x = x + i % 7 end; rec.x = x; return x end
        function inside(rec, n) local ok, v = pcall(slow, rec, n); return v end
        function meta(rec, n) local t = setmetatable({}, {__index = function(_, k) return slow(rec, k) end}); return t[n] end
        function woven(rec, n) return coroutine.wrap(function() return slow(rec, n) end)() end
        function after(rec, n) local v = coroutine.wrap(function() return 1 end)(); return slow(rec, n) end
        """;

    [Theory]
    [InlineData("slow"), InlineData("inside"), InlineData("meta"), InlineData("woven"), InlineData("after")]
    public void Who_runs_for_long_is_suspended_and_ends_with_the_same_result(string function)
    {
        Assert.SkipUnless(IsPossible, "signals cannot be used on this machine");
        using var host = new ScriptHost(Script, LuaWay.Signalled.Options());
        var record = new UdfTestRecord();
        var expected = new ScriptHost(Script).Call("slow", new UdfTestRecord(), 100_000L);
        Until(() =>
        {
            Assert.Equal(100_000L / 7 * 21 + 15, expected);
            Assert.Equal(expected, host.Call(function, record, 100_000L));
            host.Call(function, record, 3_000_000L);
            return host.Suspensions > 0;
        });
    }

    [Fact]
    public void The_watch_sleeps_while_nothing_runs_and_is_there_when_something_does()
    {
        Assert.SkipUnless(IsPossible, "signals cannot be used on this machine");
        using var host = new ScriptHost(Script, LuaWay.Signalled.Options());
        for (var round = 0; round < 3; round++)
        {
            Until(() => host.Engine.Runtime.Watch!.IsAsleep);
            host.Call("slow", new UdfTestRecord(), 10L);
            Assert.False(host.Engine.Runtime.Watch!.IsAsleep);
            Until(() => host.Call("slow", new UdfTestRecord(), 3_000_000L) is not null && host.Suspensions > 0);
        }
    }

    /// A signal may come between any two instructions: of Lua, of a callback, of the way between them, of a collection. Several threads,
    /// each with its own worker, and others that collect garbage. AERIE_LUA_SIGNALS says how many calls.
    [Fact]
    public void A_signal_at_any_place_harms_nothing()
    {
        Assert.SkipUnless(IsPossible, "signals cannot be used on this machine");
        const int Threads = 3;
        var wanted = int.Parse(Environment.GetEnvironmentVariable("AERIE_LUA_SIGNALS") ?? "6000", CultureInfo.InvariantCulture) / Threads;
        using var engine = new LuaEngine(LuaWay.Signalled.Options() with { SignalsAtOnce = true, IdleStatesMax = 2 });
        engine.Register("demo", Mixed);
        using var collections = new ForcedCollections(1);
        OnThreads.Run(Threads, number =>
        {
            using var worker = engine.OpenWorker();
            RunMixed(worker, collections, wanted, number);
        });
    }

    private static bool IsPossible => Aerie.Lua.Native.InterruptSignal.IsAvailable;

    private static ReadOnlySpan<byte> Mixed => """
        function bins(rec, i) rec.a = rec.a + i; aerospike:update(rec); return rec.a end
        function lists(rec, i) local l = list(); for k = 1, 20 do l[k] = {} and k + i end; return l[20] - 20 end
        function errors(rec, i)
          local n = 0
          for k = 1, 5 do
            n = n + (pcall(list.append, nil, k) and 0 or 1) + (pcall(string.rep, 'x', 1 << 40) and 0 or 1)
          end
          return n + i - 10
        end
        function woven(rec, i)
          local co = coroutine.wrap(function(v) for k = 1, 30 do v = v + coroutine.yield(v) end return v end)
          local v = co(i)
          for k = 1, 30 do v = co(0) end
          return v
        end
        function texts(rec, i) return #string.gsub(string.rep('ab', 50), 'a', 'xy') + string.find('  x', 'x') - 153 + i end
        function sorts(rec, i)
          local t = {}
          for k = 1, 50 do t[k] = (k * 7) % 51 end
          table.sort(t)
          return t[i % 50 + 1] - i % 50 - 1 + i
        end
        function slow(rec, i) local x = 0; for k = 1, 200000 do x = x + 1 end; return x - 200000 + i end
        function deep(rec, i) local function g(n) return n == 0 and i or g(n - 1) + 0 end; return g(150) end
        """u8;

    private static void RunMixed(IUdfWorker worker, ForcedCollections collections, int calls, int seed)
    {
        string[] functions = ["bins", "lists", "errors", "woven", "texts", "sorts", "deep", "bins", "woven", "slow"];
        var (random, record, sum, hits) = (new Random(seed), new UdfTestRecord().With("a", 0), 0L, 0);
        for (var i = 0; i < calls; i++)
        {
            var (function, number) = (functions[random.Next(functions.Length)], (long)random.Next(1000));
            var call = new UdfCall
            {
                Module = "demo"u8,
                Function = System.Text.Encoding.UTF8.GetBytes(function),
                Arguments = UdfValues.Packed(UdfValues.List(number)),
                DeadlineNanoseconds = long.MaxValue,
            };
            var run = worker.Start(call, record);
            hits += run.Progress == UdfProgress.Suspended ? 1 : 0;
            while (run.Progress == UdfProgress.Suspended && random.Next(50) != 0) // some are given up where they stand
            {
                run.Resume();
            }

            if (run.Progress == UdfProgress.Finished)
            {
                sum += function == "bins" ? number : 0;
                var value = UdfValues.OfBin(run.Value.Type, run.Value.Bytes);
                Assert.True(run.Result == ResultCode.Ok, $"{function}({number}): {run.Result} {value}");
                Assert.True(function == "bins" || Equals(value, number), $"{function}({number}) = {value}");
            }

            run.Release();
            collections.Note();
        }

        Assert.True(hits > 0, "no signal has come");
        Assert.True((long)record["a"]! >= sum, $"{record["a"]} after {sum}"); // what was given up may have been stored before
    }

    private static void Until(Func<bool> condition) => Assert.True(Eventually.Holds(condition, Patience), "in vain for a minute");
}

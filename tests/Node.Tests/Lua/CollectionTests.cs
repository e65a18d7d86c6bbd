using System.Globalization;
using Aerie.Foundation;
using Aerie.Io;
using Aerie.Lua;
using Aerie.TestKit;
using Xunit;

namespace Aerie.Node.Tests.Lua;

/// Errors raised while other threads collect garbage: a managed frame that Lua jumps over survives everything but this.
public sealed class CollectionTests
{
    private const string Script = """
        function f(rec, i)
          local ok, a = pcall(list.append, nil, i)
          local ok, b = pcall(function() rec.x = {} end)
          local ok, c = pcall(function() return rec.l[1] .. nil end)
          local ok, d = pcall(coroutine.wrap(function() bytes.size(i) end))
          local ok, e = pcall(string.rep, 'x', 1 << 40)
          local ok, f = pcall(string.find, 'x', '[')
          if i % 2 == 0 then error(map.keys(5)) end
          return a .. b .. c .. d .. e .. f
        end
        """;

    [Fact]
    public void Errors_survive_collections_by_other_threads()
    {
        // So many errors by default; the nightly run asks for ten million.
        var wanted = int.Parse(Environment.GetEnvironmentVariable("AERIE_LUA_ERRORS") ?? "40000", CultureInfo.InvariantCulture);
        using var collections = new ForcedCollections();
        foreach (var way in Enum.GetValues<LuaWay>())
        {
            using var host = new ScriptHost(Script, way.Options());
            var record = new UdfTestRecord().With("l", UdfValues.List(1L));
            for (var i = 0; i < wanted / 21; i++)
            {
                var (result, value) = host.Try("f", record, (long)i);
                Assert.Equal(i % 2 == 0 ? ResultCode.UdfExecution : ResultCode.Ok, result);
                Assert.Contains(i % 2 == 0 ? "demo.lua:8: bad argument" : "resulting string too large", (string)value!);
                collections.Note();
            }
        }
    }
}

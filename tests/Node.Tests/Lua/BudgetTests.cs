using System.Text;
using Aerie.Foundation;
using Aerie.Io;
using Aerie.Lua;
using Aerie.TestKit;
using Xunit;

namespace Aerie.Node.Tests.Lua;

/// A function allocates nothing on the managed heap once it is warm, whatever values it handles.
public sealed class BudgetTests
{
    private const string Script = """
        function three_bins(rec, by) rec.a = rec.a + rec.b * by; aerospike:update(rec); return rec.a end
        function text(rec, by) rec.t = string.sub(rec.t .. by, 1, 10); aerospike:update(rec); return rec.t end
        function lists(rec, by) local l = rec.l; l[1] = by; l[2] = list{by}; rec.l = l; aerospike:update(rec); return l end
        function maps(rec, by) local m = rec.m; m.k = by; m[by] = nil; rec.m = m; aerospike:update(rec); return map{a = by, b = m} end
        function blobs(rec, by) local b = bytes(4); for i = 1, 4 do b[i] = i end; rec.x = b; aerospike:update(rec); return b end
        function finds(rec, by) return string.match('k=' .. by, '(%w+)=(%w+)') .. string.gsub('abc', 'b', 'x') end
        """;

    [Theory]
    [InlineData("three_bins")]
    [InlineData("text")]
    [InlineData("lists")]
    [InlineData("maps")]
    [InlineData("blobs")]
    [InlineData("finds")]
    public void A_warm_function_allocates_nothing(string function)
    {
        using var host = new ScriptHost(Script);
        var record = new UdfTestRecord().With("a", 1).With("b", 2).With("t", "text")
            .With("l", UdfValues.List(1L, 2L)).With("m", UdfValues.Map(("k", 1L)));
        var arguments = UdfValues.Packed(UdfValues.List(7L));
        var module = "demo"u8.ToArray();
        var name = Encoding.UTF8.GetBytes(function);
        void Once()
        {
            var run = host.Worker.Start(
                new UdfCall { Module = module, Function = name, Arguments = arguments, DeadlineNanoseconds = long.MaxValue }, record);
            Invariant.Holds(run.Result == ResultCode.Ok);
            run.Release();
        }

        for (var i = 0; i < 500; i++)
        {
            Once();
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 2_000; i++)
        {
            Once();
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}

using Xunit;

namespace Aerie.Node.Tests.Lua;

public sealed class SmokeTests
{
    [Fact]
    public void First()
    {
        using var host = ScriptHost.Of("return a + b");
        Assert.Equal(5L, host.Call(2, 3));
    }

    [Fact]
    public void Second()
    {
        using var host = ScriptHost.Of("rec.n = rec.n + rec.m * a; aerospike:update(rec); return rec.n");
        var record = new TestRecord().With("n", 1).With("m", 2);
        Assert.Equal(7L, host.Call("f", record, 3));
        Assert.Equal(7L, record["n"]);
    }
}

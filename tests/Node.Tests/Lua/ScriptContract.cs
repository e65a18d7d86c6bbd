using Aerie.Foundation;
using Aerie.Io;
using Aerie.Lua;
using Aerie.TestKit;
using Xunit;
using static Aerie.TestKit.UdfValues;

namespace Aerie.Node.Tests.Lua;

public sealed class SignalledScriptTests : ScriptContract
{
    protected override LuaWay Way => LuaWay.Signalled;
}

public sealed class CountedScriptTests : ScriptContract
{
    protected override LuaWay Way => LuaWay.Counted;
}

public sealed class WrappedScriptTests : ScriptContract
{
    protected override LuaWay Way => LuaWay.Wrapped;
}

/// What scripts can rely on, however errors are raised into Lua and long runs are stopped.
public abstract partial class ScriptContract
{
    protected abstract LuaWay Way { get; }

    private ScriptHost Of(string body) => ScriptHost.Of(body, Way.Options());

    private ScriptHost Script(string text) => new(text, Way.Options());

    private object? Run(string body, params object?[] arguments)
    {
        using var host = Of(body);
        return host.Call(arguments);
    }

    private string ErrorOf(string body, params object?[] arguments)
    {
        using var host = Of(body);
        return host.Error(arguments);
    }

    public static TheoryData<string> Samples => ["nil", "true", "false", "integers", "double", "string", "bytes", "geo", "list", "map"];

    private static object? SampleOf(string name) => name switch
    {
        "nil" => null,
        "true" => true,
        "false" => false,
        "integers" => List(0L, 1L, -1L, 127L, 128L, -32L, -33L, 65_536L, long.MaxValue, long.MinValue),
        "double" => 2.5,
        "string" => "grüße",
        "bytes" => new byte[] { 0, 1, 255 },
        "geo" => new Geo("""{"type":"Point","coordinates":[1,2]}"""),
        "list" => List(1L, "two", null, List(List(), Map(("k", new byte[] { 1 }))), 2.0),
        _ => Map((1L, "one"), ("two", 2L), (new string('k', 300), List(Map()))),
    };

    [Theory, MemberData(nameof(Samples))]
    public void A_value_goes_in_and_out_unchanged(string sample) =>
        Assert.Equal(SampleOf(sample), Run("return a", SampleOf(sample)));

    [Theory, MemberData(nameof(Samples))]
    public void A_value_can_be_stored_in_a_bin_and_read_again(string sample)
    {
        using var host = Of("rec.x = a; aerospike:update(rec); return rec.x");
        var record = new UdfTestRecord();
        Assert.Equal(SampleOf(sample), host.Call("f", record, SampleOf(sample)));
        Assert.Equal(SampleOf(sample), record["x"]);
    }

    [Theory, MemberData(nameof(Samples))]
    public void A_stored_value_is_returned_as_it_is_stored(string sample)
    {
        using var host = Of("return rec.x");
        if (SampleOf(sample) is { } value)
        {
            Assert.Equal(value, host.Call("f", new UdfTestRecord().With("x", value)));
        }
    }

    [Fact]
    public void Elements_that_were_looked_at_are_packed_as_they_were()
    {
        var value = List(1L, "two", null, List(List(), Map(("k", new byte[] { 1, 2 }))), 2.0, true, new Geo("{}"));
        Assert.Equal(value, Run("for i = 1, #a do local x = a[i] end; local m = a[4][2]; local b = m.k[1]; return a", value));
    }

    [Fact]
    public void Integers_and_floats_are_distinct()
    {
        Assert.Equal(List(3L, 1.5, 3.0), Run("return list{1 + 2, 3 / 2, 3.0}"));
        Assert.Equal(long.MaxValue, Run("return math.maxinteger"));
        Assert.Equal(long.MinValue, Run("return a + 1", long.MaxValue));
    }

    [Fact]
    public void Strings_end_at_their_first_zero_byte()
    {
        Assert.Equal("ab", Run("return 'ab\\0cd'"));
        Assert.Equal(List("x", 1L), Run("return list{'x\\0y', #a}", "z\0y"));
    }

    [Fact]
    public void Only_assigned_bins_are_written()
    {
        using var host = Of("rec.l[1] = 9; rec.a = 5; aerospike:update(rec); return rec.l[1]");
        var record = new UdfTestRecord().With("l", List(1L)).With("a", 1).With("b", 2);
        Assert.Equal(9L, host.Call("f", record));
        Assert.Equal(List(1L), record["l"]);
        Assert.Equal((5L, 2L), (record["a"], record["b"]));
        Assert.Equal(1, record.BinsSet);
    }

    [Fact]
    public void What_is_assigned_is_seen_at_once_and_shared()
    {
        using var host = Of("""
            rec.l = list()
            rec.l[1] = 'first'
            local same = rec.l
            same[2] = 'second'
            rec.n = 1
            rec.n = rec.n + 1
            aerospike:update(rec)
            same[3] = 'too late'
            return rec.n
            """);
        var record = new UdfTestRecord();
        Assert.Equal(2L, host.Call("f", record));
        Assert.Equal(List("first", "second"), record["l"]);
    }

    [Fact]
    public void A_bin_is_removed_by_nil()
    {
        using var host = Of("rec.a = nil; local gone = rec.a == nil; aerospike:update(rec); return gone");
        var record = new UdfTestRecord().With("a", 1).With("b", 2);
        Assert.Equal(true, host.Call("f", record));
        Assert.Null(record["a"]);
        Assert.Equal(1, record.BinCount);
    }

    [Fact]
    public void An_update_of_nothing_is_a_touch()
    {
        using var host = Of("return aerospike:update(rec)");
        var record = new UdfTestRecord().With("a", 1);
        Assert.Equal(0L, host.Call("f", record));
        Assert.Equal((1, 0), (record.Updates, record.BinsSet));
    }

    [Fact]
    public void Without_update_nothing_is_written()
    {
        using var host = Of("rec.a = 2");
        var record = new UdfTestRecord().With("a", 1);
        Assert.Null(host.Call("f", record));
        Assert.Equal(1L, record["a"]);
    }

    [Fact]
    public void A_missing_record_has_no_bins_and_can_be_created()
    {
        using var host = Of("""
            local before = rec.a
            rec.a = 1
            local codes = list{aerospike:update(rec), aerospike:create(rec), aerospike:create(rec)}
            list.append(codes, before == nil and aerospike:exists(rec))
            return codes
            """);
        var record = new UdfTestRecord { Exists = false };
        Assert.Equal(List(2L, 0L, 5L, true), host.Call("f", record));
        Assert.Equal(1L, record["a"]);
    }

    [Fact]
    public void What_an_update_refuses_stays_assigned()
    {
        using var host = Of("rec.a = 2; local code = aerospike:update(rec); return list{code, rec.a}");
        var record = new UdfTestRecord { Answer = ResultCode.RecordTooBig }.With("a", 1);
        Assert.Equal(List(13L, 2L), host.Call("f", record));
        Assert.Equal(1L, record["a"]);
    }

    [Fact]
    public void A_removed_record_is_empty()
    {
        using var host = Of("""
            local l = rec.l
            rec.b = 1
            local code = aerospike:remove(rec)
            return string.format('%s %s %s %s %s', code, rec.l, rec.b, rec.a, aerospike:exists(rec))
            """);
        var record = new UdfTestRecord().With("a", 1).With("l", List(1L));
        Assert.Equal("0 nil nil nil false", host.Call("f", record));
        Assert.Equal(0, record.BinCount);
    }

    [Fact]
    public void Metadata_comes_from_the_record()
    {
        using var host = Of("""
            record.set_ttl(rec, 600)
            record.drop_key(rec)
            return list{record.ttl(rec), record.last_update_time(rec), record.gen(rec), record.size(rec), record.memory_size(rec),
              record.device_size(rec), record.key(rec), record.setname(rec), record.digest(rec), record.numbins(rec),
              record.bin_names(rec)[1]}
            """);
        var record = new UdfTestRecord().With("a", 1);
        Assert.Equal(
            List(100L, 101L, 102L, 103L, 104L, 105L, "the key", "demo", "01234567890123456789"u8.ToArray(), 1L, "a"),
            host.Call("f", record));
        Assert.Equal((600u, true), (record.TimeToLiveSet, record.KeyDropped));
    }

    [Fact]
    public void A_record_as_an_answer_stands_for_nothing_and_a_table_is_an_error()
    {
        Assert.Null(Run("return rec"));
        Assert.Equal("unsupported return type: table", ErrorOf("return {}"));
        Assert.Equal("demo.lua:2: can't set bin x to unsupported type", ErrorOf("rec.x = {}"));
        Assert.Equal("demo.lua:2: can't set bin x to unsupported type", ErrorOf("rec.x = print"));
        Assert.StartsWith("demo.lua:2: can't set bin sixteen_bytes_xx:", ErrorOf("rec.sixteen_bytes_xx = 1"));
    }

    [Fact]
    public void Errors_name_the_file_and_the_line()
    {
        Assert.Equal("demo.lua:3: attempt to index a nil value (local 'x')", ErrorOf("local x\nreturn x.y"));
        Assert.Equal("demo.lua:2: oh", ErrorOf("error('oh')"));
        Assert.Equal("oh", ErrorOf("error('oh', 0)"));
        Assert.Equal("demo.lua:2: error object is a table value", ErrorOf("error({})"));
        Assert.Equal("demo.lua:2: error object is a nil value", ErrorOf("error()"));
        Assert.Equal("42", ErrorOf("error(42)"));
        Assert.Equal("demo.lua:3: bad argument #1 to 'append' (List expected, got nil)", ErrorOf("\nlist.append(nil, 1)"));
        Assert.Equal("demo.lua:2: bad argument #1 to 'insert' (table expected, got nil)", ErrorOf("table.insert(nil, 1)"));
        Assert.Equal("demo.lua:2: bad argument #2 to 'update' (Record expected, got no value)", ErrorOf("aerospike.update(rec)"));
    }

    [Fact]
    public void Functions_and_modules_that_are_not_there_are_errors()
    {
        using var host = Of("return 1");
        Assert.Equal("function not found", host.Error("g", new UdfTestRecord()));
        Assert.Equal((ResultCode.UdfExecution, "module 'none' not found"), host.TryIn("none", "f", new UdfTestRecord()));
        Assert.Equal("module 'none' not found", host.TryIn("none", "f", new UdfTestRecord()).Value);
    }
}

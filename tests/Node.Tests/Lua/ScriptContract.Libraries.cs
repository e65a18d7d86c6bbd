using Aerie.DataModel;
using Aerie.TestKit;
using Xunit;
using static Aerie.TestKit.UdfValues;

namespace Aerie.Node.Tests.Lua;

public abstract partial class ScriptContract
{
    [Fact]
    public void Lists_are_indexed_from_one_and_padded_with_nil()
    {
        Assert.Equal(List(3L, null, "x"), Run("local l = list(); l[1] = 3; l[3] = 'x'; return l"));
        Assert.Equal("nil nil 3 nil", Run("local l = list{1, 2, 3}; return string.format('%s %s %s %s', l[0], l[-1], l[3], l[4])"));
        Assert.Equal(3L, Run("local l = list{1, 2}; l[#l + 1] = 3; return #l"));
        Assert.Equal(List(1L), Run("local l = list{1}; l[0] = 5; l[-1] = 6; l[2] = {}; l[2] = rec; list.append(l, print); return l"));
    }

    [Fact]
    public void Lists_have_their_functions()
    {
        Assert.Equal(
            List(0L, 1L, 9L, 2L, 3L),
            Run("local l = list{1, 2}; list.append(l, 3); list.prepend(l, 0); list.insert(l, 3, 9); return l"));
        Assert.Equal(List(1L, null, null, 4L), Run("local l = list{1}; list.insert(l, 4, 4); return l"));
        Assert.Equal(List(1L, 3L), Run("local l = list{1, 2, 3}; list.remove(l, 2); list.remove(l, 9); list.remove(l, 0); return l"));
        Assert.Equal(List(1L), Run("local l = list{1, 2, 3}; list.trim(l, 2); list.trim(l, 7); return l"));
        Assert.Equal(
            List(List(1L, 2L), List(3L), List()),
            Run("return list{list.take(a, 2), list.drop(a, 2), list.drop(a, 5)}", List(1L, 2L, 3L)));
        Assert.Null(Run("return list.take(a, 0)", List(1L)));
        Assert.Equal(List(1L, 2L, 1L, 2L), Run("list.concat(a, a); return a", List(1L, 2L)));
        Assert.Equal(
            List(List(1L, 2L), List(1L), List(1L, 2L, 9L)),
            Run("local c, m = list.clone(a), list.merge(a, list{2}); list.append(m, 9); c[2] = 2; return list{c, a, m}", List(1L)));
        Assert.Equal(List(3L, 5L, 0L), Run("return list{list.size(a), list.nbytes(a), #list.create(5)}", List(1L, 2L, "")));
        Assert.Null(Run("return list.create(-1)"));
        Assert.Equal(
            """[1, "x", NIL, {"k":0A FF}, [], 2.5]""",
            Run("return tostring(a)", List(1L, "x", null, Map(("k", new byte[] { 10, 255 })), List(), 2.5)));
    }

    [Fact]
    public void Lists_are_walked_to_the_first_nil()
    {
        Assert.Equal(6L, Run("local n = 0; for v in list.iterator(a) do n = n + v end; return n", List(1L, 2L, 3L)));
        Assert.Equal(1L, Run("local n = 0; for v in list.iterator(a) do n = n + v end; return n", List(1L, null, 3L)));
        Assert.Equal(List(true, 7L, false), Run("""
            local next, i = list.iterator(list{7})
            return list{iterator.has_next(i), i:next(), i:has_next(), iterator.next(i)}
            """));
        Assert.Equal(2L, Run("local n = 0; for v in list.iterator(a) do n = n + 1; list.remove(a, 1) end; return n", List(1L, 2L, 3L)));
    }

    [Fact]
    public void Maps_have_integer_text_and_blob_keys_and_ignore_others()
    {
        Assert.Equal(Map(("k", 1L), (5L, "five"), ("x", 2L)), Run("local m = map{k = 1}; m[5] = 'five'; m.x = 2; return m"));
        Assert.Equal(
            Map(("k", 1L)),
            Run(
                "local m = map{k = 1}; m[nil] = 1; m[1.5] = 1; m[true] = 1; m[list()] = 1; "
                    + "m.gone = 1; m.gone = nil; m.none = nil; return m"));
        Assert.Null(Run("return map()[nil]"));
        Assert.Equal("1 nil 2", Run("return string.format('%s %s %s', a.one, a[1], a['two'])", Map(("one", 1L), ("two", 2L))));
        Assert.Equal(
            "found",
            Run("local b = bytes(1); b[1] = 7; local m = map(); m[b] = 'found'; b[1] = 8; local c = bytes(1); c[1] = 7; return m[c]"));
        Assert.Equal(Map(("a", 3L)), Run("local m = map{a = 1}; m.a = {}; m.a = 2; m.a = rec; m.a = m.a + 1; return m"));
    }

    [Fact]
    public void Maps_have_their_functions()
    {
        Assert.Equal(
            List(2L, 3L, 1L),
            Run(
                "local m = map{a = 1, b = 2}; local n = map.size(m); m.c = 1; local s = #m; map.remove(m, 'a'); map.remove(m, 'b'); "
                    + "map.remove(m, 0); return list{n, s, #m}"));
        Assert.Equal(
            "1=a;2=b;x=c;y=d;",
            Run(
                "local m = map(); m.y = 'd'; m[2] = 'b'; m.x = 'c'; m[1] = 'a'; local s = ''; "
                    + "for k, v in map.pairs(m) do s = s .. k .. '=' .. v .. ';' end; return s"));
        Assert.Equal(
            "ab12",
            Run(
                "local s = ''; for k in map.keys(a) do s = s .. k end; for v in map.values(a) do s = s .. v end; return s",
                Map(("b", 2L), ("a", 1L))));
        Assert.Equal("ab", Run("local s = ''; for k in map.iterator(a) do s = s .. k end; return s", Map(("b", 2L), ("a", 1L))));
        Assert.Equal(
            Map(("a", 11L), ("b", 2L), ("c", 3L)),
            Run("return map.merge(a, b, math.sum)", Map(("a", 1L), ("b", 2L)), Map(("a", 10L), ("c", 3L))));
        Assert.Equal(Map(("a", 10L), ("b", 2L)), Run("return map.merge(a, b)", Map(("a", 1L), ("b", 2L)), Map(("a", 10L))));
        Assert.Equal(Map(("b", 2L), ("c", 3L)), Run("return map.diff(a, b)", Map(("a", 1L), ("b", 2L)), Map(("a", 10L), ("c", 3L))));
        Assert.Equal(List(Map(("a", 1L)), Map(("a", 2L))), Run("local c = map.clone(a); c.a = 2; return list{a, c}", Map(("a", 1L))));
        Assert.Equal(7L, Run("return map.nbytes(a)", Map(("a", 1L), (2L, 3L))));
        Assert.Equal("""{1:"x", "k":NIL}""", Run("return tostring(a)", Map(("k", null), (1L, "x"))));
        Assert.Null(Run("return map.create(0)"));
    }

    [Theory, InlineData(5), InlineData(20), InlineData(1000)]
    public void Large_maps_find_what_they_hold(int count)
    {
        var map = Enumerable.Range(0, count).OrderBy(i => i * 7919 % count)
            .ToDictionary(i => (object)(i % 2 == 0 ? (long)i : $"k{i}"), object? (i) => (long)i);
        Assert.Equal((long)count * (count - 1) / 2, Run("""
            local n = 0
            for i = 0, b - 1 do
              local k = i % 2 == 0 and i or 'k' .. i
              n = n + a[k]
              a[k] = nil
            end
            if #a ~= 0 then error(#a) end
            for i = b - 1, 0, -1 do a[i] = i end
            for i = 0, b - 1 do if a[i] ~= i then error(i) end end
            return n
            """, map, count));
    }

    [Fact]
    public void Bytes_grow_as_they_are_set()
    {
        Assert.Equal(
            List(0L, 3L, 7L, 0L),
            Run("local b = bytes(3); local s = bytes.size(b); b[3] = 7; return list{s, #b, b[3], b[1], b[4]}"));
        Assert.Equal(
            new byte[] { 1, 0, 0, 0, 5 },
            Run("local b = bytes(2); b[1] = 1; b[5] = 5; b[6] = 256; b[6] = -1; b[0] = 1; return b"));
        Assert.Equal(new byte[] { 9, 2, 3 }, Run("a[1] = 9; return a", new byte[] { 1, 2, 3 }));
        Assert.Equal(List(2L, 3L), Run("return list{bytes.get_bytes(a, 2, 2)[1], #bytes.get_bytes(a, 2, 99)}", new byte[] { 1, 2, 3, 4 }));
        Assert.Equal("bcd", Run("local b = bytes(); bytes.append_string(b, 'abcd'); return bytes.get_string(b, 2, 3)"));
        Assert.Equal(
            "aXbXbXbX",
            Run(
                "local b = bytes(); bytes.set_string(b, 1, 'aXbX'); bytes.append_bytes(b, b, 99); bytes.set_bytes(b, 5, b, 2); "
                    + "bytes.set_string(b, 5, 'bX'); return bytes.get_string(b, 1, 8)"));
        Assert.Equal("01 02", Run("return tostring(a)", new byte[] { 1, 2 }));
        Assert.Equal(
            "0102ff",
            Run("local s = ''; for i = 1, #a do s = s .. string.format('%02x', a[i]) end; return s", new byte[] { 1, 2, 255 }));
        Assert.Equal(
            List(true, false, 4L),
            Run("local b = bytes(4); return list{bytes.set_size(b, 4), bytes.set_size(b, 5), bytes.get_type(b)}"));
        Assert.Equal("demo.lua:2: bad argument #1 to 'size' (Bytes expected, got string)", ErrorOf("local n = bytes.size('x')"));
    }

    [Theory]
    [InlineData("int16", 2, -2L, new byte[] { 0xFF, 0xFE }), InlineData("int16_be", 2, 258L, new byte[] { 1, 2 })]
    [InlineData("int16_le", 2, 258L, new byte[] { 2, 1 }), InlineData("int32", 4, 16909060L, new byte[] { 1, 2, 3, 4 })]
    [InlineData("int32_le", 4, 16909060L, new byte[] { 4, 3, 2, 1 })]
    [InlineData("int64", 8, -1L, new byte[] { 255, 255, 255, 255, 255, 255, 255, 255 })]
    [InlineData("int64_le", 8, 1L, new byte[] { 1, 0, 0, 0, 0, 0, 0, 0 })]
    public void Bytes_hold_integers(string kind, int width, long value, byte[] expected)
    {
        Assert.Equal(expected, Run($"local b = bytes(); assert(bytes.append_{kind}(b, a)); return b", value));
        Assert.Equal(expected, Run($"local b = bytes({width}); assert(bytes.set_{kind}(b, 1, a)); return b", value));
        Assert.Equal(expected, Run($"local b = bytes({width}); assert(bytes.put_{kind}(b, 1, a)); return b", value));
        Assert.Equal(value, Run($"return bytes.get_{kind}(a, 1)", expected));
        Assert.Null(Run($"return bytes.get_{kind}(a, 2)", expected));
        if (width < 8)
        {
            Assert.Equal(false, Run($"return bytes.append_{kind}(bytes(), 1 << {(8 * width) - 1})"));
        }
    }

    [Fact]
    public void Bytes_hold_integers_of_variable_length() =>
        Assert.Equal(
            List(2L, 300L, 2L, 1L),
            Run(
                "local b = bytes(); local n = bytes.append_var_int(b, 300); local v, s = bytes.get_var_int(b, 1); "
                    + "return list{n, v, s, bytes.set_var_int(b, 1, 5)}"));

    [Fact]
    public void A_blob_of_a_language_keeps_its_type()
    {
        using var host = Of("rec.b = rec.a; aerospike:update(rec); return bytes.get_type(rec.b)");
        var record = new UdfTestRecord().With("a", ParticleType.JavaBlob, [1, 2]);
        Assert.Equal(7L, host.Call("f", record));
    }

    [Fact]
    public void GeoJson_is_a_type_of_its_own() =>
        Assert.Equal(
            new Geo("{}"),
            Run("assert(tostring(geojson('{}')) == '\"{}\"'); assert(getmetatable(a) == GeoJSON); return geojson('{}')", new Geo("x")));

    [Fact]
    public void The_classes_of_values_can_be_told()
    {
        Assert.Equal(
            true,
            Run(
                "return getmetatable(map()) == Map and getmetatable(list()) == List and getmetatable(bytes()) == Bytes and "
                    + "type(map()) == 'userdata' and Map ~= List"));
        Assert.Equal(true, Run("return a[1] == a[1] and a[1] ~= a[2]", List(List(), List())));
    }

    [Theory]
    [InlineData("return string.find('hello world', 'o w')", 5L), InlineData("return (string.find('a.b', '.', 1, true))", 2L)]
    [InlineData("return string.find('abc', 'd') == nil", true), InlineData("return string.find('', '')", 1L)]
    [InlineData("return string.find('abc', 'b', -1) == nil", true), InlineData("return string.find('abc', '', 10) == nil", true)]
    [InlineData("return string.match('key = value', '(%w+)%s*=%s*(%w+)')", "key"), InlineData("return ('x=1'):match('=(%d)')", "1")]
    [InlineData("return string.match('2024-05', '^(%d%d%d%d)')", "2024"), InlineData("return select(2, string.match('ab', '()b()'))", 3L)]
    [InlineData("return string.match('THE (quick) fox', '%((%a+)%)')", "quick")]
    [InlineData("return string.match('f(a(b)c)d', '%b()')", "(a(b)c)")]
    [InlineData("return string.match('THE (quick) fox', '%f[%a]%a+', 5)", "quick")]
    [InlineData("return string.match('abab', '(ab)%1')", "ab")]
    [InlineData("return string.match('[[x]]', '[]]+')", "]]"), InlineData("return string.match('a-z', '[a%-]+')", "a-")]
    [InlineData("return string.match('héllo', '[^%s]+')", "héllo"), InlineData("return string.match('aaa', 'a-$')", "aaa")]
    [InlineData("return string.gsub('hello', 'l', 'L')", "heLLo"), InlineData("return select(2, string.gsub('hello', 'l', 'L', 1))", 1L)]
    [InlineData("return string.gsub('hello world', '(%w+)', '<%1>')", "<hello> <world>")]
    [InlineData("return string.gsub('abc', '', '-')", "-a-b-c-")]
    [InlineData("return string.gsub('abc', '%w', '%0%0')", "aabbcc"), InlineData("return string.gsub('abc', '^a', 'x')", "xbc")]
    [InlineData("return string.gsub('$name is $x', '%$(%w+)', {name = 'Lua'})", "Lua is $x")]
    [InlineData("return string.gsub('abc', '%w', function(c) if c == 'b' then return 'B' end end)", "aBc")]
    [InlineData("return (string.gsub('abc', '^%w', string.upper))", "Abc"), InlineData("return (string.gsub('a b', '%s', '%%'))", "a%b")]
    [InlineData("local n = 0; for w in string.gmatch('one two three', '%a+') do n = n + #w end; return n", 11L)]
    [InlineData("local s = ''; for k, v in string.gmatch('a=1, b=2', '(%w+)=(%w+)') do s = s .. v .. k end; return s", "1a2b")]
    [InlineData("local n = 0; for p in string.gmatch('abc', '()') do n = n + p end; return n", 10L)]
    [InlineData("return string.rep('ab', 3, '-')", "ab-ab-ab"), InlineData("return #string.rep('', 1 << 60)", 0L)]
    [InlineData("return table.concat({1, 2, 3}, ',')", "1,2,3"), InlineData("return #utf8.char(228, 8364)", 5L)]
    [InlineData("return string.find(string.rep('a', 300000) .. 'b', 'b')", 300001L)]
    [InlineData("return #string.match(string.rep('a', 300000), 'a-$')", 300000L)]
    [InlineData("return string.find(string.rep('a', 200000), string.rep('a', 3000) .. 'b', 1, true) == nil", true)]
    public void Strings_are_searched_as_in_lua(string body, object expected) => Assert.Equal(expected, Run(body));

    [Theory]
    [InlineData("local _ = string.find('a', '[a')", "malformed pattern (missing ']')")]
    [InlineData("local _ = string.find('a', '%')", "malformed pattern (ends with '%')")]
    [InlineData("local _ = string.match('a', '(a')", "unfinished capture")]
    [InlineData("local _ = string.match('a', 'a)')", "invalid pattern capture")]
    [InlineData("local _ = string.gsub('a', 'a', '%2')", "invalid capture index %2 in replacement string")]
    [InlineData("local _ = string.gsub('a', 'a', '%x')", "invalid use of '%' in replacement string")]
    [InlineData("local _ = string.gsub('a', 'a', function() return {} end)", "invalid replacement value (a table)")]
    [InlineData("local _ = string.find(nil, 'a')", "bad argument #1 to 'find' (string expected, got nil)")]
    [InlineData("local _ = string.match('a', string.rep('(', 40))", "too many captures")]
    [InlineData("local _ = string.match('a', '%b')", "malformed pattern (missing arguments to '%b')")]
    [InlineData("local _ = string.find(string.rep('a', 400), string.rep('.-', 6) .. 'b')", "pattern takes too many steps")]
    public void Bad_patterns_are_errors(string body, string expected) => Assert.Equal($"demo.lua:2: {expected}", ErrorOf(body));

    [Theory]
    [InlineData("local t = {3, 1, 2}; table.sort(t); return table.concat(t)", "123")]
    [InlineData("local t = {}; table.sort(t); return #t", 0L)]
    [InlineData("local t = {'b', 'a', 'c'}; table.sort(t, function(x, y) return x > y end); return table.concat(t)", "cba")]
    [InlineData(
        "local t = {}; for i = 1, 1000 do t[i] = i * 7919 % 1000 end; table.sort(t); "
            + "for i = 1, 1000 do if t[i] ~= i - 1 then return i end end; return 0",
        0L)]
    [InlineData("local t = {1, 3}; table.insert(t, 2, 2); table.insert(t, 4); return table.concat(t)", "1234")]
    [InlineData("local t = setmetatable({1, 3}, {}); table.insert(t, 2, 2); table.insert(t, 4); return table.concat(t)", "1234")]
    [InlineData("local t = {1, 2, 3}; return table.remove(t, 1) .. table.remove(t) .. #t", "131")]
    [InlineData("return table.concat(table.move({1, 2, 3}, 1, 3, 2))", "1123")]
    [InlineData("local t = setmetatable({1, 2, 3}, {}); return table.remove(t, 1) .. table.remove(t) .. #t", "131")]
    [InlineData("return table.concat(table.move({1, 2, 3}, 2, 3, 1))", "233")]
    [InlineData("return select('#', table.unpack({1, nil, 3}, 1, 3))", 3L)]
    public void Tables_have_their_functions(string body, object expected) => Assert.Equal(expected, Run(body));

    [Theory]
    [InlineData(
        "local co = coroutine.create(function(x) local y = coroutine.yield(x + 1); return y * 2 end); "
            + "local _, v = coroutine.resume(co, 1); local _, w = coroutine.resume(co, 10); return v .. w .. coroutine.status(co)",
        "220dead")]
    [InlineData(
        "local s = ''; for v in coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i) end end) do s = s .. v end; return s",
        "123")]
    [InlineData("return select(2, pcall(coroutine.yield, 1))", "attempt to yield from outside a coroutine")]
    [InlineData("return coroutine.isyieldable()", false)]
    [InlineData("return select(2, coroutine.running())", true), InlineData("return coroutine.close == nil", true)]
    [InlineData("return select(2, pcall(coroutine.wrap(function() error('oh', 0) end)))", "oh")]
    [InlineData("return coroutine.wrap(function() return coroutine.isyieldable() end)()", true)]
    [InlineData("return select(2, xpcall(function() error('a', 0) end, function(m) return m .. 'b' end))", "ab")]
    [InlineData("return select(2, xpcall(function(x) return x end, print, 5))", 5L)]
    [InlineData("return select(2, xpcall(error, function(m) error('again', 0) end))", "again")]
    [InlineData("return select(2, pcall(error, 'x', 0))", "x"), InlineData("goto done; do return 1 end ::done:: return 2", 2L)]
    public void Coroutines_and_protected_calls_work(string body, object expected) => Assert.Equal(expected, Run(body));

    [Fact]
    public void What_is_dangerous_is_not_there()
    {
        string[] gone =
        [
            "io", "package", "load", "loadstring", "loadfile", "dofile", "collectgarbage", "string.dump", "os.execute", "os.getenv",
            "os.exit", "os.remove", "os.tmpname", "os.setlocale", "coroutine.close",
        ];
        Assert.All(gone, name => Assert.Null(Run($"return {name} and 1")));
        Assert.Equal("function", Run("return type(debug)"));
        Assert.Equal("demo.lua:2: __gc is not allowed", ErrorOf("setmetatable({}, {__gc = print})"));
        Assert.Equal("string", Run("return getmetatable('')"));
    }

    [Fact]
    public void Time_is_the_nodes()
    {
        Assert.Equal(
            true,
            Run("return os.time() > 1700000000 and aerospike:get_current_time() // 1000 - os.time() <= 1 and os.clock() >= 0"));
        Assert.Equal("1970-01-01", Run("return os.date('!%Y-%m-%d', 0)"));
        Assert.Equal(86400L, Run("return os.time{year=2020,month=1,day=2} - os.time{year=2020,month=1,day=1}"));
        Assert.Equal(5.0, Run("return os.difftime(15, 10)"));
    }

    [Fact]
    public void Modules_require_each_other()
    {
        using var host = Script("""
            local lib = require('lib'); function f() return lib.twice(21) .. lib.name end
            function g() return require('lib') == lib end
            """);
        host.Register("lib", "local t = {name = ...}; function t.twice(n) return 2 * n end; return t");
        Assert.Equal("42lib", host.Call("f", new UdfTestRecord()));
        Assert.Equal(true, host.Call("g", new UdfTestRecord()));
        host.Register("lib", "return {twice = function(n) return n end, name = '!'}");
        Assert.Equal("21!", host.Call("f", new UdfTestRecord()));
        host.Engine.Remove("lib");
        Assert.Equal("demo.lua:1: module 'lib' not found", host.Error("f", new UdfTestRecord()));
        host.Register("lib", "local demo = require('demo')");
        Assert.Equal("lib.lua:1: module 'demo' requires itself", host.Error("f", new UdfTestRecord()));
    }

    [Fact]
    public void Globals_of_a_module_live_on()
    {
        using var host = Script("n = 0; function f() n = n + 1; return n end");
        Assert.Equal(1L, host.Call("f", new UdfTestRecord()));
        Assert.Equal(2L, host.Call("f", new UdfTestRecord()));
        host.Engine.ClearCache();
        Assert.Equal(1L, host.Call("f", new UdfTestRecord()));
    }
}

using System.Text;

namespace Aerie.Soak.Udfs;

/// A function and what its call must come to: with `Error`, code 100 and this text behind the place of its line. `Caught`: errors
/// that it raises and catches itself. `Weight`: how often it is called, of all weights together.
internal sealed record UdfScript(string Name, string Body, string? Error, int Weight, int Caught = 0, uint TimeoutMs = 60_000)
{
    /// The text stands alone: it was raised without a place, or has none.
    public bool HasNoPlace { get; init; }
}

/// The functions of the run, each on one line of the module: most end in an error, each in a way of its own.
internal static class UdfScripts
{
    public const string Module = "torture";

    /// So long may a function of the endless ones run.
    private const uint EndlessMs = 10;

    private const int Often = 1_000;
    private const int Dear = 20;
    private const int Endless = 2;

    public static IReadOnlyList<UdfScript> All { get; } =
    [
        new("text", "error('no')", "no", Often),
        new("table", "error({1, 2})", "error object is a table value", Often),
        new("nothing", "error()", "error object is a nil value", Often),
        new("record", "error(rec)", "error object is a userdata value", Often),
        new("closure", "error(function() end)", "error object is a function value", Often),
        new("thread", "error(coroutine.create(print))", "error object is a thread value", Often),
        new("shown", "error(setmetatable({}, {__tostring = function() error('x') end}))", "error object is a table value", Often),
        new("nested", "local function g(n) if n > 0 then local _, e = pcall(g, n - 1); error(e .. n, 0) end error('deep', 0) end g(9)",
            "deep123456789", Often, 9) { HasNoPlace = true },
        new("passed", "local _, e = pcall(error, {'kept'}); local _, f = pcall(error, e); error(f[1])", "kept", Often, 2),
        new("natives", "pcall(list.append, nil, 1); pcall(map.keys, 5); pcall(bytes.size, 'x'); pcall(string.find, 'x', '['); map.keys(5)",
            "bad argument #1 to 'keys' (Map expected, got number)", Often, 4),
        new("woven", "for i = 1, 3 do pcall(coroutine.wrap(function() error(i) end)) end coroutine.wrap(function() error('out', 0) end)()",
            "out", Often, 3) { HasNoPlace = true },
        new("refused", "pcall(string.rep, 'x', 1 << 40); rec.x = {}", "", Often, 1),
        new("nil_call", "local x; x.y.z()", "attempt to index a nil value (local 'x')", Often),
        new("chain", "local t = setmetatable({}, {}); getmetatable(t).__index = t; return t.x", "'__index' chain too long; possible loop",
            Often),
        new("closing", "local x <close> = setmetatable({}, {__close = function() error('closing') end}) error('first')", "first", Often),
        new("result", "return print", "unsupported return type: function", Often) { HasNoPlace = true },
        new("finalizer", "setmetatable({}, {__gc = print})", "__gc is not allowed", Often),
        new("library", "List.__index = nil; getmetatable(list()).__len = nil; local l = list{1, 2}; error(#l .. l[2])", "22", Often),
        new("outside", "coroutine.yield(1)", "attempt to yield from outside a coroutine", Often),
        new("deep", "local t = setmetatable({}, {}); getmetatable(t).__index = function(t, k) return t[k + 1] end return t[1]", "", Dear),
        new("rings", "local l = list(); l[1] = l; return l", "lists and maps are nested too deeply", Dear) { HasNoPlace = true },
        new("bins", "for i = 1, 2000 do rec['b' .. i] = i end", "", Dear),
        new("pattern", "local x = string.match(string.rep('a', 300), string.rep('a?', 300) .. string.rep('a', 300)); return x",
            "pattern too complex", 5),
        new("memory", "local t = {}; for i = 1, math.huge do t[i] = {i} end", "not enough memory", Endless),
        new("text_bomb", "local s = 'x'; while true do s = s .. s end", "not enough memory", Endless) { HasNoPlace = true },
        new("endless", "while true do end", "UDF Execution Timeout", Endless, 0, EndlessMs),
        new("endless_pcall", "while true do pcall(function() while true do end end) end", "UDF Execution Timeout", Endless, 0, EndlessMs),
        new("endless_woven", "coroutine.wrap(function() while true do end end)()", "UDF Execution Timeout", Endless, 0, EndlessMs),
        new("endless_find", "while true do string.find(string.rep('a', 20000), '.-b') end", "UDF Execution Timeout", Endless, 0, EndlessMs),
    ];

    /// What makes a record: adds to its bin n and answers the sum; the same, slowly; the same with an error behind it.
    public const string Add = "add";
    public const string AddSlowly = "add_slowly";
    public const string AddAndFail = "add_and_fail";

    private const string Others = """
        local function keep(rec) if aerospike:exists(rec) then aerospike:update(rec) else aerospike:create(rec) end end
        function add(rec, by) rec.n = (rec.n or 0) + by; keep(rec); return rec.n end
        function add_slowly(rec, by) local x = 0; for i = 1, 200000 do x = x + i end return add(rec, by) end
        function add_and_fail(rec, by) add(rec, by); error('late') end
        """;

    public static string Text { get; } = MakeText();

    /// `file:line: ` of what the function on this place of the table raises.
    public static string PlaceOf(int number) => $"{Module}.lua:{number + 1}: ";

    public static string PlaceOfAddAndFail => $"{Module}.lua:{All.Count + 4}: ";

    /// The text of a version of the module that is replaced all the time; where its error stands tells the version, too.
    public static string Version(int version) =>
        new string('\n', version % 40) + $"function version(rec) return {version} end function fail(rec) error('version {version}') end";

    public static string VersionError(int version) => $"{VersionModule}.lua:{1 + (version % 40)}: version {version}";

    public const string VersionModule = "versions";

    /// So many more that are registered before the node starts: `many0` answers 0, and so on.
    public const int ManyModules = 10_000;

    public static string ManyModule(int number) => $"many{number}";

    /// This one comes and goes.
    public const string GoneModule = "gone";

    private static string MakeText()
    {
        var text = new StringBuilder();
        foreach (var script in All)
        {
            text.Append($"function {script.Name}(rec) {script.Body} end\n");
        }

        return text.Append(Others).Append('\n').ToString();
    }
}

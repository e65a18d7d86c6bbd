using System.Diagnostics;
using System.Reflection;
using System.Text;
using Aerie.Io;
using Aerie.Lua;
using Aerie.TestKit;

namespace Aerie.Benchmarks;

/// What a function costs without the node around it: nanoseconds and managed bytes of a call, on one thread.
public static class UdfBenchmark
{
    private const int Outputs = 1_000;
    private static readonly TimeSpan RoundsTime = TimeSpan.FromMilliseconds(400);

    private const string Script = """
        function empty(rec) end
        function incr(rec, by) rec.a = rec.a + rec.b * by; return rec.a end
        function incr_update(rec, by) rec.a = rec.a + rec.b * by; aerospike:update(rec) return rec.a end
        function compute(rec, by) local n = rec.a + rec.b * by; rec.c = n; aerospike:update(rec); return n end
        function text(rec, s) rec.t = rec.t and 'x' .. s or s; return 1 end
        function sum(rec) local n, l = 0, rec.l; for i = 1, #l do n = n + l[i] end; return n end
        function loop(rec, n) local s = 0; for i = 1, n do s = s + i end; return s end
        function compare(rec, a, b) for i = 1, #a do if a[i] ~= b[i] then return false end end; return true end
        function build(rec, n) local b = bytes(n); for i = 1, n do b[i] = 7 end; return #b end
        function fail(rec) error('oh') end
        function find(rec, s) return (string.find(s, '(%w+)@(%w+)')) end
        function answer(rec) local m = map(); m.status = 'OK'; m.code = 1; m.more = 'x'; return m end
        """;

    /// Rows whose name contains `only`; one way of raising errors, or both.
    public static void Run(TextWriter output, string only, string way)
    {
        foreach (var errors in Enum.GetValues<LuaErrors>())
        {
            if (!errors.ToString().Contains(way, StringComparison.Ordinal))
            {
                continue;
            }

            var options = new UdfOptions { Clock = new SystemClock(), Errors = errors, Interrupts = LuaInterrupts.Signalled };
            using var engine = new LuaEngine(options);
            Run(TextWriter.Null, engine, only); // until all is compiled
            output.WriteLine($"{errors,-34}{"ns/call",10}{"GC B/call",12}");
            Run(output, engine, only);
        }
    }

    private static void Run(TextWriter output, LuaEngine engine, string only)
    {
        engine.Register("bench", Encoding.UTF8.GetBytes(Script));
        engine.Register("utxo", Resource("utxo.lua"));
        using var worker = engine.OpenWorker();
        var record = new UdfTestRecord().With("a", 1).With("b", 2).With("c", 3).With("d", "four").With("t", "text")
            .With("l", UdfValues.List(1, 2, 3, 4, 5, 6, 7, 8, 9, 10));
        var hash = Hash(0);
        void Row(UdfTestRecord record, string module, string function, object?[] arguments, string? name = null)
        {
            if ((name ?? function).Contains(only, StringComparison.Ordinal))
            {
                Measure(output, worker, record, module, function, arguments, name ?? function);
            }
        }

        Row(record, "bench", "empty", []);
        Row(record, "bench", "incr", [3]);
        Row(record, "bench", "incr_update", [3]);
        Row(record, "bench", "compute", [3]);
        Row(record, "bench", "text", ["value"]);
        Row(record, "bench", "sum", []);
        Row(record, "bench", "loop", [1000]);
        Row(record, "bench", "compare", [hash, Hash(0)]);
        Row(record, "bench", "build", [68]);
        Row(record, "bench", "answer", []);
        Row(record, "bench", "find", ["some words and name@example in it"]);
        Row(record, "bench", "fail", []);
        Measure(output, "new state", () =>
        {
            engine.ClearCache();
            var call = new UdfCall { Module = "bench"u8, Function = "empty"u8, DeadlineNanoseconds = long.MaxValue };
            worker.Start(call, record).Release();
        }, 20);
        foreach (var outputs in (int[])[2, 128, Outputs])
        {
            var spends = UdfValues.List(Spend(outputs / 2));
            Row(Transaction(outputs), "utxo", "spendMulti", [spends, false, false, 100, 0], $"spendMulti, 1 of {outputs}");
        }

        var many = Enumerable.Range(0, 16).Select(object? (i) => Spend(i)).ToList();
        Row(Transaction(128), "utxo", "spendMulti", [many, false, false, 100, 0], "spendMulti, 16 of 128");
    }

    private static void Measure(
        TextWriter output, IUdfWorker worker, UdfTestRecord record, string module, string function, object?[] arguments, string name)
    {
        var packed = UdfValues.Packed(arguments.ToList());
        var moduleBytes = Encoding.UTF8.GetBytes(module);
        var functionBytes = Encoding.UTF8.GetBytes(function);
        var deadline = Stopwatch.GetTimestamp() + 3_600_000_000_000;
        var isReset = record["utxos"] is not null;
        byte[] original = isReset ? [.. record.BytesOf("utxos")] : [];
        void Once()
        {
            if (isReset)
            {
                record.With("utxos"u8, DataModel.ParticleType.List, original);
            }

            var call = new UdfCall { Module = moduleBytes, Function = functionBytes, Arguments = packed, DeadlineNanoseconds = deadline };
            worker.Start(call, record).Release();
        }

        Measure(output, name, Once, 200);
    }

    /// The best of many short rounds: the machine has other work too.
    private static void Measure(TextWriter output, string name, Action once, int times)
    {
        var best = double.MaxValue;
        var allocated = 0L;
        var start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start) < RoundsTime)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            var watch = Stopwatch.GetTimestamp();
            for (var i = 0; i < times; i++)
            {
                once();
            }

            best = Math.Min(best, Stopwatch.GetElapsedTime(watch).TotalNanoseconds / times);
            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        }

        output.WriteLine($"{name,-34}{best,10:F0}{(double)allocated / times,12:F1}");
    }

    private static UdfTestRecord Transaction(int outputs) =>
        new UdfTestRecord().With("utxos", Enumerable.Range(0, outputs).Select(object? (i) => Hash(i)).ToList())
            .With("spentUtxos", 0).With("recordUtxos", outputs);

    private static Dictionary<object, object?> Spend(int offset) => UdfValues.Map(
        ("idx", offset), ("offset", offset), ("vOut", offset), ("utxoHash", Hash(offset)), ("spendingData", new byte[36]));

    private static byte[] Hash(int number)
    {
        var hash = new byte[32];
        BitConverter.TryWriteBytes(hash, number * 0x9E3779B9L);
        return hash;
    }

    private static byte[] Resource(string name)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(name)!;
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }
}

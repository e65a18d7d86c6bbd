using System.Diagnostics;
using System.Text;
using Aerie.DataModel;
using Aerie.DataModel.Bins;
using Aerie.DataModel.Cdt;
using Aerie.DataModel.Packed;
using Aerie.Foundation;

namespace Aerie.Benchmarks;

/// What operations on a map of 1 000 entries and a list of 1 000 hashes cost, on one thread. The baseline is the copy of the bin that a
/// plain get of it pays.
public static class CdtBenchmark
{
    private const int Elements = 1_000;
    private const int Calls = 1_000;
    private const int RecordMax = 8 * 1024 * 1024;

    public static void Run(TextWriter output)
    {
        foreach (var order in (int[])[1, 0])
        {
            var name = order == 1 ? "K-ordered map" : "unordered map";
            var map = Make(ParticleType.Map, writer => PutItems(writer, order));
            Copy(output, name, map);
            Measure(output, $"{name}: get by key", map, false, (writer, i) => Write(writer, 97, 7, Key(i)));
            Measure(output, $"{name}: get by index", map, false, (writer, i) => Write(writer, 98, 7, i % Elements));
            Measure(output, $"{name}: put over a key", map, true, (writer, i) => Write(writer, 67, Key(i), 5, 0));
            Measure(output, $"{name}: put a new key", map, true, (writer, i) => Write(writer, 67, Key(i) + "x", 5, 0));
            Measure(output, $"{name}: increment", map, true, (writer, i) => Write(writer, 73, Key(i), 5, 0));
        }

        foreach (var order in (int[])[1, 0])
        {
            var name = order == 1 ? "ordered list" : "unordered list";
            var list = Make(ParticleType.List, writer => AppendItems(writer, order));
            Copy(output, name, list);
            Measure(output, $"{name}: get", list, false, (writer, i) => Write(writer, 17, i * 37 % Elements));
            Measure(output, $"{name}: append", list, true, (writer, i) => Write(writer, 1, Hash(i)));
        }
    }

    private static string Key(int i) => $"key{i * 37 % Elements:00000}";

    private static byte[] Hash(int i) => System.Security.Cryptography.SHA256.HashData(BitConverter.GetBytes(i));

    private static void PutItems(PackedWriter writer, int order)
    {
        writer.List(3);
        writer.Integer(68);
        writer.Map(Elements);
        for (var i = 0; i < Elements; i++)
        {
            Write(writer, Key(i));
            writer.Integer(i * 1_000);
        }

        writer.Integer(order);
    }

    private static void AppendItems(PackedWriter writer, int order)
    {
        writer.List(4);
        writer.Integer(2);
        writer.List(Elements);
        for (var i = 0; i < Elements; i++)
        {
            Write(writer, Hash(i));
        }

        writer.Integer(order);
        writer.Integer(0);
    }

    private static void Write(PackedWriter writer, int code, params object[] arguments)
    {
        writer.List(1 + arguments.Length);
        writer.Integer(code);
        foreach (var argument in arguments)
        {
            Write(writer, argument);
        }
    }

    private static void Write(PackedWriter writer, object value)
    {
        switch (value)
        {
            case int integer:
                writer.Integer(integer);
                break;
            case string text:
                writer.Payload((byte)ParticleType.String, Encoding.UTF8.GetBytes(text));
                break;
            default:
                writer.Payload((byte)ParticleType.Bytes, (byte[])value);
                break;
        }
    }

    private static byte[] Pack(Action<PackedWriter> write)
    {
        var bytes = new GrowingBytes(RecordMax);
        write(new PackedWriter(bytes));
        return bytes.Read(0, bytes.Length).ToArray();
    }

    private static (ParticleType Type, byte[] Bytes) Make(ParticleType type, Action<PackedWriter> call)
    {
        var outcome = new OpOutcome(new GrowingBytes(RecordMax), new GrowingBytes(RecordMax));
        outcome.Begin();
        Invariant.Holds(CdtCommand.Run(default, modifies: true, Pack(call), new CdtScratch(), outcome) == ResultCode.Ok);
        return (type, outcome.NewValue.Bytes.ToArray());
    }

    private static void Measure(
        TextWriter output, string name, (ParticleType Type, byte[] Bytes) bin, bool modifies, Action<PackedWriter, int> call)
    {
        var calls = Enumerable.Range(0, Calls).Select(i => Pack(writer => call(writer, i))).ToArray();
        var scratch = new CdtScratch();
        var outcome = new OpOutcome(new GrowingBytes(RecordMax), new GrowingBytes(RecordMax));
        Best(output, name, bin.Bytes.Length, i =>
        {
            outcome.Value.Clear();
            outcome.Reply.Clear();
            outcome.Begin();
            var result = CdtCommand.Run(new BinValue(bin.Type, bin.Bytes), modifies, calls[i % Calls], scratch, outcome);
            Invariant.Holds(result == ResultCode.Ok);
        });
    }

    private static void Copy(TextWriter output, string name, (ParticleType Type, byte[] Bytes) bin)
    {
        var reply = new GrowingBytes(RecordMax);
        Best(output, $"{name}: plain get", bin.Bytes.Length, _ =>
        {
            reply.Clear();
            CdtWire.Append(reply, bin.Bytes);
        });
    }

    /// The best of some rounds: the machine has other work too.
    private static void Best(TextWriter output, string name, int length, Action<int> once)
    {
        const int times = 20_000;
        var best = double.MaxValue;
        for (var round = 0; round < 10; round++)
        {
            var watch = Stopwatch.StartNew();
            for (var i = 0; i < times; i++)
            {
                once(i);
            }

            best = Math.Min(best, watch.Elapsed.TotalNanoseconds / times);
        }

        output.WriteLine($"{name,-36}{length,10} B{best,12:F0} ns");
    }
}

using System.Buffers.Binary;
using System.Diagnostics;
using Aerie.DataModel;
using Aerie.DataModel.Bins;
using Aerie.DataModel.Expressions;
using Aerie.DataModel.Packed;
using Aerie.Foundation;

namespace Aerie.Benchmarks;

/// What expressions cost on one thread, on a record of five bins that are found by walking them.
public static class ExpressionBenchmark
{
    private const int Bins = 5;

    public static void Run(TextWriter output)
    {
        output.WriteLine($"{"expression",-40}{"compile ns",12}{"again ns",12}{"evaluate ns",12}{"bytes",8}");
        Measure(output, "one comparison of integers", writer => Comparison(writer, 0));
        Measure(output, "five comparisons of integers", writer => All(writer, Bins, Comparison));
        Measure(output, "five comparisons of sums", writer => All(writer, Bins, SumComparison));
        Measure(output, "pattern ^b.*[0-9]+$ on 20 bytes", Pattern);
    }

    private static void Measure(TextWriter output, string name, Action<PackedWriter> write)
    {
        var bytes = new GrowingBytes(1 << 20);
        write(new PackedWriter(bytes));
        var packed = bytes.Read(0, bytes.Length).ToArray();
        var program = new ExpProgram();
        var scratch = new ExpScratch();
        var image = Image();
        var other = packed[..^1].Concat([(byte)(packed[^1] ^ 1)]).ToArray(); // in turns, or it would be compiled once
        var turn = false;
        var compile = Best(() => Invariant.Holds(ExpCompiler.CompileFilter((turn = !turn) ? packed : other, program) == ResultCode.Ok));
        var again = Best(() => Invariant.Holds(ExpCompiler.CompileFilter(packed, program) == ResultCode.Ok));
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        var evaluate = Best(() =>
            Invariant.Holds(ExpEvaluation.EvaluateFilter(program, scratch, new FiveBins(image)) == Trilean.True));
        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        output.WriteLine($"{name,-40}{compile,12:F0}{again,12:F0}{evaluate,12:F0}{allocated / 1_000_000,8}");
    }

    private static double Best(Action once)
    {
        const int times = 100_000;
        var best = double.MaxValue;
        for (var round = 0; round < 20; round++)
        {
            var watch = Stopwatch.StartNew();
            for (var i = 0; i < times; i++)
            {
                once();
            }

            best = Math.Min(best, watch.Elapsed.TotalNanoseconds / times);
        }

        return best;
    }

    private static void All(PackedWriter writer, int count, Action<PackedWriter, int> each)
    {
        writer.List(count + 1);
        writer.Integer((long)ExpCode.And);
        for (var i = 0; i < count; i++)
        {
            each(writer, i);
        }
    }

    private static void Comparison(PackedWriter writer, int bin)
    {
        writer.List(3);
        writer.Integer((long)ExpCode.GreaterOrEqual);
        Bin(writer, ExpType.Integer, bin);
        writer.Integer(bin);
    }

    private static void SumComparison(PackedWriter writer, int bin)
    {
        writer.List(3);
        writer.Integer((long)ExpCode.Greater);
        writer.List(3);
        writer.Integer((long)ExpCode.Add);
        Bin(writer, ExpType.Integer, bin);
        writer.Integer(1);
        writer.Integer(bin);
    }

    private static void Pattern(PackedWriter writer)
    {
        writer.List(4);
        writer.Integer((long)ExpCode.Regex);
        writer.Integer(1);
        writer.Raw("^b.*[0-9]+$"u8);
        Bin(writer, ExpType.String, Bins);
    }

    private static void Bin(PackedWriter writer, ExpType type, int bin)
    {
        writer.List(3);
        writer.Integer((long)ExpCode.Bin);
        writer.Integer((long)type);
        writer.Raw([(byte)'b', (byte)('0' + bin)]);
    }

    private static byte[] Image()
    {
        var image = new byte[Bins * 11];
        for (var i = 0; i < Bins; i++)
        {
            image[i * 11] = (byte)'b';
            image[(i * 11) + 1] = (byte)('0' + i);
            image[(i * 11) + 2] = (byte)ParticleType.Integer;
            BinaryPrimitives.WriteInt64BigEndian(image.AsSpan((i * 11) + 3), i);
        }

        return [.. image, .. "b5"u8, (byte)ParticleType.String, .. "blue sky and sea 123"u8];
    }

    /// Name of two bytes, type, value, one bin behind the other.
    private readonly ref struct FiveBins(ReadOnlySpan<byte> image) : IRecordView
    {
        private readonly ReadOnlySpan<byte> _image = image;

        public ReadOnlySpan<byte> SetName => "set"u8;

        public Digest Digest => default;

        public long LastUpdateTime => 0;

        public uint VoidTime => 0;

        public bool IsTombstone => false;

        public long Now => 0;

        public BinValue Key => default;

        public long RecordSize => 100;

        public bool TryBin(scoped ReadOnlySpan<byte> name, out BinValue value)
        {
            for (var at = 0; at < _image.Length; at += 11)
            {
                if (_image.Slice(at, 2).SequenceEqual(name))
                {
                    var type = (ParticleType)_image[at + 2];
                    value = new BinValue(type, type == ParticleType.Integer ? _image.Slice(at + 3, 8) : _image[(at + 3)..]);
                    return true;
                }
            }

            value = default;
            return false;
        }
    }
}

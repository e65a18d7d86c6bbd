using System.Buffers.Binary;
using Aerie.DataModel;
using Aerie.Foundation;
using Aerie.Node.Tests.DataModel.Operations;
using Aerie.TestKit;
using Xunit;

namespace Aerie.Node.Tests.DataModel.Hll;

/// Random operations on a sketch and on its definition: the same codes, bytes and answers.
[Evidence("HLL-01")]
public sealed class HllModelTests
{
    private static readonly int[] Codes = [0, 1, 1, 1, 2, 2, 3, 4, 50, 51, 52, 53, 53, 54, 54, 56];
    private static readonly int[] MinhashBits = [0, 0, 0, 4, 12, 51];

    [Fact]
    public void Operations_do_to_a_sketch_what_its_definition_says() => ModelRuns.Hold(nameof(HllModelTests), Sequence, Check);

    private static List<HllStep> Sequence(Random random)
    {
        var shape = (random.Next(4, 6), MinhashBits[random.Next(MinhashBits.Length)]);
        return [.. Enumerable.Range(0, random.Next(1, 6)).Select(i => Step(random, shape, isFirst: i == 0))];
    }

    private static HllStep Step(Random random, (int Index, int Minhash) shape, bool isFirst)
    {
        var isOdd = random.Next(6) == 0;
        return new HllStep(isFirst && random.Next(8) > 0 ? 1 : Codes[random.Next(Codes.Length)])
        {
            IndexBits = isOdd ? random.Next(-1, 7) : shape.Index,
            MinhashBits = isOdd ? random.Next(-1, 8) : shape.Minhash,
            Flags = random.Next(4) > 0 ? 0 : random.Next(random.Next(8) == 0 ? 32 : 16),
            Values = Values(random),
            Sketches = [.. Enumerable.Range(0, random.Next(random.Next(8) == 0 ? 0 : 1, 4)).Select(_ => random.Next(3) > 0
                ? new SketchPlan(shape.Index, shape.Minhash, Values(random))
                : new SketchPlan(random.Next(4, 7), MinhashBits[random.Next(MinhashBits.Length)], Values(random)))],
        };
    }

    private static string[] Values(Random random) =>
        [.. Enumerable.Range(0, random.Next(random.Next(4) == 0 ? 40 : 6)).Select(_ => $"{random.Next(100)}")];

    private static string? Check(IReadOnlyList<HllStep> steps)
    {
        var model = new NaiveHllBin();
        var bin = HllCommandTests.Bin();
        foreach (var step in steps)
        {
            var expected = model.Take(step);
            var result = bin.Run(step.Code < 50, PackedCall.Of(step.Call));
            if (result != expected || !bin.Bytes.AsSpan().SequenceEqual(model.Bytes) || (result == ResultCode.Ok && !SameReply(bin, model)))
            {
                return $"{step}: {result} {Convert.ToHexString(bin.Bytes)}, reply {Convert.ToHexString(bin.Reply)}; " +
                    $"model {expected} {Convert.ToHexString(model.Bytes)}, reply {model.Reply}";
            }
        }

        return null;
    }

    private static bool SameReply(BinUnderTest bin, NaiveHllBin model)
    {
        if (model.ReplySketch is { } sketch)
        {
            return bin.Reply.AsSpan().SequenceEqual(sketch.Bytes(0));
        }

        if (model.Reply is not { } expected)
        {
            return bin.ReplyType == ParticleType.Null;
        }

        if (bin.ReplyType == ParticleType.Double)
        {
            return BinaryPrimitives.ReadDoubleBigEndian(bin.Reply).Equals(expected);
        }

        return bin.ReplyInteger == (long)expected || (model.IsEstimate && Math.Abs(bin.ReplyInteger!.Value - expected) < 1e-6);
    }
}

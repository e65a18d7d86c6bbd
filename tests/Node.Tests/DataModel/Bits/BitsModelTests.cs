using Aerie.DataModel.Bits;
using Aerie.Foundation;
using Aerie.Node.Tests.DataModel.Operations;
using Aerie.TestKit;
using Xunit;

namespace Aerie.Node.Tests.DataModel.Bits;

/// Random operations on a blob and on an array of booleans: the same codes, answers and bits.
[Evidence("BITS-01")]
public sealed class BitsModelTests
{
    private static readonly int[] Codes = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 50, 51, 52, 53, 54];

    [Fact]
    public void Operations_do_to_a_blob_what_they_do_to_an_array_of_bits() =>
        ModelRuns.Hold(nameof(BitsModelTests), Sequence, Check);

    private static List<BitStep> Sequence(Random random)
    {
        var length = random.Next(4) switch { 0 => random.Next(3), 1 => random.Next(60), _ => random.Next(20) };
        var steps = new List<BitStep>();
        if (random.Next(20) > 0)
        {
            steps.Add(new BitStep(0) { Size = length });
            steps.Add(new BitStep(3) { Size = Math.Max(1, length * 8), Blob = Blob(random, Math.Max(1, length)) });
        }

        for (var i = random.Next(1, 8); i > 0; i--)
        {
            steps.Add(Step(random, length));
        }

        return steps;
    }

    private static BitStep Step(Random random, int length)
    {
        var code = Codes[random.Next(Codes.Length)];
        var units = code is 0 or 1 or 2 ? length : length * 8;
        var size = code == 1 ? 0 : code is 10 or 11 or 12 or 54 ? random.Next(66) : random.Next(-1, units + 3);
        return new BitStep(code, AsRead: code >= 50 != (random.Next(50) == 0))
        {
            Size = code != 1 && random.Next(100) == 0 ? random.NextInt64() : size,
            Offset = random.Next(100) == 0 ? random.NextInt64(long.MinValue, long.MaxValue) : random.Next(-units - 2, units + 2),
            Blob = Blob(random, code == 1 ? random.Next(5) : Math.Max(0, (size + random.Next(7, 40)) / 8 - random.Next(20) / 19)),
            Number = code is 8 or 9 ? random.Next(-1, 80) : random.NextInt64(long.MinValue, long.MaxValue) >> random.Next(64),
            Sought = random.Next(2) == 1,
            Flags = code >= 50 || random.Next(3) > 0 ? 0 : random.Next(random.Next(10) == 0 ? 32 : 16),
            SubFlags = random.Next(2) == 0 ? 0 : random.Next(code == 54 ? 3 : 9),
        };
    }

    private static byte[] Blob(Random random, int length)
    {
        var bytes = new byte[length];
        if (random.Next(4) > 0)
        {
            random.NextBytes(bytes);
        }

        return bytes;
    }

    private static string? Check(IReadOnlyList<BitStep> steps)
    {
        var model = new NaiveBits();
        var bin = new BinUnderTest(BitsCommand.Run);
        foreach (var step in steps)
        {
            if (step is { Code: 0 or 1, Size: > 4096 } or { Code: 1, Offset: > 4096 })
            {
                continue; // the model would build it
            }

            var expected = model.Take(step);
            var before = bin.Bytes;
            var result = bin.Run(!step.AsRead, PackedCall.Of(step.Call));
            if (result != expected || !bin.Bytes.AsSpan().SequenceEqual(model.Bytes ?? [])
                || (result == ResultCode.Ok && !SameReply(bin, model)))
            {
                return $"{step} on {Hex(before)}: {result} {Hex(bin.Bytes)}, reply {Hex(bin.Reply)}; " +
                    $"model {expected} {Hex(model.Bytes)}, reply {model.ReplyInteger} {Hex(model.ReplyBytes)}";
            }
        }

        return null;
    }

    private static string Hex(byte[]? bytes) => Convert.ToHexString(bytes ?? []);

    private static bool SameReply(BinUnderTest bin, NaiveBits model) => model.ReplyBytes is { } bytes
        ? bytes.AsSpan().SequenceEqual(bin.Reply)
        : bin.ReplyInteger == model.ReplyInteger;
}

using Aerie.DataModel;
using Aerie.DataModel.Hll;
using Aerie.Foundation;

namespace Aerie.Fuzz;

/// Whatever comes, what is stored is a sketch.
internal static class HllFuzz
{
    private static readonly HllScratch Scratch = new();

    private static readonly OperationFuzz Bin =
        new(ParticleType.Hll, static (bin, modifies, call, outcome) => HllCommand.Run(bin, modifies, call, Scratch, outcome));

    public static void Run(ReadOnlySpan<byte> input)
    {
        var sketch = Bin.Run(input);
        Invariant.Holds(sketch.IsEmpty || HllSketch.TryOpen(sketch, out _));
    }
}

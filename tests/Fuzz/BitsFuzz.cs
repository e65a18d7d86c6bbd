using Aerie.DataModel;
using Aerie.DataModel.Bits;
using Aerie.Foundation;

namespace Aerie.Fuzz;

internal static class BitsFuzz
{
    private static readonly OperationFuzz Bin = new(ParticleType.Bytes, BitsCommand.Run);

    public static void Run(ReadOnlySpan<byte> input) => Invariant.Holds(Bin.Run(input).Length <= BitsCommand.BlobLengthMax);
}

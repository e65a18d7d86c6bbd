using Aerie.DataModel.Geo;
using Aerie.DataModel.Packed;
using Aerie.Foundation;

namespace Aerie.Fuzz;

/// The input as a text of GeoJSON, and as the particle that holds one. What is stored is read again, and what is covered is
/// ordered and not empty.
internal static class GeoFuzz
{
    private const int LengthMax = 16 * 1024 * 1024;

    private static readonly GeoScratch Scratch = new();
    private static readonly GrowingBytes Stored = new(LengthMax);
    private static readonly CoveringOptions Options = new(LevelMin: 1, LevelMax: 30, CellsMax: 24, LevelStep: 2);
    private static readonly byte[] Region =
        """{"type":"Polygon","coordinates":[[[100,0],[101,0],[101,1],[100,1],[100,0]]]}"""u8.ToArray();

    public static void Run(ReadOnlySpan<byte> input)
    {
        Build(input);
        if (GeoParticle.TryText(input, out var text))
        {
            Build(text);
        }
    }

    private static void Build(ReadOnlySpan<byte> text)
    {
        Stored.Clear();
        var result = GeoParticle.TryBuild(text, Options, Scratch, Stored);
        _ = GeoParticle.IsWithin(text, Region, Scratch);
        if (result != ResultCode.Ok)
        {
            Invariant.Holds(result == ResultCode.GeoInvalid);
            return;
        }

        var particle = Stored.Read(0, Stored.Length);
        Invariant.Holds(GeoParticle.TryText(particle, out var again) && again.SequenceEqual(text) && GeoParticle.CellCount(particle) > 0);
        for (var i = 1; i < GeoParticle.CellCount(particle); i++)
        {
            Invariant.Holds(GeoParticle.Cell(particle, i - 1).Last < GeoParticle.Cell(particle, i).First);
        }
    }
}

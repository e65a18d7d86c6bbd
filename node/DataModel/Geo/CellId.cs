using System.Numerics;

namespace Aerie.DataModel.Geo;

/// A cell of S2: the sphere is the six faces of a cube, each divided into four again and again, thirty times. An id is the
/// face (three bits), the place on the Hilbert curve that runs through the face (two bits for each level), a one, and zeros.
/// So all cells inside a cell have ids around its own, from First to Last. The numbers are those of every S2 library.
public readonly record struct CellId(ulong Value)
{
    public const int LevelMax = 30;
    public const int Faces = 6;

    private const int FaceShift = 61;
    private const int SwapAxes = 1;
    private const int InvertAxes = 2;

    /// Leaf cells along a face.
    private const int FaceCells = 1 << LevelMax;

    /// In each of the four orientations of the curve: where along it quarter (i, j) comes, as a two-bit number at i · 2 + j.
    private static ReadOnlySpan<byte> PlaceOfQuarter => [0, 1, 3, 2, 0, 3, 1, 2, 2, 3, 1, 0, 2, 1, 3, 0];

    private static ReadOnlySpan<byte> QuarterAtPlace => [0, 1, 3, 2, 0, 2, 3, 1, 3, 2, 0, 1, 3, 1, 0, 2];

    /// How the orientation changes in the first to the fourth quarter along the curve.
    private static ReadOnlySpan<byte> TurnAtPlace => [SwapAxes, 0, 0, SwapAxes | InvertAxes];

    public int Face => (int)(Value >> FaceShift);

    public int Level => LevelMax - BitOperations.TrailingZeroCount(Value) / 2;

    /// The least id of a leaf inside the cell.
    public ulong First => Value - (LowestBit - 1);

    public ulong Last => Value + (LowestBit - 1);

    private ulong LowestBit => Value & (~Value + 1);

    public static CellId OfFace(int face) => new(((ulong)face << FaceShift) + LowestBitAt(0));

    /// The leaf cell that a point lies in.
    public static CellId Of(SpherePoint point)
    {
        var face = CubeFace.Of(point);
        var (w, a, b) = CubeFace.Turn(face, point);
        return OfLeaf(face, LeafIndex(a / w), LeafIndex(b / w));
    }

    public CellId Parent(int level) => new((Value & (~LowestBitAt(level) + 1)) | LowestBitAt(level));

    /// The cell's quarters along the curve: 0 to 3.
    public CellId Child(int place) => new(Value + (ulong)(2 * place - 3) * (LowestBit >> 2));

    public bool Contains(CellId other) => other.Value >= First && other.Value <= Last;

    /// The cell as a square of its face.
    public FaceSquare Square()
    {
        var (i, j) = (0, 0);
        var orientation = Face & SwapAxes;
        var level = Level;
        for (var bit = LevelMax - 1; bit >= LevelMax - level; bit--)
        {
            var place = (int)(Value >> (2 * bit + 1)) & 3;
            var quarter = QuarterAtPlace[4 * orientation + place];
            i |= (quarter >> 1) << bit;
            j |= (quarter & 1) << bit;
            orientation ^= TurnAtPlace[place];
        }

        var size = 1 << (LevelMax - level);
        return new FaceSquare(Face, Edge(i), Edge(i + size), Edge(j), Edge(j + size));
    }

    private static CellId OfLeaf(int face, int i, int j)
    {
        var value = (ulong)face;
        var orientation = face & SwapAxes;
        for (var bit = LevelMax - 1; bit >= 0; bit--)
        {
            var quarter = ((i >> bit & 1) << 1) | (j >> bit & 1);
            var place = PlaceOfQuarter[4 * orientation + quarter];
            value = (value << 2) | place;
            orientation ^= TurnAtPlace[place];
        }

        return new CellId((value << 1) | 1);
    }

    private static ulong LowestBitAt(int level) => 1UL << (2 * (LevelMax - level));

    // Squares of equal size on the sphere would not be so on the cube: a quadratic function evens them out.
    private static int LeafIndex(double u)
    {
        var s = u >= 0 ? 0.5 * Math.Sqrt(1 + 3 * u) : 1 - 0.5 * Math.Sqrt(1 - 3 * u);
        return Math.Clamp((int)Math.Floor(s * FaceCells), 0, FaceCells - 1);
    }

    private static double Edge(int index)
    {
        var s = index * (1.0 / FaceCells);
        return s >= 0.5 ? (4 * s * s - 1) / 3 : (1 - 4 * (1 - s) * (1 - s)) / 3;
    }
}

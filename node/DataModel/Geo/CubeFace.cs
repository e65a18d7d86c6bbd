namespace Aerie.DataModel.Geo;

/// The six faces of the cube around the sphere, and the axes on each of them.
public static class CubeFace
{
    /// The face that a ray from the centre through the point meets.
    public static int Of(SpherePoint point)
    {
        var (x, y, z) = (Math.Abs(point.X), Math.Abs(point.Y), Math.Abs(point.Z));
        return x > y
            ? x > z ? (point.X < 0 ? 3 : 0) : (point.Z < 0 ? 5 : 2)
            : y > z ? (point.Y < 0 ? 4 : 1) : (point.Z < 0 ? 5 : 2);
    }

    /// The point in the coordinates of a face: W towards it, A and B along its axes. Seen from the centre the point lies on
    /// the face at (A / W, B / W), if W is positive.
    public static (double W, double A, double B) Turn(int face, SpherePoint point) => face switch
    {
        0 => (point.X, point.Y, point.Z),
        1 => (point.Y, -point.X, point.Z),
        2 => (point.Z, -point.X, -point.Y),
        3 => (-point.X, -point.Z, -point.Y),
        4 => (-point.Y, -point.Z, point.X),
        _ => (-point.Z, point.Y, point.X),
    };

    /// The point of the sphere that is seen at (u, v) of a face.
    public static SpherePoint Point(int face, double u, double v) => (face switch
    {
        0 => new SpherePoint(1, u, v),
        1 => new SpherePoint(-u, 1, v),
        2 => new SpherePoint(-u, -v, 1),
        3 => new SpherePoint(-1, -v, -u),
        4 => new SpherePoint(v, -1, -u),
        _ => new SpherePoint(v, u, -1),
    }).Normalized();
}

/// A square of a face. Seen from the centre great circles are straight lines on it.
public readonly record struct FaceSquare(int Face, double UMin, double UMax, double VMin, double VMax)
{
    /// Twice what rounding can do to a point of the sphere, and far below the size of a leaf cell. What is so close to a cell
    /// counts as in it: a covering may hold a cell too many, never one too few.
    public const double Margin = 1e-14;

    /// A point well inside, but not the middle: corners of regions lie on round coordinates, which the middles of large cells
    /// have too, and whether a point of the very border is in the region is open.
    public SpherePoint Inner => CubeFace.Point(Face, UMin + (UMax - UMin) * 0.4817302, VMin + (VMax - VMin) * 0.5369418);

    /// Corners 0 to 3, around the square.
    public SpherePoint Corner(int index) => CubeFace.Point(Face, index is 1 or 2 ? UMax : UMin, index >= 2 ? VMax : VMin);

    public bool Holds(SpherePoint point) => Meets(point, point);

    /// True when part of the straight way from `a` to `b`, which is seen as the great circle between them, lies in the square.
    public bool Meets(SpherePoint a, SpherePoint b)
    {
        var from = CubeFace.Turn(Face, a);
        var to = CubeFace.Turn(Face, b);
        var (first, last) = (0.0, 1.0);
        return Clip(from.W, to.W, ref first, ref last)
            && Clip(from.A - UMin * from.W, to.A - UMin * to.W, ref first, ref last)
            && Clip(UMax * from.W - from.A, UMax * to.W - to.A, ref first, ref last)
            && Clip(from.B - VMin * from.W, to.B - VMin * to.W, ref first, ref last)
            && Clip(VMax * from.W - from.B, VMax * to.W - to.B, ref first, ref last);
    }

    // Keeps the part of the way where a value that changes evenly from `from` to `to` is not below zero.
    private static bool Clip(double from, double to, ref double first, ref double last)
    {
        from += Margin;
        to += Margin;
        if (from < 0 && to < 0)
        {
            return false;
        }

        if (from < 0)
        {
            first = Math.Max(first, from / (from - to));
        }
        else if (to < 0)
        {
            last = Math.Min(last, from / (from - to));
        }

        return first <= last;
    }
}

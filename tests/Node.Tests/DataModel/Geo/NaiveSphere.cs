using System.Globalization;

namespace Aerie.Node.Tests.DataModel.Geo;

/// Cells and regions once more, straight from their definitions: a cell id digit by digit along the Hilbert curve, and a point's
/// place in a ring by how often the ring winds around it.
internal static class NaiveSphere
{
    public static double[] Point(double longitude, double latitude)
    {
        var (phi, theta) = (latitude * Math.PI / 180, longitude * Math.PI / 180);
        return [Math.Cos(theta) * Math.Cos(phi), Math.Sin(theta) * Math.Cos(phi), Math.Sin(phi)];
    }

    public static ulong LeafCell(double[] point)
    {
        var axis = Enumerable.Range(0, 3).MaxBy(i => Math.Abs(point[i]));
        var face = axis + (point[axis] < 0 ? 3 : 0);
        var (x, y, z) = (point[0], point[1], point[2]);
        var (u, v) = face switch
        {
            0 => (y / x, z / x),
            1 => (-x / y, z / y),
            2 => (-x / z, -y / z),
            3 => (z / x, y / x),
            4 => (z / y, -x / y),
            _ => (-y / z, -x / z),
        };
        var (i, j) = (Index(u), Index(v));
        return (ulong)face << 61 | Distance(face % 2 == 0 ? i : j, face % 2 == 0 ? j : i) << 1 | 1;
    }

    /// How often the ring runs around the point, seen from there: the sum of the angles under which its sides appear.
    public static bool RingHolds(double[][] ring, double[] point)
    {
        var sum = 0.0;
        for (var i = 0; i + 1 < ring.Length; i++)
        {
            var a = Cross(point, ring[i]);
            var b = Cross(point, ring[i + 1]);
            sum += Math.Atan2(Dot(point, Cross(a, b)), Dot(a, b));
        }

        return Math.Abs(sum) > Math.PI;
    }

    public static double Angle(double[] a, double[] b) => Math.Atan2(Math.Sqrt(Dot(Cross(a, b), Cross(a, b))), Dot(a, b));

    /// The least angle to a side of the ring: points so near to it may count either way.
    public static double Border(double[][] ring, double[] point) => Enumerable.Range(0, ring.Length - 1).Min(i =>
        Enumerable.Range(0, 65).Min(step =>
        {
            var share = step / 64.0;
            double[] between = [.. Enumerable.Range(0, 3).Select(k => ring[i][k] * (1 - share) + ring[i + 1][k] * share)];
            return Angle(between, point);
        }));

    public static string Json(double number) => number.ToString("R", CultureInfo.InvariantCulture);

    private static double Dot(double[] a, double[] b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];

    private static double[] Cross(double[] a, double[] b) =>
        [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];

    // The cell edges stand where the quadratic projection puts them: looked for by halving, thirty times.
    private static ulong Index(double u)
    {
        var index = 0UL;
        for (var bit = 29; bit >= 0; bit--)
        {
            var s = (index + (1UL << bit)) / (double)(1 << 30);
            var edge = s >= 0.5 ? (4 * s * s - 1) / 3 : (1 - 4 * (1 - s) * (1 - s)) / 3;
            index += u >= edge ? 1UL << bit : 0;
        }

        return index;
    }

    // The textbook Hilbert curve: which quarter, then turn the square so that the next step looks the same.
    private static ulong Distance(ulong x, ulong y)
    {
        var distance = 0UL;
        for (var size = 1UL << 29; size > 0; size /= 2)
        {
            var (right, up) = ((x & size) > 0 ? 1UL : 0, (y & size) > 0 ? 1UL : 0);
            distance += size * size * ((3 * right) ^ up);
            if (up == 0)
            {
                if (right == 1)
                {
                    (x, y) = ((1UL << 30) - 1 - x, (1UL << 30) - 1 - y);
                }

                (x, y) = (y, x);
            }
        }

        return distance;
    }
}

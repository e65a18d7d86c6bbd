namespace Aerie.DataModel.Geo;

/// One side of a loop: the shorter great circle from A to B.
internal readonly record struct GeoEdge(SpherePoint A, SpherePoint B)
{
    public SpherePoint Middle => (A + B).Normalized();
}

/// The loops of a polygon or of several. Of the two parts that a loop cuts the sphere into, its inside is the smaller one, whichever
/// way it runs. A point is in the region when it is in an odd number of loops: in a border and not in one of its holes.
internal sealed class GeoLoops
{
    /// A ring of GeoJSON repeats its first position at its end.
    private const int PositionsMin = 4;

    private const int EdgesMax = 100_000;

    /// Above this, memory is given back when the loops are cleared.
    private const int KeptMax = 4096;

    /// How far from a border, measured by the edge, the search for a point inside begins, and where it gives up.
    private const double OffsetMax = 1e-3;
    private const double OffsetMin = 1e-13;

    private GeoEdge[] _edges = new GeoEdge[16];
    private int _count;
    private int _loopStart;
    private int _positions;
    private SpherePoint _first;
    private SpherePoint _last;

    // A point of which it is known whether it is in the region. Every other is judged by the edges on the way from there.
    private SpherePoint _known;
    private bool _isKnownInside;

    private SpherePoint _centre;
    private double _cosineMin;

    public ReadOnlySpan<GeoEdge> Edges => _edges.AsSpan(0, _count);

    public void Clear()
    {
        if (_edges.Length > KeptMax)
        {
            _edges = new GeoEdge[16];
        }

        (_count, _loopStart, _positions) = (0, 0, 0);
    }

    /// The next position of the ring.
    public bool TryAdd(SpherePoint point)
    {
        if (_positions++ == 0)
        {
            _first = point;
        }
        else if (point != _last && !TryAddEdge(_last, point))
        {
            return false;
        }

        _last = point;
        return true;
    }

    public bool TryEndLoop()
    {
        var isClosed = _positions >= PositionsMin && _first == _last && _count - _loopStart >= PositionsMin - 1;
        _positions = 0;
        return isClosed && TryJudgeLoop();
    }

    /// After the last loop: what all loops together need to know.
    public bool TryClose()
    {
        var sum = default(SpherePoint);
        foreach (ref readonly var edge in Edges)
        {
            sum += edge.A;
        }

        _centre = sum.Length > 0 ? sum.Normalized() : new SpherePoint(1, 0, 0);
        _cosineMin = 1;
        foreach (ref readonly var edge in Edges)
        {
            _cosineMin = Math.Min(_cosineMin, edge.A.Dot(_centre) - FaceSquare.Margin);
        }

        return _count > 0;
    }

    public bool Contains(SpherePoint point)
    {
        // What lies in less than a half of the sphere has its inside there too.
        if (_cosineMin > 0 && point.Dot(_centre) < _cosineMin)
        {
            return false;
        }

        return _isKnownInside ^ CrossesOdd(Edges, _known, point);
    }

    /// True when the way between two points crosses an odd number of edges.
    public static bool CrossesOdd(ReadOnlySpan<GeoEdge> edges, SpherePoint from, SpherePoint to)
    {
        if (from.Dot(to) < -0.9)
        {
            var between = from.Perpendicular(); // nearly opposite points have no sure way between them
            return CrossesOdd(edges, from, between) ^ CrossesOdd(edges, between, to);
        }

        var way = from.Normal(to);
        var odd = false;
        foreach (ref readonly var edge in edges)
        {
            odd ^= Crosses(edge, way, from, to);
        }

        return odd;
    }

    /// Each point counts to one side of each plane by the same arithmetic wherever it is asked, so a corner on the way is passed
    /// exactly as often as the way changes sides there.
    public static bool Crosses(in GeoEdge edge, SpherePoint way, SpherePoint from, SpherePoint to)
    {
        var isLeft = way.Dot(edge.A) >= 0;
        if (isLeft == way.Dot(edge.B) >= 0)
        {
            return false;
        }

        var plane = edge.A.Normal(edge.B);
        return plane.Dot(to) >= 0 == isLeft && plane.Dot(from) >= 0 != isLeft;
    }

    private bool TryAddEdge(SpherePoint a, SpherePoint b)
    {
        if (_count == EdgesMax || a.Dot(b) <= -1 + FaceSquare.Margin)
        {
            return false; // between opposite points there is no shortest way
        }

        if (_count == _edges.Length)
        {
            Array.Resize(ref _edges, Math.Min(2 * _count, EdgesMax));
        }

        _edges[_count++] = new GeoEdge(a, b);
        return true;
    }

    // Finds a point inside the loop that has just ended, and carries what is known over to the region with this loop in it.
    private bool TryJudgeLoop()
    {
        var loop = _edges.AsSpan(_loopStart, _count - _loopStart);
        var area = Area(loop);
        if (area == 0 || !TryFindInside(loop, area > 0, out var inside))
        {
            return false;
        }

        if (_loopStart == 0)
        {
            (_known, _isKnownInside) = (inside, true);
        }
        else
        {
            _isKnownInside ^= !CrossesOdd(loop, inside, _known);
        }

        _loopStart = _count;
        return true;
    }

    // Of what lies left of the loop; negative where that is the larger part.
    private static double Area(ReadOnlySpan<GeoEdge> loop)
    {
        var area = 0.0;
        var a = loop[0].A;
        foreach (ref readonly var edge in loop)
        {
            var (b, c) = (edge.A, edge.B);
            var volume = a.Dot((b - a).Cross(c - a));
            area += 2 * Math.Atan2(volume, 1 + a.Dot(b) + b.Dot(c) + c.Dot(a));
        }

        return Math.IEEERemainder(area, 4 * Math.PI);
    }

    // Beside the middle of the longest edge, so near that nothing else of the loop is in between.
    private static bool TryFindInside(ReadOnlySpan<GeoEdge> loop, bool isLeft, out SpherePoint inside)
    {
        var longest = loop[0];
        var length = 0.0;
        foreach (ref readonly var edge in loop)
        {
            var chord = edge.A - edge.B;
            if (chord.Dot(chord) > length)
            {
                (longest, length) = (edge, chord.Dot(chord));
            }
        }

        var aside = longest.A.Normal(longest.B).Normalized() * (isLeft ? Math.Sqrt(length) : -Math.Sqrt(length));
        for (var offset = OffsetMax; offset > OffsetMin; offset /= 10)
        {
            inside = (longest.Middle + aside * offset).Normalized();
            var outside = (longest.Middle - aside * offset).Normalized();
            if (IsOnlyBetween(loop, longest, inside, outside))
            {
                return true;
            }
        }

        inside = default;
        return false;
    }

    private static bool IsOnlyBetween(ReadOnlySpan<GeoEdge> loop, in GeoEdge wanted, SpherePoint inside, SpherePoint outside)
    {
        var way = inside.Normal(outside);
        var crossed = 0;
        foreach (ref readonly var edge in loop)
        {
            crossed += Crosses(edge, way, inside, outside) ? 1 : 0;
        }

        return crossed == 1 && Crosses(wanted, way, inside, outside);
    }
}

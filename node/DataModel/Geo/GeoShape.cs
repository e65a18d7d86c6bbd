namespace Aerie.DataModel.Geo;

public enum GeoKind : byte
{
    None,
    Point,
    Polygon,
    Circle,
}

/// A GeoJSON value on the sphere: a point, or a region made of polygons or a circle. One object is read into again and again and
/// keeps its memory, so that reading allocates nothing once it has grown.
public sealed class GeoShape
{
    /// Metres. The radius that circles are measured with.
    public const double EarthRadius = 6_371_000.0;

    private readonly GeoLoops _loops = new();
    private GeoCircle _circle;

    public GeoKind Kind { get; private set; }

    public bool IsRegion => Kind is GeoKind.Polygon or GeoKind.Circle;

    /// Of a point.
    public SpherePoint Point { get; private set; }

    internal GeoLoops Loops => _loops;

    internal GeoCircle Circle => _circle;

    /// Reads Point, Polygon, MultiPolygon, AeroCircle, or a Feature of one of them. False: the text is none of these, or what it
    /// describes is not on the Earth.
    public bool TryRead(ReadOnlySpan<byte> json)
    {
        _loops.Clear();
        if (GeoJsonReader.TryFindGeometry(json, out var geometry) && TryRead(geometry.Type, new JsonText(json, geometry.Coordinates)))
        {
            return true;
        }

        Kind = GeoKind.None;
        return false;
    }

    /// True where a region holds the point; its border may count either way. A point holds nothing.
    public bool Contains(SpherePoint point) => Kind switch
    {
        GeoKind.Polygon => _loops.Contains(point),
        GeoKind.Circle => _circle.Contains(point),
        _ => false,
    };

    private bool TryRead(GeoType type, JsonText coordinates)
    {
        switch (type)
        {
            case GeoType.Point:
                var isPoint = GeoJsonReader.TryPosition(ref coordinates, out var point);
                (Kind, Point) = (GeoKind.Point, point);
                return isPoint;
            case GeoType.AeroCircle:
                Kind = GeoKind.Circle;
                return GeoJsonReader.TryCircle(ref coordinates, out _circle);
            case GeoType.Polygon:
                Kind = GeoKind.Polygon;
                return GeoJsonReader.TryPolygon(ref coordinates, _loops) && _loops.TryClose();
            case GeoType.MultiPolygon:
                Kind = GeoKind.Polygon;
                return GeoJsonReader.TryMultiPolygon(ref coordinates, _loops) && _loops.TryClose();
            default:
                return false;
        }
    }
}

/// All within an angle of a centre.
internal readonly record struct GeoCircle(SpherePoint Centre, double Angle)
{
    // Chords keep their precision where angles and cosines of small circles lose it.
    private double ChordSquared => Angle >= Math.PI ? 4 : 4 * Math.Sin(Angle / 2) * Math.Sin(Angle / 2);

    public bool Contains(SpherePoint point)
    {
        var chord = point - Centre;
        return chord.Dot(chord) <= ChordSquared;
    }

    /// What the circle leaves of the sphere.
    public GeoCircle Rest => new(-Centre, Math.Max(0, Math.PI - Angle));

    /// False where the square is certainly outside.
    public bool Meets(in FaceSquare square)
    {
        if (square.Holds(Centre) || Angle >= Math.PI)
        {
            return true;
        }

        for (var corner = 0; corner < 4; corner++)
        {
            if (Distance(square.Corner(corner), square.Corner((corner + 1) & 3)) <= Angle + FaceSquare.Margin)
            {
                return true;
            }
        }

        return false;
    }

    /// True where the square is certainly inside.
    public bool Holds(in FaceSquare square) => Angle >= Math.PI || !Rest.Meets(square);

    // From the centre to the nearest point of the great circle between two points.
    private double Distance(SpherePoint a, SpherePoint b)
    {
        var normal = a.Normal(b);
        var isBetween = normal.Cross(a).Dot(Centre) > 0 && b.Cross(normal).Dot(Centre) > 0;
        return isBetween
            ? Math.Abs(Math.PI / 2 - normal.Angle(Centre))
            : Math.Min(a.Angle(Centre), b.Angle(Centre));
    }
}

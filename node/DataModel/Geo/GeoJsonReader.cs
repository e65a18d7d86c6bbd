namespace Aerie.DataModel.Geo;

internal enum GeoType : byte
{
    Unknown,
    Point,
    Polygon,
    MultiPolygon,
    AeroCircle,
    Feature,
}

/// A GeoJSON object: its type, and where in the text its coordinates or its own geometry begin. -1: nowhere.
internal readonly record struct GeoObject(GeoType Type, int Coordinates, int Geometry);

/// Reads GeoJSON (RFC 7946) as far as clients store it. Members that say nothing here are skipped; one that is there twice is an error.
internal static class GeoJsonReader
{
    private const int Missing = -1;

    /// The object that has the coordinates: the whole text, or what a feature wraps.
    public static bool TryFindGeometry(ReadOnlySpan<byte> json, out GeoObject geometry)
    {
        var text = new JsonText(json);
        if (!TryObject(ref text, out geometry) || !text.IsAtEnd)
        {
            return false;
        }

        if (geometry.Type == GeoType.Feature)
        {
            text = new JsonText(json, geometry.Geometry);
            return geometry.Geometry != Missing && TryObject(ref text, out geometry) && geometry.Coordinates != Missing;
        }

        return geometry.Coordinates != Missing;
    }

    /// [longitude, latitude], perhaps with an altitude, which is not used.
    public static bool TryPosition(ref JsonText text, out SpherePoint point)
    {
        point = default;
        if (!text.Take((byte)'[') || !text.TryNumber(out var longitude) || !text.Take((byte)',') || !text.TryNumber(out var latitude)
            || (text.Take((byte)',') && !text.TryNumber(out _)) || !text.Take((byte)']')
            || Math.Abs(longitude) > 180 || Math.Abs(latitude) > 90)
        {
            return false;
        }

        point = SpherePoint.FromDegrees(longitude, latitude);
        return true;
    }

    /// [position, radius in metres]
    public static bool TryCircle(ref JsonText text, out GeoCircle circle)
    {
        circle = default;
        if (!text.Take((byte)'[') || !TryPosition(ref text, out var centre) || !text.Take((byte)',') || !text.TryNumber(out var radius)
            || !text.Take((byte)']') || radius < 0)
        {
            return false;
        }

        circle = new GeoCircle(centre, radius / GeoShape.EarthRadius);
        return true;
    }

    public static bool TryMultiPolygon(ref JsonText text, GeoLoops loops)
    {
        if (!text.Take((byte)'['))
        {
            return false;
        }

        do
        {
            if (!TryPolygon(ref text, loops))
            {
                return false;
            }
        }
        while (text.Take((byte)','));
        return text.Take((byte)']');
    }

    /// Rings: the outer border, then holes.
    public static bool TryPolygon(ref JsonText text, GeoLoops loops)
    {
        if (!text.Take((byte)'['))
        {
            return false;
        }

        do
        {
            if (!TryRing(ref text, loops))
            {
                return false;
            }
        }
        while (text.Take((byte)','));
        return text.Take((byte)']');
    }

    private static bool TryRing(ref JsonText text, GeoLoops loops)
    {
        if (!text.Take((byte)'['))
        {
            return false;
        }

        do
        {
            if (!TryPosition(ref text, out var point) || !loops.TryAdd(point))
            {
                return false;
            }
        }
        while (text.Take((byte)','));
        return text.Take((byte)']') && loops.TryEndLoop();
    }

    private static bool TryObject(ref JsonText text, out GeoObject found)
    {
        var (type, coordinates, geometry) = (Missing, Missing, Missing);
        found = default;
        if (!text.Take((byte)'{'))
        {
            return false;
        }

        do
        {
            if (!text.TryText(out var name) || !text.Take((byte)':') || !Note(name, "type"u8, text.Offset, ref type)
                || !Note(name, "coordinates"u8, text.Offset, ref coordinates) || !Note(name, "geometry"u8, text.Offset, ref geometry)
                || !(name.SequenceEqual("type"u8) ? TryType(ref text, out found) : text.TrySkip()))
            {
                return false;
            }
        }
        while (text.Take((byte)','));
        found = new GeoObject(found.Type, coordinates, geometry);
        return text.Take((byte)'}') && type != Missing;
    }

    private static bool TryType(ref JsonText text, out GeoObject found)
    {
        found = default;
        if (!text.TryText(out var name))
        {
            return false;
        }

        var type = name.SequenceEqual("Point"u8) ? GeoType.Point
            : name.SequenceEqual("Polygon"u8) ? GeoType.Polygon
            : name.SequenceEqual("MultiPolygon"u8) ? GeoType.MultiPolygon
            : name.SequenceEqual("AeroCircle"u8) ? GeoType.AeroCircle
            : name.SequenceEqual("Feature"u8) ? GeoType.Feature
            : GeoType.Unknown;
        found = new GeoObject(type, Missing, Missing);
        return type != GeoType.Unknown;
    }

    // False: the member was there before.
    private static bool Note(ReadOnlySpan<byte> name, ReadOnlySpan<byte> wanted, int offset, ref int place)
    {
        if (!name.SequenceEqual(wanted))
        {
            return true;
        }

        var isFirst = place == Missing;
        place = offset;
        return isFirst;
    }
}

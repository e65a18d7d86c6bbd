using System.Text;
using Aerie.DataModel.Geo;
using Xunit;

namespace Aerie.Node.Tests.DataModel.Geo;

public sealed class GeoShapeTests
{
    private const string Square = "[[100.0,0.0],[101.0,0.0],[101.0,1.0],[100.0,1.0],[100.0,0.0]]";
    private const string Hole = "[[100.2,0.2],[100.8,0.2],[100.8,0.8],[100.2,0.8],[100.2,0.2]]";
    private const string Far = "[[10,10],[11,10],[11,11],[10,11],[10,10]]";

    private readonly GeoShape _shape = new();

    [Theory]
    [InlineData("""{"type":"Point","coordinates":[103.913,1.308]}""", GeoKind.Point)]
    [InlineData(""" { "coordinates" : [ -1.5e2 , 0.25 , 7 ] , "type" : "Point" , "bbox":[1,{"a":[]}], "x":"\u00e9\"" } """, GeoKind.Point)]
    [InlineData("""{"type":"Point","coordinates":[180,-90]}""", GeoKind.Point)]
    [InlineData("""{"type":"AeroCircle","coordinates":[[-122.250629,37.871022],300]}""", GeoKind.Circle)]
    [InlineData("""{"type":"Polygon","coordinates":[""" + Square + "]}", GeoKind.Polygon)]
    [InlineData("""{"type":"Feature","geometry":{"type":"Polygon","coordinates":[""" + Square + "," + Hole + "]}}", GeoKind.Polygon)]
    [InlineData("""{"type":"Feature","properties":{"type":"x"},"geometry":{"type":"Point","coordinates":[0,0]}}""", GeoKind.Point)]
    [InlineData("""{"type":"MultiPolygon","coordinates":[[""" + Square + "],[" + Far + "]]}", GeoKind.Polygon)]
    public void What_clients_store_is_read(string json, GeoKind expected)
    {
        Assert.True(Read(json));
        Assert.Equal(expected, _shape.Kind);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("""{"type":"Point"}""")]
    [InlineData("""{"coordinates":[0,0]}""")]
    [InlineData("""{"type":"point","coordinates":[0,0]}""")]
    [InlineData("""{"type":"MultiPoint","coordinates":[[0.0,0.0],[0.0,0.0]]}""")]
    [InlineData("""{"type":"LineString","coordinates":[[100.0,0.0],[101.0,1.0]]}""")]
    [InlineData("""{"type":"Point","coordinates":[0,0]} x""")]
    [InlineData("""{"type":"Point","coordinates":[0,0],}""")]
    [InlineData("""{"type":"Point","coordinates":[0,0]""")]
    [InlineData("""{"type":"Point","type":"Point","coordinates":[0,0]}""")]
    [InlineData("""{"type":"Point","coordinates":[0,0],"coordinates":[0,0]}""")]
    [InlineData("""{"type":"Point","coordinates":[0]}""")]
    [InlineData("""{"type":"Point","coordinates":[0,0,0,0]}""")]
    [InlineData("""{"type":"Point","coordinates":["0",0]}""")]
    [InlineData("""{"type":"Point","coordinates":[+1,0]}""")]
    [InlineData("""{"type":"Point","coordinates":[01,0]}""")]
    [InlineData("""{"type":"Point","coordinates":[.5,0]}""")]
    [InlineData("""{"type":"Point","coordinates":[1.,0]}""")]
    [InlineData("""{"type":"Point","coordinates":[1e,0]}""")]
    [InlineData("""{"type":"Point","coordinates":[NaN,0]}""")]
    [InlineData("""{"type":"Point","coordinates":[1e999,0]}""")]
    [InlineData("""{"type":"Point","coordinates":[180.1,0]}""")]
    [InlineData("""{"type":"Point","coordinates":[0,-90.1]}""")]
    [InlineData("""{"type":"Point","coordinates":[0,0],"x":"\q"}""")]
    [InlineData("""{"type":"Feature","coordinates":[0,0]}""")]
    [InlineData("""{"type":"Feature","geometry":null}""")]
    [InlineData("""{"type":"Feature","geometry":{"type":"Feature","geometry":{"type":"Point","coordinates":[0,0]}}}""")]
    [InlineData("""{"type":"AeroCircle","coordinates":[[0,0],-1]}""")]
    [InlineData("""{"type":"AeroCircle","coordinates":[[0,0]]}""")]
    [InlineData("""{"type":"AeroCircle","coordinates":[0,0,5]}""")]
    [InlineData("""{"type":"Polygon","coordinates":[]}""")]
    [InlineData("""{"type":"Polygon","coordinates":[[]]}""")]
    [InlineData("""{"type":"Polygon","coordinates":[[[0,0],[1,0],[0,0]]]}""")]
    [InlineData("""{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,1]]]}""")]
    [InlineData("""{"type":"Polygon","coordinates":[[[0,0],[0,0],[0,0],[0,0]]]}""")]
    [InlineData("""{"type":"Polygon","coordinates":[[[0,0],[1,0],[0,0],[1,0],[0,0]]]}""")]
    [InlineData("""{"type":"Polygon","coordinates":[[[0,0],[180,0],[90,50],[0,0]]]}""")]
    [InlineData("""{"type":"Polygon","coordinates":[""" + Square + """,[[0,0]]]}""")]
    [InlineData("""{"type":"MultiPolygon","coordinates":[""" + Square + "]}")]
    public void What_is_no_value_of_the_Earth_is_refused(string json)
    {
        Assert.False(Read(json));
        Assert.Equal((GeoKind.None, false), (_shape.Kind, _shape.Contains(SpherePoint.FromDegrees(0, 0))));
    }

    [Fact]
    public void Deep_and_endless_texts_are_refused()
    {
        Assert.False(Read("""{"type":"Point","coordinates":[0,0],"x":""" + new string('[', 100_000)));
        Assert.False(Read("""{"type":"Point","coordinates":[0,0],"x":""" + new string('[', 65) + new string(']', 65) + "}"));
        Assert.True(Read("""{"type":"Point","coordinates":[0,0],"x":""" + new string('[', 64) + new string(']', 64) + "}"));
    }

    [Fact]
    public void A_hole_is_outside()
    {
        Assert.True(Read("""{"type":"Polygon","coordinates":[""" + Square + "," + Hole + "]}"));
        Assert.Equal((true, false, false), (Holds(100.1, 0.1), Holds(100.5, 0.5), Holds(99.9, 0.5)));
        Assert.Equal((true, false), (Holds(100.9, 0.9), Holds(-79.9, -0.1)));
    }

    [Fact]
    public void Each_of_several_polygons_counts()
    {
        Assert.True(Read("""{"type":"MultiPolygon","coordinates":[[""" + Square + "," + Hole + "],[" + Far + "]]}"));
        Assert.Equal((true, false, true, false), (Holds(100.1, 0.1), Holds(100.5, 0.5), Holds(10.5, 10.5), Holds(50, 5)));
    }

    [Fact]
    public void The_way_a_ring_runs_does_not_matter()
    {
        Assert.True(Read("""{"type":"Polygon","coordinates":[[[100,0],[100,1],[101,1],[101,0],[100,0]]]}"""));
        Assert.Equal((true, false), (Holds(100.5, 0.5), Holds(102, 0.5)));
    }

    [Fact]
    public void Regions_may_lie_over_the_pole_and_the_date_line()
    {
        Assert.True(Read("""{"type":"Polygon","coordinates":[[[0,80],[90,80],[180,80],[-90,80],[0,80]]]}"""));
        Assert.Equal((true, true, false), (Holds(12, 89), Holds(0, 90), Holds(45, 70)));
        Assert.True(Read("""{"type":"Polygon","coordinates":[[[179,-1],[-179,-1],[-179,1],[179,1],[179,-1]]]}"""));
        Assert.Equal((true, true, false), (Holds(180, 0), Holds(-179.5, 0.5), Holds(0, 0)));
    }

    [Fact]
    public void A_region_larger_than_half_the_Earth_in_extent_is_judged()
    {
        Assert.True(Read(Polygon(
            [(-100, -20), (-40, -25), (20, -25), (100, -20), (100, 20), (20, 25), (-40, 25), (-100, 20), (-100, -20)])));
        Assert.Equal((true, true, false, false), (Holds(0, 0), Holds(95, 0), Holds(180, 0), Holds(0, 80)));
        Assert.Equal((false, false), (Holds(-140, 0), Holds(20, -80)));
    }

    [Theory]
    [InlineData(103.875, 1.297, 10_000, 103.913, 1.308, true)]
    [InlineData(9.78, 53.55, 50_000, 103.913, 1.308, false)]
    [InlineData(0, 0, 111_194, 0, 1, false)] // a degree of a great circle is 111 194.93 metres
    [InlineData(0, 0, 111_196, 0, 1, true)]
    [InlineData(0, 0, 0.5, 0, 0.000004, true)]
    [InlineData(0, 0, 0.4, 0, 0.000004, false)]
    [InlineData(0, 0, 20_015_000, 180, 0, false)]
    [InlineData(0, 0, 20_016_000, 180, 0, true)]
    [InlineData(0, 0, 1e300, 180, 0, true)]
    public void A_circle_holds_what_is_no_farther_than_its_radius(
        double longitude, double latitude, double radius, double pointLongitude, double pointLatitude, bool expected)
    {
        Assert.True(Read(Circle(longitude, latitude, radius)));
        Assert.Equal(expected, Holds(pointLongitude, pointLatitude));
    }

    [Fact]
    public void Rings_hold_the_points_that_they_wind_around()
    {
        var random = new Random(4);
        for (var i = 0; i < 3_000; i++)
        {
            var ring = RandomRing(random, out var centre, out var size);
            Assert.True(Read(Polygon(ring)), $"seed 4, ring {i}");
            var corners = ring.Select(position => NaiveSphere.Point(position.Longitude, position.Latitude)).ToArray();
            for (var sample = 0; sample < 10; sample++)
            {
                var (longitude, latitude) = Near(random, centre, size * 1.5);
                var point = NaiveSphere.Point(longitude, latitude);
                var isSame = Holds(longitude, latitude) == NaiveSphere.RingHolds(corners, point);
                Assert.True(isSame || NaiveSphere.Border(corners, point) < size * 1e-3,
                    $"seed 4, ring {i}: {Polygon(ring)} and {longitude:R} {latitude:R}");
            }
        }
    }

    [Fact]
    public void Points_in_line_with_corners_are_judged_right()
    {
        Assert.True(Read("""{"type":"Polygon","coordinates":[[[0,0],[2,-1],[4,0],[6,-1],[8,0],[4,3],[0,0]]]}"""));
        Assert.Equal((true, true, true), (Holds(4, 0.5), Holds(2, 0.25), Holds(6, 0.25)));
        for (var longitude = -3.0; longitude < 12; longitude += 0.5)
        {
            Assert.Equal(longitude is > 0 and < 8, Holds(longitude, 0.0001));
        }
    }

    [Fact]
    public void Reading_and_asking_allocate_nothing()
    {
        var point = Encoding.UTF8.GetBytes("""{"type":"Point","coordinates":[103.913,1.308]}""");
        var polygon = Encoding.UTF8.GetBytes("""{"type":"Polygon","coordinates":[""" + Square + "," + Hole + "]}");
        var before = 0L;
        for (var i = -100; i < 100; i++)
        {
            before = i == 0 ? GC.GetAllocatedBytesForCurrentThread() : before;
            Assert.True(_shape.TryRead(point) && CellId.Of(_shape.Point).Value != 0);
            Assert.True(_shape.TryRead(polygon) && _shape.Contains(SpherePoint.FromDegrees(100.1, 0.1)));
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    /// A star around a centre: simple, of any size, often not convex.
    internal static (double Longitude, double Latitude)[] RandomRing(
        Random random, out (double Longitude, double Latitude) centre, out double size)
    {
        centre = (random.NextDouble() * 340 - 170, random.NextDouble() * 140 - 70);
        size = Math.Pow(10, -random.NextDouble() * 5) * 0.15; // radians: from 950 km to 10 m
        var around = (centre, size);
        var corners = random.Next(3, 12);
        var ring = Enumerable.Range(0, corners).Select(corner =>
        {
            var angle = (corner + random.NextDouble() * 0.8) * 2 * Math.PI / corners;
            var radius = around.size * (0.2 + 0.8 * random.NextDouble()) * 180 / Math.PI;
            return (around.centre.Longitude + radius * Math.Cos(angle) / Math.Cos(around.centre.Latitude * Math.PI / 180),
                around.centre.Latitude + radius * Math.Sin(angle));
        }).Select(position => (Longitude: Math.Clamp(position.Item1, -180, 180), Latitude: Math.Clamp(position.Item2, -90, 90))).ToList();
        return [.. ring, ring[0]];
    }

    internal static (double Longitude, double Latitude) Near(Random random, (double Longitude, double Latitude) centre, double size)
    {
        var degrees = size * 180 / Math.PI;
        var across = degrees / Math.Cos(centre.Latitude * Math.PI / 180);
        return (Math.Clamp(centre.Longitude + (random.NextDouble() * 2 - 1) * across, -180, 180),
            Math.Clamp(centre.Latitude + (random.NextDouble() * 2 - 1) * degrees, -90, 90));
    }

    internal static string Polygon(params (double Longitude, double Latitude)[][] rings) =>
        """{"type":"Polygon","coordinates":[""" + string.Join(',', rings.Select(ring =>
            "[" + string.Join(',', ring.Select(position => Position(position.Longitude, position.Latitude))) + "]")) + "]}";

    internal static string Circle(double longitude, double latitude, double radius) =>
        $$"""{"type":"AeroCircle","coordinates":[{{Position(longitude, latitude)}},{{NaiveSphere.Json(radius)}}]}""";

    private static string Position(double longitude, double latitude) =>
        $"[{NaiveSphere.Json(longitude)},{NaiveSphere.Json(latitude)}]";

    private bool Read(string json) => _shape.TryRead(Encoding.UTF8.GetBytes(json));

    private bool Holds(double longitude, double latitude) => _shape.Contains(SpherePoint.FromDegrees(longitude, latitude));
}

using System.Text;
using Aerie.DataModel.Geo;
using Xunit;

namespace Aerie.Node.Tests.DataModel.Geo;

public sealed class CellCoveringTests
{
    private readonly GeoShape _shape = new();
    private readonly CellCovering _covering = new();

    [Fact]
    public void A_covering_holds_every_point_of_its_region_and_keeps_its_options()
    {
        var random = new Random(5);
        for (var i = 0; i < 800; i++)
        {
            var ring = GeoShapeTests.RandomRing(random, out var centre, out var size);
            var json = random.Next(2) == 0
                ? GeoShapeTests.Polygon(ring)
                : GeoShapeTests.Circle(centre.Longitude, centre.Latitude, size * GeoShape.EarthRadius);
            var options = Options(random, size);
            Read(json);
            _covering.Cover(_shape, options);
            var story = $"seed 5, region {i}, {options}: {json}";
            AssertKeeps(options, story);
            for (var sample = 0; sample < 20; sample++)
            {
                var (longitude, latitude) = GeoShapeTests.Near(random, centre, size);
                var point = SpherePoint.FromDegrees(longitude, latitude);
                Assert.True(!_shape.Contains(point) || _covering.Holds(CellId.Of(point)), story);
            }

            // And the border itself, whose points count to the region or not as rounding has it.
            Assert.All(ring, corner => Assert.True(json.Contains("AeroCircle", StringComparison.Ordinal)
                || _covering.Holds(CellId.Of(SpherePoint.FromDegrees(corner.Longitude, corner.Latitude))), story));
        }
    }

    [Fact]
    public void Corners_on_the_borders_of_cells_put_no_cell_wrong()
    {
        var random = new Random(6);
        for (var i = 0; i < 500; i++)
        {
            var (west, south) = (random.Next(-12, 12) * 15, random.Next(-5, 4) * 15);
            var (east, north) = (Math.Min(180, west + random.Next(1, 4) * 15), south + random.Next(1, 3) * 15);
            (double, double)[] ring = [(west, south), (east, south), (east, north), (west, north), (west, south)];
            Read(GeoShapeTests.Polygon(ring));
            _covering.Cover(_shape, new CoveringOptions(0, 12, random.Next(1, 65), 1));
            var corners = ring.Select(corner => SpherePoint.FromDegrees(corner.Item1, corner.Item2)).ToList();
            foreach (var cell in _covering.Cells.ToArray().Select(cell => new CellId(cell).Square()))
            {
                var isMet = Enumerable.Range(0, 4).Any(side => cell.Meets(corners[side], corners[side + 1]));
                Assert.True(isMet || _shape.Contains(cell.Inner), $"seed 6, region {i}");
            }

            for (var sample = 0; sample < 50; sample++)
            {
                var point = SpherePoint.FromDegrees(Between(random, west, east), Between(random, south, north));
                Assert.True(!_shape.Contains(point) || _covering.Holds(CellId.Of(point)), $"seed 6, region {i}");
            }
        }
    }

    [Fact]
    public void A_covering_is_close_around_its_region()
    {
        Read(GeoShapeTests.Circle(13.4, 52.5, 10_000));
        _covering.Cover(_shape, CoveringOptions.Default);
        var covered = _covering.Cells.ToArray().Sum(cell => Math.Pow(4, -new CellId(cell).Level)) * 4 * Math.PI / 6;
        var circle = Math.PI * Math.Pow(10_000 / GeoShape.EarthRadius, 2);
        Assert.InRange(covered / circle, 1, 2.5);
        Assert.False(_covering.Holds(CellId.Of(SpherePoint.FromDegrees(13.8, 52.5))));
    }

    [Fact]
    public void More_cells_fit_closer()
    {
        Read(GeoShapeTests.Polygon([(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)]));
        var areas = new[] { 4, 16, 64, 256 }.Select(cells =>
        {
            _covering.Cover(_shape, new CoveringOptions(0, 30, cells, 1));
            return _covering.Cells.ToArray().Sum(cell => Math.Pow(4, -new CellId(cell).Level));
        }).ToList();
        Assert.Equal(areas.OrderDescending(), areas);
        Assert.True(areas[3] < areas[0] * 0.8, string.Join(" ", areas));
    }

    [Fact]
    public void A_hole_is_not_covered()
    {
        Read(GeoShapeTests.Polygon(
            [(0, 0), (10, 0), (10, 10), (0, 10), (0, 0)],
            [(2, 2), (8, 2), (8, 8), (2, 8), (2, 2)]));
        _covering.Cover(_shape, new CoveringOptions(0, 30, 200, 1));
        Assert.Equal((true, false), (_covering.Holds(Leaf(1, 1)), _covering.Holds(Leaf(5, 5))));
    }

    [Fact]
    public void The_whole_Earth_is_six_cells()
    {
        Read(GeoShapeTests.Circle(0, 0, 30_000_000));
        _covering.Cover(_shape, new CoveringOptions(0, 30, 12, 1));
        Assert.Equal(Enumerable.Range(0, 6).Select(face => CellId.OfFace(face).Value), _covering.Cells.ToArray());
        _covering.Cover(_shape, new CoveringOptions(30, 30, 1, 3));
        Assert.InRange(_covering.Cells.Length, 6, 1024);
    }

    [Fact]
    public void A_region_of_many_long_edges_is_covered_in_bounded_steps()
    {
        var ring = Enumerable.Range(0, 40_000).Select(i => (i * 0.004 - 80, i % 2 == 0 ? -60.0 : 60.0)).ToList();
        Read(GeoShapeTests.Polygon([.. ring, (80.0, 80.0), (-80.0, 80.0), ring[0]]));
        _covering.Cover(_shape, new CoveringOptions(12, 30, 256, 3));
        Assert.InRange(_covering.Cells.Length, 1, 1024);
        Assert.True(_covering.Holds(Leaf(0, 65)));
    }

    [Fact]
    public void Covering_again_allocates_nothing()
    {
        Read(GeoShapeTests.Circle(13.4, 52.5, 10_000));
        var before = 0L;
        for (var i = -20; i < 20; i++)
        {
            before = i == 0 ? GC.GetAllocatedBytesForCurrentThread() : before;
            _covering.Cover(_shape, CoveringOptions.Default);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static double Between(Random random, double from, double to) => from + random.NextDouble() * (to - from);

    private static CoveringOptions Options(Random random, double size)
    {
        if (random.Next(3) == 0)
        {
            return CoveringOptions.Default;
        }

        var fits = (int)Math.Clamp(-Math.Log2(size), 0, 25); // about as large as a cell of this level
        var min = random.Next(0, fits + 2);
        return new CoveringOptions(min, random.Next(min, 31), random.Next(1, 65), random.Next(1, 4));
    }

    private void AssertKeeps(CoveringOptions options, string story)
    {
        var cells = _covering.Cells.ToArray().Select(cell => new CellId(cell)).ToList();
        Assert.All(cells, cell => Assert.True(cell.Level >= options.LevelMin && cell.Level <= options.LevelMax
            && (cell.Level - options.LevelMin) % options.LevelStep == 0, story));
        for (var i = 1; i < cells.Count; i++)
        {
            Assert.True(cells[i - 1].Last < cells[i].First, story);
        }

        var inevitable = cells.Select(cell => cell.Parent(options.LevelMin)).Distinct().Count();
        Assert.True(cells.Count > 0 && cells.Count <= Math.Max(options.CellsMax, inevitable), story);
    }

    private static CellId Leaf(double longitude, double latitude) => CellId.Of(SpherePoint.FromDegrees(longitude, latitude));

    private void Read(string json) => Assert.True(_shape.TryRead(Encoding.UTF8.GetBytes(json)), json);
}

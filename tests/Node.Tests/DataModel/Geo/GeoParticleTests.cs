using System.Text;
using Aerie.DataModel;
using Aerie.DataModel.Geo;
using Aerie.DataModel.Packed;
using Aerie.Foundation;
using Aerie.TestKit;
using Xunit;

namespace Aerie.Node.Tests.DataModel.Geo;

[Evidence("GEO-01")]
public sealed class GeoParticleTests
{
    private const string Point = """{"type":"Point","coordinates":[11.770681595,49.703498679]}""";
    private const string Circle = """{"type":"AeroCircle","coordinates":[[11.77,49.7],3000]}""";

    private readonly GrowingBytes _bytes = new(1024 * 1024);
    private readonly GeoScratch _scratch = new();

    [Fact]
    public void A_point_is_stored_with_its_leaf()
    {
        Assert.Equal(ResultCode.Ok, Build(Point));
        Assert.Equal("00000147A1CBD595522B39" + Convert.ToHexString(Encoding.UTF8.GetBytes(Point)), Convert.ToHexString(Built));
        Assert.True(GeoParticle.TryText(Built, out var json) && json.SequenceEqual(Encoding.UTF8.GetBytes(Point)));
        Assert.True(ParticleTypes.IsStorable((byte)ParticleType.GeoJson, Built));
    }

    [Fact]
    public void A_region_is_stored_with_the_cells_that_cover_it()
    {
        Assert.Equal(ResultCode.Ok, Build(Circle));
        Assert.Equal(GeoParticle.RegionFlag, Built[0]);
        var cells = Enumerable.Range(0, GeoParticle.CellCount(Built)).Select(i => GeoParticle.Cell(Built, i)).ToList();
        Assert.InRange(cells.Count, 1, CoveringOptions.Default.CellsMax);
        Assert.Contains(cells, cell => cell.Contains(new CellId(0x47a1cbd595522b39)));
        Assert.True(GeoParticle.TryText(Built, out var json) && json.SequenceEqual(Encoding.UTF8.GetBytes(Circle)));
    }

    [Fact]
    public void Bad_GeoJSON_is_refused_and_leaves_nothing()
    {
        Assert.Equal((ResultCode.GeoInvalid, 160), (Build("""{"type":"point","coordinates":[0,0]}"""), (int)ResultCode.GeoInvalid));
        Assert.Equal(0, _bytes.Length);
    }

    [Fact]
    public void A_value_that_does_not_fit_is_too_big()
    {
        var text = Encoding.UTF8.GetBytes(Point + new string(' ', 2000));
        Assert.Equal(ResultCode.RecordTooBig, GeoParticle.TryBuild(text, CoveringOptions.Default, _scratch, new GrowingBytes(16)));
    }

    [Fact]
    public void What_clients_send_has_no_cells()
    {
        Assert.True(GeoParticle.TryText([0, 0, 0, (byte)'{', (byte)'}'], out var json));
        Assert.Equal("{}"u8, json);
        Assert.False(GeoParticle.TryText([0, 0], out _));
        Assert.False(GeoParticle.TryText([0, 0, 1, 1, 2, 3, 4, 5, 6, 7], out _));
        Assert.False(GeoParticle.TryText([0, 0xFF, 0xFF, 1], out _));
    }

    [Theory]
    [InlineData(Point, Circle, true)]
    [InlineData(Circle, Point, true)]
    [InlineData("""{"type":"Point","coordinates":[12,49.7]}""", Circle, false)]
    [InlineData(Point, Point, false)]
    [InlineData(Circle, Circle, false)]
    [InlineData(Point, "x", false)]
    [InlineData("x", Circle, false)]
    public void A_point_is_within_a_region_in_either_order(string left, string right, bool expected) =>
        Assert.Equal(expected, GeoParticle.IsWithin(Encoding.UTF8.GetBytes(left), Encoding.UTF8.GetBytes(right), _scratch));

    [Fact]
    public void Building_a_point_and_comparing_it_allocate_nothing()
    {
        var point = Encoding.UTF8.GetBytes(Point);
        var circle = Encoding.UTF8.GetBytes(Circle);
        var before = 0L;
        for (var i = -100; i < 100; i++)
        {
            before = i == 0 ? GC.GetAllocatedBytesForCurrentThread() : before;
            _bytes.Clear();
            Assert.True(GeoParticle.TryBuild(point, CoveringOptions.Default, _scratch, _bytes) == ResultCode.Ok);
            Assert.True(GeoParticle.IsWithin(point, circle, _scratch));
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private byte[] Built => _bytes.Read(0, _bytes.Length).ToArray();

    private ResultCode Build(string json) =>
        GeoParticle.TryBuild(Encoding.UTF8.GetBytes(json), CoveringOptions.Default, _scratch, _bytes);
}

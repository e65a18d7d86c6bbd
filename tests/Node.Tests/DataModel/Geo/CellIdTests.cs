using Aerie.DataModel.Geo;
using Xunit;

namespace Aerie.Node.Tests.DataModel.Geo;

public sealed class CellIdTests
{
    [Theory] // published with the S2 libraries: leaf, latitude, longitude
    [InlineData(0x47a1cbd595522b39, 49.703498679, 11.770681595)]
    [InlineData(0x46525318b63be0f9, 55.685376759, 12.588490937)]
    [InlineData(0x52b30b71698e729d, 45.486546517, -93.449700022)]
    [InlineData(0x46ed8886cfadda85, 58.299984854, 23.049300056)]
    [InlineData(0x3663f18a24cbe857, 34.364439040, 108.330699969)]
    [InlineData(0x10a06c0a948cf5d, -30.694551352, -30.048758753)]
    [InlineData(0x2b2bfd076787c5df, -25.285264027, 133.823116966)]
    [InlineData(0xb09dff882a7809e1, -75.000000031, 0.000000133)]
    [InlineData(0x94daa3d000000001, -24.694439215, -47.537363213)]
    [InlineData(0x87a1000000000001, 38.899730392, -99.901813021)]
    [InlineData(0x4fc76d5000000001, 81.647200334, -55.631712940)]
    [InlineData(0x3b00955555555555, 10.050986518, 78.293170610)]
    [InlineData(0x1dcc469991555555, -34.055420593, 18.551140038)]
    [InlineData(0xb112966aaaaaaaab, -69.219262171, 49.670072392)]
    public void A_leaf_is_the_one_of_every_S2_library(ulong leaf, double latitude, double longitude)
    {
        var point = SpherePoint.FromDegrees(longitude, latitude);
        Assert.Equal($"{leaf:x16}", $"{CellId.Of(point).Value:x16}");
        var square = new CellId(leaf).Square();
        var centre = square.Corner(0) + square.Corner(2);
        Assert.True(centre.Angle(point) < 1e-9 * Math.PI / 180);
    }

    [Fact]
    public void A_leaf_is_the_one_of_the_definition()
    {
        var random = new Random(1);
        for (var i = 0; i < 20_000; i++)
        {
            var (longitude, latitude) = (random.NextDouble() * 360 - 180, random.NextDouble() * 180 - 90);
            var expected = NaiveSphere.LeafCell(NaiveSphere.Point(longitude, latitude));
            var actual = CellId.Of(SpherePoint.FromDegrees(longitude, latitude)).Value;
            Assert.True(expected == actual, $"seed 1, point {longitude:R} {latitude:R}: {actual:x16}, by definition {expected:x16}");
        }
    }

    [Fact]
    public void Ids_of_parents_and_children_follow_their_numbers()
    {
        var cell = new CellId((3UL << 61) + 0x12345700); // published: face 3, level 26
        Assert.Equal((3, 26), (cell.Face, cell.Level));
        Assert.Equal(((3UL << 61) + 0x12345640, (3UL << 61) + 0x12345400), (cell.Child(0).Value, cell.Parent(25).Value));
        Assert.Equal((3UL << 61) + 0x12345000, cell.Parent(24).Value);
        Assert.Equal(cell, cell.Child(2).Parent(26));
        Assert.Equal((cell.First, cell.Last), (cell.Child(0).First, cell.Child(3).Last));
        Assert.Equal(0x1000000000000000UL, CellId.OfFace(0).Value);
    }

    [Fact]
    public void A_square_holds_the_points_of_its_cell_at_every_level()
    {
        var random = new Random(2);
        for (var i = 0; i < 2_000; i++)
        {
            var point = SpherePoint.FromDegrees(random.NextDouble() * 360 - 180, random.NextDouble() * 180 - 90);
            var leaf = CellId.Of(point);
            for (var level = 0; level <= CellId.LevelMax; level++)
            {
                var cell = leaf.Parent(level);
                Assert.True(cell.Contains(leaf) && cell.Level == level && cell.Square().Holds(point));
                Assert.Equal(cell, CellId.Of(cell.Square().Inner).Parent(level));
            }
        }
    }

    [Fact]
    public void A_way_meets_the_squares_that_it_passes()
    {
        var random = new Random(3);
        for (var i = 0; i < 2_000; i++)
        {
            var a = SpherePoint.FromDegrees(random.NextDouble() * 360 - 180, random.NextDouble() * 180 - 90);
            var far = SpherePoint.FromDegrees(random.NextDouble() * 360 - 180, random.NextDouble() * 180 - 90);
            var b = (a + far * Math.Pow(10, -random.Next(8))).Normalized();
            var level = random.Next(12);
            var passed = Enumerable.Range(0, 50).Select(step => a * (1 - step / 49.0) + b * (step / 49.0))
                .Select(point => CellId.Of(point).Parent(level)).Distinct();
            Assert.All(passed, cell => Assert.True(cell.Square().Meets(a, b), $"seed 3, step {i}"));
        }
    }
}

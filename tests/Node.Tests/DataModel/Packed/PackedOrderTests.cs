using Aerie.DataModel.Packed;
using Aerie.TestKit;
using Xunit;

namespace Aerie.Node.Tests.DataModel.Packed;

[Evidence("CDT-ORDER-01")]
public class PackedOrderTests
{
    /// Packed values from the least to the greatest.
    private static readonly string[] Ascending =
    [
        "C0", "C2", "C3",
        "D38000000000000000", "D1FF00", "FF", "00", "7F", "CC80", "CD0100", "CF7FFFFFFFFFFFFFFF",
        "A103", "A20361", "A3036161", "A20362",
        "90", "9101", "920101", "93010101", "9102", "92029103", "920292" + "0301",
        "80", "810101", "810102", "810201", "8201010202", "8201010203", "8201020202",
        "C40104", "C4020400", "C402" + "04FF", "C402" + "0700",
        "CBFFF0000000000000", "CBBFF0000000000000", "CB8000000000000000", "CB0000000000000000", "CB3FF0000000000000", "CB7FF0000000000000",
        "A2177B", "C70102AA", "C70103AA", "D4FF00", "D4FF01",
    ];

    [Fact]
    public void Values_of_all_kinds_stand_in_one_order()
    {
        for (var i = 0; i < Ascending.Length; i++)
        {
            for (var j = 0; j < Ascending.Length; j++)
            {
                var order = PackedOrder.Compare(Convert.FromHexString(Ascending[i]), Convert.FromHexString(Ascending[j]));
                Assert.True(Math.Sign(order) == Math.Sign(i.CompareTo(j)), $"{Ascending[i]} against {Ascending[j]}: {order}");
            }
        }
    }

    [Theory]
    [InlineData("01", "CC01")]
    [InlineData("CA3F800000", "CB3FF0000000000000")]
    [InlineData("A20361", "D9020361")]
    [InlineData("93C7000101" + "02", "920102")]
    [InlineData("82C70001C00102", "810102")]
    [InlineData("9192C7000101", "919101")]
    public void The_form_and_the_mark_of_order_are_no_part_of_a_value(string a, string b) =>
        Assert.Equal(0, PackedOrder.Compare(Convert.FromHexString(a), Convert.FromHexString(b)));

    [Theory]
    [InlineData("05", "D4FF00", true)]
    [InlineData("920105", "9201D4FF00", true)]
    [InlineData("93010506", "9201D4FF00", true)]
    [InlineData("9101", "9201D4FF00", true)]
    [InlineData("920205", "9201D4FF00", false)]
    [InlineData("92920105" + "07", "929201D4FF00" + "07", true)]
    [InlineData("92930105" + "0607", "929201D4FF00" + "07", true)]
    [InlineData("92920105" + "08", "929201D4FF00" + "07", false)]
    [InlineData("8201020304", "82010203D4FF00", true)]
    [InlineData("8201020304", "8101D4FF00", false)]
    [InlineData("05", "05", true)]
    public void A_wildcard_equals_what_stands_in_its_place_and_the_rest_of_a_list(string value, string pattern, bool equal) =>
        Assert.Equal(equal, PackedOrder.CompareToPattern(Convert.FromHexString(value), Convert.FromHexString(pattern)) == 0);

    [Fact]
    public void Broken_bytes_are_the_least()
    {
        Assert.True(PackedOrder.Compare([], [0xC0]) < 0);
        Assert.True(PackedOrder.Compare([0x92, 0x01], [0x92, 0x01, 0xC0]) < 0);
        Assert.True(PackedOrder.Compare([0x01], [0xC1]) > 0);
    }

    [Fact]
    public void Values_of_any_depth_are_compared_without_recursion()
    {
        var a = Enumerable.Repeat((byte)0x91, 1_000_000).Append((byte)0x01).ToArray();
        var b = Enumerable.Repeat((byte)0x91, 1_000_000).Append((byte)0x02).ToArray();
        Assert.True(PackedOrder.Compare(a, b) < 0);
    }
}

using Aerie.DataModel;
using Xunit;

namespace Aerie.Node.Tests.DataModel;

public sealed class ParticleTypesTests
{
    /// Type, length of the value, may it be stored.
    public static TheoryData<int, int, bool> Storable => new()
    {
        { 0, 0, false },
        { 1, 1, true }, { 1, 2, true }, { 1, 4, true }, { 1, 8, true }, { 1, 0, false }, { 1, 3, false }, { 1, 9, false },
        { 2, 8, true }, { 2, 4, false }, { 2, 0, false },
        { 3, 0, true }, { 3, 100, true },
        { 4, 0, true }, { 4, 100, true },
        { 5, 1, false }, { 6, 1, false },
        { 7, 0, true }, { 8, 3, true }, { 9, 3, true }, { 10, 3, true }, { 11, 3, true }, { 12, 3, true },
        { 13, 3, false }, { 16, 1, false },
        { 17, 1, true }, { 17, 0, false }, { 17, 2, false },
        { 18, 0, true }, { 18, 10, true },
        { 19, 1, true }, { 19, 0, false },
        { 20, 1, true }, { 20, 0, false },
        { 21, 1, false }, { 22, 1, false },
        { 23, 3, true }, { 23, 2, false },
        { 24, 1, false }, { 255, 8, false },
    };

    [Theory, MemberData(nameof(Storable))]
    public void A_value_may_be_stored_or_not(int type, int length, bool isStorable) =>
        Assert.Equal(isStorable, ParticleTypes.IsStorable((byte)type, new byte[length]));

    [Fact]
    public void A_bool_is_0_or_1() => Assert.False(ParticleTypes.IsStorable(17, [2]));

    [Fact]
    public void Text_is_what_can_be_appended_to()
    {
        var text = Enumerable.Range(0, 256).Where(type => ParticleTypes.IsText((ParticleType)type));
        Assert.Equal([3, 4, 7, 8, 9, 10, 11, 12], text);
    }

    [Theory]
    [InlineData(-1, new byte[] { 0xFF })]
    [InlineData(127, new byte[] { 0x7F })]
    [InlineData(-32768, new byte[] { 0x80, 0x00 })]
    [InlineData(-2, new byte[] { 0xFF, 0xFF, 0xFF, 0xFE })]
    [InlineData(long.MinValue, new byte[] { 0x80, 0, 0, 0, 0, 0, 0, 0 })]
    public void Integers_of_any_width_keep_their_sign(long number, byte[] bytes) => Assert.Equal(number, Integers.Widen(bytes));
}

using System.Runtime.InteropServices;
using Aerie.Foundation;
using Aerie.Index;
using Xunit;

namespace Aerie.Node.Tests.Index;

public sealed class RecordEntryTests
{
    private static readonly Digest Sample = new(Convert.FromHexString("2A1102030405060708090A0B0C0D0E0F10111213"));

    [Fact]
    public void The_layout_is_frozen()
    {
        var entry = Filled();

        var bytes = Convert.ToHexString(MemoryMarshal.AsBytes(new ReadOnlySpan<RecordEntry>(in entry)));

        Assert.Equal(
            "1102030405060708090A0B0C0D0E0F10111213" // digest bytes 1..19
            + "BC" // set id 0xABC, low
            + "3412" // generation
            + "A3FE" // flags 3 (held, tombstone), set id high A, last-update-time high FE
            + "04030201" // void-time
            + "44332211" // last-update-time low
            + "EFCD5B341200F0CD", // units 0xBCDEF, location 0xCDF00012345
            bytes);
        Assert.Equal(40, Marshal.SizeOf<RecordEntry>());
    }

    [Fact]
    public void Every_field_reads_as_written()
    {
        var entry = Filled();

        Assert.Equal(Sample, entry.Digest(Sample.Partition));
        Assert.Equal((ushort)0x1234, entry.Generation);
        Assert.Equal(0xABC, entry.SetId);
        Assert.Equal(0x01020304u, entry.VoidTime);
        Assert.Equal(0xFE11223344UL, entry.LastUpdateTime);
        Assert.Equal(0xCDF00012345UL, entry.Location);
        Assert.Equal(0xBCDEFu, entry.Units);
        Assert.True(entry.IsHeld);
        Assert.True(entry.IsTombstone);
        Assert.False(entry.IsAwaited);
    }

    [Fact]
    public void Fields_that_share_bytes_leave_each_other_alone()
    {
        var entry = Filled();

        entry.SetId = 0;
        entry.IsTombstone = false;
        entry.IsAwaited = true;
        Assert.Equal(0xFE11223344UL, entry.LastUpdateTime);
        Assert.True(entry.IsHeld);

        entry.LastUpdateTime = 0;
        entry.SetId = RecordEntry.SetIdMax;
        entry.IsHeld = false;
        Assert.Equal(RecordEntry.SetIdMax, entry.SetId);
        Assert.True(entry.IsAwaited);
        Assert.False(entry.IsHeld);
        Assert.Equal(0UL, entry.LastUpdateTime);
        Assert.Equal(Sample, entry.Digest(Sample.Partition));
    }

    [Fact]
    public void What_does_not_fit_is_refused()
    {
        Assert.Throws<InvariantException>(() => new RecordEntry().SetPlace(RecordEntry.LocationMax + 1, 0));
        Assert.Throws<InvariantException>(() => new RecordEntry().SetPlace(0, RecordEntry.UnitsMax + 1));
        Assert.Throws<InvariantException>(() => new RecordEntry { SetId = RecordEntry.SetIdMax + 1 });
        Assert.Throws<InvariantException>(() => new RecordEntry { LastUpdateTime = RecordEntry.LastUpdateTimeMax + 1 });
    }

    private static RecordEntry Filled()
    {
        var entry = new RecordEntry();
        entry.Reset(Sample);
        entry.Generation = 0x1234;
        entry.SetId = 0xABC;
        entry.VoidTime = 0x01020304;
        entry.LastUpdateTime = 0xFE11223344;
        entry.SetPlace(0xCDF00012345, 0xBCDEF);
        entry.IsHeld = true;
        entry.IsTombstone = true;
        return entry;
    }
}

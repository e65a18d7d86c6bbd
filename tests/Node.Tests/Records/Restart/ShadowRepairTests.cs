using Aerie.Node.Tests.Records.Flushing;
using Aerie.TestKit;
using Xunit;

namespace Aerie.Node.Tests.Records.Restart;

/// A crash can keep the last writes from a device or from its shadow. After the next start both say the same, or a shadow that
/// stands in later would not tell what clients were told meanwhile.
public sealed class ShadowRepairTests
{
    private const string Shadow = "/data/shadow.dat";
    private const long Length = 128 * 1024 * 1024;

    private readonly SimulatedDisk _disk = new();

    public ShadowRepairTests()
    {
        _disk.Add(DeviceNode.Path, Length);
        _disk.Add(Shadow, Length);
    }

    [Fact]
    public void A_write_that_the_shadow_lost_in_a_crash_is_on_it_after_the_next_start()
    {
        WriteButLose(Shadow);
        StartOnceMore(finds: true);
        LoseTheDevice();
        StartOnceMore(finds: true);
    }

    [Fact]
    public void A_write_that_the_device_lost_in_a_crash_is_not_on_the_shadow_after_the_next_start()
    {
        WriteButLose(DeviceNode.Path);
        StartOnceMore(finds: false);
        LoseTheDevice();
        StartOnceMore(finds: false);
    }

    [Fact]
    public void A_clean_end_leaves_nothing_to_repair()
    {
        using (var node = Open())
        {
            node.Writer.Put("k", [1]);
            Assert.True(node.Node.Flushers[0].TryEnd());
        }

        var reads = _disk[Shadow].Count(DiskOperation.Read);
        using var again = Open();
        Assert.True(again.Writer.Exists("k"));
        Assert.InRange(_disk[Shadow].Count(DiskOperation.Read) - reads, 0, 8); // headers of the device, no block
    }

    // "late" is flushed on both, and then one of them is put back to what it was before.
    private void WriteButLose(string path)
    {
        using (var node = Open())
        {
            node.Writer.Put("early", [1]);
            node.Flush();
            var before = _disk[path].Peek(0, (int)Length);
            node.Writer.Put("late", [2]);
            node.Flush();
            _disk[path].Poke(0, before);
        }

        _disk.Crash(1);
    }

    private void LoseTheDevice()
    {
        _disk.Crash(2);
        _disk.Remove(DeviceNode.Path);
        _disk.Add(DeviceNode.Path, Length);
    }

    private void StartOnceMore(bool finds)
    {
        using var node = Open();
        Assert.True(node.Writer.Exists("early"));
        Assert.Equal(finds, node.Writer.Exists("late"));
    }

    private DeviceNode Open() => new(_disk, shadow: Shadow);
}

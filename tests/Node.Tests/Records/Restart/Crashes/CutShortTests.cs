using System.Text;
using Aerie.Io;
using Aerie.Node.Tests.Records.Flushing;
using Aerie.Storage.Devices;
using Aerie.TestKit;
using Xunit;

namespace Aerie.Node.Tests.Records.Restart.Crashes;

/// Work on labels and marks that the power cuts short, case by case.
public sealed class CutShortTests
{
    private const long Length = 5L * DeviceLayout.BlockLength;
    private const string First = "/data/first";
    private const string Second = "/data/second";

    private readonly SimulatedDisk _disk = new();

    [Fact]
    public void Formatting_several_devices_may_be_cut_short_after_any_of_them()
    {
        for (var writes = 0; writes < 20; writes++)
        {
            var disk = new SimulatedDisk();
            disk.Add(First, Length);
            disk.Add(Second, Length).Fail(DiskOperation.Write, after: writes);
            try
            {
                OpenPair(disk).Dispose();
            }
            catch (DeviceException)
            {
                disk[Second].Heal();
                disk.Crash(writes);
                using var again = OpenPair(disk);
                Assert.Equal(2, again.Devices[1].Header.DeviceCount);
            }
        }
    }

    [Fact]
    public void A_device_that_is_really_gone_is_still_missed()
    {
        _disk.Add(First, Length);
        _disk.Add(Second, Length);
        using (var devices = OpenPair(_disk))
        {
            devices.Save(new NamespaceMetadata());
        }

        _disk.Remove(Second);
        _disk.Add(Second, Length);
        var refused = Assert.Throws<StorageException>(() => OpenPair(_disk));
        Assert.Contains("are not configured any more", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Metadata_that_fails_to_be_saved_again_and_again_leaves_the_last_good_one()
    {
        for (var seed = 1; seed <= 40; seed++)
        {
            var disk = new SimulatedDisk();
            disk.Add(First, Length);
            using (var devices = Open(disk, new DevicePath(First, null)))
            {
                devices.Save(ManySets(1));
                devices.Save(ManySets(2));
                disk[First].Fail(DiskOperation.Write);
                Assert.Throws<DeviceException>(() => devices.Save(ManySets(3)));
                Assert.Throws<DeviceException>(() => devices.Save(ManySets(4)));
            }

            disk[First].Heal();
            disk.Crash(seed);
            using var again = Open(disk, new DevicePath(First, null));
            Assert.True(again.Metadata is { Generation: >= 2 }, $"seed {seed}");
        }
    }

    [Fact]
    public void A_copy_to_a_new_shadow_that_is_cut_short_is_none()
    {
        for (var seed = 1; seed <= 4; seed++)
        {
            var disk = new SimulatedDisk();
            disk.Add(First, Length);
            using (var devices = Open(disk, new DevicePath(First, null)))
            {
                devices.Save(ManySets(1));
            }

            disk.Crash(seed);
            disk.Add(Second, Length).Fail(DiskOperation.Sync, after: seed % 2);
            Assert.Throws<DeviceException>(() => Open(disk, new DevicePath(First, Second)));
            disk[Second].Heal();
            disk.Crash(seed);
            var pages = disk[Second].Peek(0, DeviceLayout.DeviceHeadersLength);
            if (DeviceHeader.Read(pages, out _) == DeviceRefusal.None)
            {
                using var shadow = Open(disk, new DevicePath(Second, null));
                Assert.True(shadow.Metadata is { Generation: 1 }, $"seed {seed}");
            }
        }
    }

    [Fact]
    public void What_is_not_written_yet_keeps_marks_from_being_dropped()
    {
        using var node = new DeviceNode(_disk);
        node.Writer.Put("k", [1]);
        Assert.InRange(node.Records.Log.OldestSequence, 1UL, node.Records.Log.LastSequence);
        node.Flush();
        Assert.InRange(node.Records.Log.OldestSequence, 1UL, node.Records.Log.LastSequence);
    }

    // All pages differ between two of them.
    private static NamespaceMetadata ManySets(ulong cut)
    {
        var metadata = new NamespaceMetadata();
        for (ushort id = 1; id <= 200; id++)
        {
            metadata.Sets.Add(new SetMetadata(id, Encoding.UTF8.GetBytes($"set{id}"), cut, 0));
        }

        return metadata;
    }

    private static DeviceSet OpenPair(SimulatedDisk disk) => Open(disk, new DevicePath(First, null), new DevicePath(Second, null));

    private static DeviceSet Open(SimulatedDisk disk, params DevicePath[] devices) => DeviceSet.Open(disk, new DeviceSetOptions
    {
        Namespace = "test",
        Devices = devices,
        DisableDataSync = true,
        Clock = new FakeClock(),
    });
}

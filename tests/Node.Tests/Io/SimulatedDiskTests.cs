using Aerie.Io;
using Aerie.Memory;
using Aerie.TestKit;
using Xunit;

namespace Aerie.Node.Tests.Io;

/// Crashes and faults that tests of the storage rely on.
public sealed class SimulatedDiskTests : BlockDeviceContract
{
    private const string Name = "disk";

    private readonly SimulatedDisk _disk = new();
    private int _last;

    protected override IBlockDevices Devices => _disk;

    [Fact]
    public void What_was_synced_survives_every_crash()
    {
        for (var seed = 0; seed < 20; seed++)
        {
            var device = _disk.Open(Writer(Name));
            device.Write(0, Filled(2 * Page.Length, (byte)(seed + 1)));
            device.Sync();
            _disk.Crash(seed);
            Assert.Equal(Filled(2 * Page.Length, (byte)(seed + 1)), _disk[Name].Peek(0, 2 * Page.Length).AsSpan());
        }

        using var safe = _disk.Open(Writer(Name) with { DataSync = true });
        safe.Write(0, Filled(Page.Length, 99));
        Assert.Equal(0, _disk[Name].UnsyncedBytes);
        _disk.Crash(1);
        Assert.Equal(Filled(Page.Length, 99), _disk[Name].Peek(0, Page.Length).AsSpan());
    }

    [Fact]
    public void What_was_not_synced_is_there_or_lost_or_torn_in_sectors_and_in_any_order()
    {
        var (kept, lost, torn, swapped) = (0, 0, 0, 0);
        for (var seed = 0; seed < 200; seed++)
        {
            var device = _disk.Open(Writer(Name));
            device.Write(0, Filled(Page.Length, 1));
            device.Sync();
            device.Write(0, Filled(Page.Length, 2));
            device.Write(0, Filled(Page.Length, 3));
            Assert.Equal(Filled(Page.Length, 3), Read(device, 0, Page.Length));
            _disk.Crash(seed);
            var sectors = _disk[Name].Peek(0, Page.Length).Chunk(SimulatedMedium.Sector).ToList();
            Assert.All(sectors, sector => Assert.Single(sector.Distinct()));
            var values = sectors.Select(sector => sector[0]).Distinct().ToList();
            kept += values is [3] ? 1 : 0;
            lost += values is [1] ? 1 : 0;
            swapped += values is [2] ? 1 : 0;
            torn += values.Count > 1 ? 1 : 0;
        }

        Assert.All([kept, lost, torn, swapped], count => Assert.True(count > 10));
    }

    [Fact]
    public void The_same_seed_gives_the_same_crash()
    {
        var survivors = Enumerable.Range(0, 2).Select(_ =>
        {
            var disk = new SimulatedDisk();
            var device = disk.Open(Writer(Name));
            for (var i = 0; i < 20; i++)
            {
                device.Write(i * Page.Length, Filled(2 * Page.Length, (byte)(i + 1)));
            }

            disk.Crash(77);
            return disk[Name].Peek(0, 21 * Page.Length);
        }).ToList();
        Assert.Equal(survivors[0], survivors[1]);
    }

    [Fact]
    public void Who_was_there_before_the_crash_must_open_again()
    {
        var device = _disk.Open(Writer(Name));
        _disk.Crash(1);
        Assert.Equal("disk: cannot read 4096 bytes at 0: No such device", ReadRefusal(device));
        Assert.Throws<DeviceException>(device.Sync);
        _disk.Open(Writer(Name)).Dispose();
    }

    [Fact]
    public void Errors_can_be_planned_for_a_range_and_a_time()
    {
        using var device = _disk.Open(Writer(Name));
        var medium = _disk[Name];
        medium.Fail(DiskOperation.Read, offset: 8192, length: 4096, after: 1, times: 2);
        Read(device, 0, Page.Length);
        Read(device, 8192, Page.Length);
        Assert.Equal("disk: cannot read 4096 bytes at 8192: Input/output error", ReadRefusal(device, 8192));
        Read(device, 0, 2 * Page.Length);
        ReadRefusal(device, 8192);
        Read(device, 8192, Page.Length);

        medium.Fail(DiskOperation.Sync);
        medium.Fail(DiskOperation.Write, after: 1);
        device.Write(0, Filled(Page.Length, 1));
        Assert.Throws<DeviceException>(() => device.Write(Page.Length, Filled(Page.Length, 1)));
        Assert.Equal("disk: cannot sync: Input/output error", Assert.Throws<DeviceException>(device.Sync).Message);
        Assert.True(medium.UnsyncedBytes >= Page.Length);
        medium.Heal();
        device.Sync();
        Assert.Equal((0L, 2L), (medium.UnsyncedBytes, medium.Count(DiskOperation.Sync)));
    }

    [Fact]
    public void A_full_a_read_only_and_a_missing_device_can_be_played()
    {
        _disk.Room = 100 * Page.Length;
        using var device = _disk.Open(Writer(Name));
        Assert.Equal(
            "other: cannot allocate 262144 bytes at 0: No space left on device",
            Assert.Throws<DeviceException>(() => _disk.Open(Writer("other"))).Message);
        _disk[Name].IsReadOnly = true;
        Assert.Throws<DeviceException>(() => device.Write(0, Filled(Page.Length, 1)));
        Read(device, 0, Page.Length);
        _disk[Name].IsGone = true;
        ReadRefusal(device);
        Assert.Throws<DeviceException>(() => _disk.Open(Writer(Name) with { ReadOnly = true }));
    }

    [Fact]
    public void Corruption_is_silent()
    {
        using var device = _disk.Open(Writer(Name));
        device.Write(0, Filled(Page.Length, 0));
        _disk[Name].Corrupt(100, 10, seed: 5, bits: 3);
        var read = Read(device, 0, Page.Length).ToArray();
        Assert.Equal(3, read.Sum(one => System.Numerics.BitOperations.PopCount(one)));
        Assert.All(read.Index().Where(one => one.Item != 0), one => Assert.InRange(one.Index, 100, 109));
    }

    protected override string NewPath() => $"simulated{++_last}";

    private string ReadRefusal(IBlockDevice device, long offset = 0) =>
        Assert.Throws<DeviceException>(() => Read(device, offset, Page.Length)).Message;
}

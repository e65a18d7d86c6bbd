using Aerie.Io;
using Aerie.Storage;
using Aerie.Storage.Devices;
using Aerie.TestKit;
using Xunit;

namespace Aerie.Node.Tests.Storage;

/// The contract on devices: every block that is written leaves the memory at once, unless a subclass says otherwise.
public abstract class DeviceRecordLogContract : RecordLogContract
{
    protected override int HeaderLength => DeviceLayout.PageLength;

    protected virtual int Devices => 1;

    protected virtual bool Shadows => false;

    protected virtual bool KeepAll => false;

    protected virtual IBlockDevices Door { get; } = new SimulatedDisk();

    protected virtual string PathOf(string name, long length) => name;

    protected override IBlockBacking CreateBacking(int blocks)
    {
        var perDevice = (blocks + Devices - 1) / Devices;
        Assert.Equal(blocks, perDevice * Devices);
        var length = (perDevice + 1L) * DeviceLayout.BlockLength;
        var set = DeviceSet.Open(Door, new DeviceSetOptions
        {
            Namespace = "test",
            Devices = [.. Enumerable.Range(0, Devices).Select(i =>
                new DevicePath(PathOf($"d{i}", length), Shadows ? PathOf($"s{i}", length) : null))],
            FileSize = length,
            Clock = new FakeClock(),
        });
        return new DeviceBacking(set, new DeviceBackingOptions
        {
            Cursors = 3,
            Readers = IBlockBacking.ReadersMax,
            MaxWriteCache = static () => 1L << 40,
            PostWriteCache = static () => 0,
            KeepAll = KeepAll,
            Clock = new FakeClock(),
        }, highestSequence: 0);
    }

    protected override byte[] Read(RecordLog log, RecordLocation location)
    {
        if (log.TryRead(Environment.CurrentManagedThreadId % IBlockBacking.ReadersMax, location, out var image))
        {
            return Plain(log, location, image);
        }

        var (device, offset) = log.PlaceOf(location);
        var from = offset / DeviceLayout.PageLength * DeviceLayout.PageLength;
        var to = (offset + location.Length + DeviceLayout.PageLength - 1) / DeviceLayout.PageLength * DeviceLayout.PageLength;
        using var pages = Aerie.Memory.NativeRegion.Reserve(to - from, hugePages: false);
        device.Read(from, pages.Span(0, (int)(to - from)));
        return Plain(log, location, pages.Span(offset - from, location.Length));
    }
}

public sealed class OneDeviceRecordLogTests : DeviceRecordLogContract;

public sealed class TwoDevicesRecordLogTests : DeviceRecordLogContract
{
    protected override int Devices => 2;
}

public sealed class ShadowedRecordLogTests : DeviceRecordLogContract
{
    protected override bool Shadows => true;
}

public sealed class WriteThroughRecordLogTests : DeviceRecordLogContract
{
    protected override bool KeepAll => true;
}

public sealed class FileRecordLogTests : DeviceRecordLogContract, IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("aerie");

    protected override IBlockDevices Door { get; } = new DeviceFiles();

    protected override string PathOf(string name, long length) => Path.Combine(_folder.FullName, name);

    public void Dispose() => _folder.Delete(recursive: true);
}

public sealed class RawRecordLogTests : DeviceRecordLogContract, IDisposable
{
    private readonly List<LoopDevice> _devices = [];

    protected override IBlockDevices Door { get; } = new DeviceFiles();

    protected override string PathOf(string name, long length)
    {
        var device = LoopDevice.TryAttach(length);
        Assert.SkipWhen(device is null, "this machine lets us attach no loop device");
        _devices.Add(device!);
        return device!.Path;
    }

    public void Dispose() => _devices.ForEach(static device => device.Dispose());
}

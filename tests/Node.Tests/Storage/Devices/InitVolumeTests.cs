using Aerie.Io;
using Aerie.Server;
using Aerie.Storage.Devices;
using Aerie.TestKit;
using Xunit;

namespace Aerie.Node.Tests.Storage.Devices;

public sealed class InitVolumeTests : IDisposable
{
    private readonly StringWriter _output = new();

    [Theory, InlineData("Header"), InlineData("Discard"), InlineData("Zero")]
    public void Each_method_leaves_an_empty_device_of_wiped_blocks(string name)
    {
        var method = Enum.Parse<InitMethod>(name);
        var disk = TestDevice.Disk();

        Assert.Equal(0, Run(disk, method, force: true));

        Assert.Equal(DeviceRefusal.Empty, DeviceHeader.Read(TestDevice.Read(disk, 0, DeviceLayout.DeviceHeadersLength), out _));
        for (var slot = 0; slot < DeviceLayout.MetadataSlots; slot++)
        {
            Assert.False(TestDevice.Read(disk, DeviceLayout.MetadataOffset(slot), DeviceLayout.MetadataLengthMax)
                .AsSpan().ContainsAnyExcept((byte)0));
        }

        var length = method == InitMethod.Zero ? DeviceLayout.BlockLength : DeviceLayout.PageLength;
        for (var block = 1; block < TestDevice.Blocks; block++)
        {
            Assert.False(TestDevice.Read(disk, DeviceLayout.BlockOffset(block), length).AsSpan().ContainsAnyExcept((byte)0));
        }

        Assert.Contains("/dev/test: empty, 5 blocks of 8 MiB", _output.ToString());
    }

    [Fact]
    public void Records_are_given_up_by_force_only()
    {
        var disk = TestDevice.Disk();
        Assert.Equal(2, Run(disk, InitMethod.Header, force: false));
        Assert.Equal("/dev/test: carries records of namespace test (device 1 of 1): --force gives them up" + Environment.NewLine,
            _output.ToString());
        Assert.Equal(DeviceRefusal.None, DeviceHeader.Read(TestDevice.Read(disk, 0, DeviceLayout.DeviceHeadersLength), out _));
    }

    [Fact]
    public void Foreign_data_and_damaged_labels_are_given_up_by_force_only()
    {
        var disk = TestDevice.EmptyDisk();
        TestDevice.Write(disk, 100, "a file system"u8);
        Assert.Equal(2, Run(disk, InitMethod.Header, force: false));
        TestDevice.Write(disk, 0, "AERIEDEV\x01\0\0\0"u8);
        Assert.Equal(2, Run(disk, InitMethod.Header, force: false));
        Assert.Equal(0, Run(disk, InitMethod.Header, force: true));
    }

    [Fact]
    public void An_empty_device_needs_no_force() => Assert.Equal(0, Run(TestDevice.EmptyDisk(), InitMethod.Header, force: false));

    [Fact]
    public void Nothing_is_changed_when_one_of_several_is_refused()
    {
        var disk = TestDevice.Disk();
        disk.Add("/dev/small", DeviceLayout.BlockLength);
        Assert.Equal(2, Run(disk, InitMethod.Header, force: true, TestDevice.Path, "/dev/small"));
        Assert.Equal(2, Run(disk, InitMethod.Header, force: true, TestDevice.Path, "/dev/missing"));
        Assert.Equal(DeviceRefusal.None, DeviceHeader.Read(TestDevice.Read(disk, 0, DeviceLayout.DeviceHeadersLength), out _));
    }

    [Fact]
    public void A_file_that_is_open_for_writing_is_refused()
    {
        var folder = Directory.CreateTempSubdirectory("aerie-init");
        try
        {
            var path = Path.Combine(folder.FullName, "volume");
            var order = new DeviceOrder(path, 4L * DeviceLayout.BlockLength, Direct: false, DataSync: false, ReadOnly: false);
            using (new DeviceFiles().Open(order))
            {
                Assert.Equal(2, Run(new DeviceFiles(), InitMethod.Header, force: true, path));
            }

            Assert.Contains("in use by another process", _output.ToString());
            Assert.Equal(0, Run(new DeviceFiles(), InitMethod.Header, force: false, path));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void The_command_knows_its_methods()
    {
        Assert.Empty(InitVolume.CreateCommand().Parse("/dev/x --method discard --force").Errors);
        Assert.NotEmpty(InitVolume.CreateCommand().Parse("/dev/x --method other").Errors);
        Assert.NotEmpty(InitVolume.CreateCommand().Parse("").Errors);
    }

    public void Dispose() => _output.Dispose();

    private int Run(IBlockDevices disk, InitMethod method, bool force, params string[] paths)
    {
        _output.GetStringBuilder().Clear();
        return new InitVolume(disk, new FakeClock(), _output).Run(paths.Length == 0 ? [TestDevice.Path] : paths, method, force);
    }
}

using Aerie.Io;
using Aerie.Memory;
using Xunit;

namespace Aerie.Node.Tests.Io;

public sealed class DeviceFileTests : BlockDeviceContract
{
    private readonly TempDevices _temp = new();

    protected override IBlockDevices Devices { get; } = new DeviceFiles();

    [Fact]
    public void A_file_s_room_is_taken_when_it_is_made()
    {
        var path = NewPath();
        Devices.Open(Writer(path) with { CreateLength = 1 << 20 }).Dispose();
        var blocks = new System.Diagnostics.ProcessStartInfo("stat", ["-c", "%b %a", path]) { RedirectStandardOutput = true, UseShellExecute = false };
        using var stat = System.Diagnostics.Process.Start(blocks)!;
        var answer = stat.StandardOutput.ReadToEnd().Trim().Split(' ');
        Assert.True(long.Parse(answer[0]) * 512 >= 1 << 20);
        Assert.Equal("600", answer[1]);
    }

    [Fact]
    public void A_file_for_which_there_is_no_room_is_told_and_not_left_behind()
    {
        var path = NewPath();
        var thrown = Assert.Throws<DeviceException>(() => Devices.Open(Writer(path) with { CreateLength = 1L << 50 }));
        Assert.StartsWith($"{path}: cannot allocate {1L << 50} bytes at 0: ", thrown.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(path));
    }

    [Fact]
    public void What_could_not_grow_keeps_its_length()
    {
        var path = NewPath();
        Devices.Open(Writer(path)).Dispose();
        var before = new FileInfo(path).Length;
        Assert.Throws<DeviceException>(() => Devices.Open(Writer(path) with { CreateLength = 1L << 50 }));
        Assert.Equal(before, new FileInfo(path).Length);
    }

    [Fact]
    public void A_folder_an_empty_file_and_a_missing_folder_are_told_in_one_line()
    {
        var folder = Path.GetDirectoryName(NewPath())!;
        Assert.Equal($"{folder}: cannot open: Is a directory", Refusal(Writer(folder)));
        Assert.Equal($"{folder}: is neither a file nor a block device", Refusal(Writer(folder) with { ReadOnly = true }));
        Assert.Equal("/dev/null: too small: 0 bytes", Refusal(Writer("/dev/null") with { CreateLength = 0 }));
        Assert.Equal($"{folder}/no/f: cannot open: No such file or directory", Refusal(Writer($"{folder}/no/f")));
    }

    [Fact]
    public void A_device_that_was_closed_cannot_be_used()
    {
        var device = Devices.Open(Writer(NewPath()));
        device.Dispose();
        device.Dispose();
        Assert.Throws<Aerie.Foundation.InvariantException>(() => device.File);
        Assert.Throws<Aerie.Foundation.InvariantException>(() => device.Sync());
    }

    [Fact]
    public void Reading_and_writing_allocate_nothing()
    {
        using var device = Devices.Open(Writer(NewPath()));
        var memory = Filled(Page.Length, 5);
        device.Write(0, memory);
        device.Read(0, memory);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
        {
            device.Write(0, memory);
            device.Read(0, memory);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    protected override string NewPath() => _temp.NewPath();

    protected override void Dispose(bool isDisposing)
    {
        base.Dispose(isDisposing);
        _temp.Dispose();
    }

    private string Refusal(DeviceOrder order) => Assert.Throws<DeviceException>(() => Devices.Open(order)).Message;
}

using System.Text.Json;
using Aerie.Node.Tests.Storage.Devices;
using Aerie.Storage;
using Aerie.Storage.Devices;
using Aerie.TestKit;
using Aerie.Tools.Storage;
using Xunit;

namespace Aerie.Node.Tests.Tools;

public sealed class StorageCommandTests : IDisposable
{
    private readonly StringWriter _output = new();

    [Fact]
    public void A_sound_device_is_described()
    {
        Assert.Equal(0, Run(TestDevice.Disk(), verify: true));
        var text = _output.ToString();
        Assert.Contains("namespace   test, device 1 of 1", text);
        Assert.Contains("generation 4, slots: valid, empty", text);
        Assert.Contains("before 99, swept up to 0", text);
        Assert.Contains("1 users, truncated before 5, swept up to 5", text);
        Assert.Contains("5: 2 records, 1 checkpoint, 2 wiped, 0 foreign, 0 damaged; 60 % used", text);
        Assert.Contains("10 to 12", text);
        Assert.Contains("4 records, 1 removal marks", text);
        Assert.Contains("1 unfinished blocks", text);
        Assert.Contains("damage      none", text);
    }

    [Fact]
    public void Inspect_reads_no_records_and_sees_the_same_map()
    {
        var disk = TestDevice.Disk();
        var damaged = TestDevice.SealedBlock(10);
        damaged.Bytes[damaged.Written[1].Unit * StorageUnit.Length] ^= 1;
        TestDevice.Write(disk, DeviceLayout.BlockOffset(1), damaged.Bytes);
        Assert.Equal(0, Run(disk, verify: false));
        Assert.Contains("5: 2 records, 1 checkpoint, 2 wiped", _output.ToString());
        Assert.DoesNotContain("verified", _output.ToString());
    }

    [Fact]
    public void A_damaged_record_is_reported_with_path_and_offset()
    {
        var disk = TestDevice.Disk();
        var block = TestDevice.SealedBlock(10);
        var (_, unit, units) = block.Written[1];
        block.Bytes[(unit * StorageUnit.Length) + 1000] ^= 1;
        TestDevice.Write(disk, DeviceLayout.BlockOffset(1), block.Bytes);

        Assert.Equal(1, Run(disk, verify: true));

        var offset = DeviceLayout.BlockOffset(1) + (unit * StorageUnit.Length);
        Assert.Contains($"/dev/test: damaged: {units * StorageUnit.Length} bytes at {offset}: images", _output.ToString());
        Assert.Contains("3 records", _output.ToString());
    }

    [Fact]
    public void Json_says_the_same()
    {
        var disk = TestDevice.Disk();
        TestDevice.Write(disk, DeviceLayout.BlockOffset(1) + 20, [1]);
        Assert.Equal(2, Run(disk, verify: true, json: true, TestDevice.Path, "/dev/missing"));

        var reports = JsonDocument.Parse(_output.ToString()).RootElement;
        var first = reports[0];
        Assert.Equal("test", first.GetProperty("label").GetProperty("namespace").GetString());
        Assert.Equal(1, first.GetProperty("blocks").GetProperty("damaged").GetInt32());
        Assert.Equal(1, first.GetProperty("exit_code").GetInt32());
        Assert.Equal(DeviceLayout.BlockOffset(1), first.GetProperty("damage")[0].GetProperty("offset").GetInt64());
        Assert.Equal(2, reports[1].GetProperty("exit_code").GetInt32());
        Assert.Contains("/dev/missing", reports[1].GetProperty("error").GetString());
    }

    [Fact]
    public void What_is_not_a_device_of_ours_cannot_be_read()
    {
        Assert.Equal(2, Run(TestDevice.EmptyDisk(), verify: true));
        Assert.Contains("/dev/test: empty", _output.ToString());
        var disk = TestDevice.EmptyDisk();
        TestDevice.Write(disk, 0, "somebody's"u8);
        Assert.Equal(2, Run(disk, verify: true));
        disk = new SimulatedDisk { Alignment = 1 };
        disk.Add(TestDevice.Path, 100);
        Assert.Equal(2, Run(disk, verify: true));
    }

    [Fact]
    public void A_lost_label_leaves_the_blocks_readable()
    {
        var disk = TestDevice.Disk();
        TestDevice.Write(disk, 50, [0xFF]);
        Assert.Equal(1, Run(disk, verify: true));
        Assert.Contains("one copy of the device header", _output.ToString());
        TestDevice.Write(disk, DeviceLayout.PageLength + 50, [0xFF]);
        Assert.Equal(1, Run(disk, verify: true));
        Assert.Contains("both copies of the device header", _output.ToString());
        Assert.Contains("4 records, 1 removal marks", _output.ToString());
    }

    [Fact]
    public void A_block_that_cannot_be_read_is_damage_and_the_others_are_read()
    {
        var disk = TestDevice.Disk();
        disk[TestDevice.Path].Fail(
            DiskOperation.Read, DeviceLayout.BlockOffset(1), DeviceLayout.BlockLength);
        Assert.Equal(1, Run(disk, verify: true));
        Assert.Contains("Input/output error", _output.ToString());
        Assert.Contains("1 records, 1 removal marks", _output.ToString());
    }

    [Theory, InlineData(1), InlineData(2), InlineData(3), InlineData(4)]
    public void Garbage_anywhere_never_throws(int seed)
    {
        var random = new Random(seed);
        var disk = TestDevice.Disk();
        for (var i = 0; i < 10; i++)
        {
            var garbage = new byte[random.Next(1, 20_000)];
            random.NextBytes(garbage);
            TestDevice.Write(disk, DeviceLayout.BlockOffset(random.Next(4)) + random.Next(3 * 1024 * 1024), garbage);
        }

        Assert.InRange(Run(disk, verify: true, json: seed % 2 == 0), 0, 2);
    }

    [Fact]
    public void Progress_tells_speed_and_what_is_left()
    {
        var line = ProgressLine.Describe(new DeviceProgress("/dev/x", 100, 300, 1_000_000, 800_000_000), TimeSpan.FromSeconds(2));
        Assert.Equal("/dev/x: block 100 of 300, 500,000 records/s, 400 MB/s, 00:00:04 left", line);
    }

    public void Dispose() => _output.Dispose();

    private int Run(SimulatedDisk disk, bool verify, bool json = false, params string[] paths)
    {
        _output.GetStringBuilder().Clear();
        return StorageCommand.Run(
            paths.Length == 0 ? [TestDevice.Path] : paths, verify, json, disk, _output,
            new ProgressLine(TextWriter.Null, isTerminal: false));
    }
}

using Aerie.Tools.Bench;
using Aerie.Tools.Suite;
using Xunit;

namespace Aerie.Node.Tests.Tools;

public sealed class SuiteTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("aerie-suite").FullName;

    [Theory]
    [InlineData("read", "read")]
    [InlineData("device-read", "device-read-64", "device-read-256")]
    [InlineData("device-mixed-256", "device-mixed-256")]
    [InlineData("device")]
    [InlineData("device-read-")]
    [InlineData("udf", "udf")]
    [InlineData("utxo-mixed", "utxo-mixed")]
    public void A_name_chooses_one_work_or_all_its_sizes(string name, params string[] chosen)
    {
        Assert.Equal(chosen, SuiteWork.Named(name).Select(work => work.Name));
    }

    [Fact]
    public void A_work_that_is_named_twice_is_measured_once()
    {
        var options = new SuiteOptions { WorkNames = ["device-read-64", "read", "device-read"] };
        Assert.Equal(["device-read-64", "read", "device-read-256"], options.Works.Select(work => work.Name));
    }

    [Fact]
    public void What_cannot_be_measured_is_one_line()
    {
        Assert.Null(new SuiteOptions().Complaint());
        Assert.Contains("not reed", new SuiteOptions { WorkNames = ["read", "reed"] }.Complaint(), StringComparison.Ordinal);
        Assert.StartsWith("--utxo-keys", new SuiteOptions { UtxoKeys = 100 }.Complaint(), StringComparison.Ordinal);
        Assert.StartsWith("--device-mb", new SuiteOptions { DeviceMegabytes = 8 }.Complaint(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("memory.max", "memory.peak")]
    [InlineData("memory.limit_in_bytes", "memory.max_usage_in_bytes")]
    public void A_memory_group_of_either_version_limits_a_process(string limit, string peak)
    {
        Write(limit, "max");
        Write(peak, "123\n");
        var group = new MemoryGroup(_folder, 1 << 20);
        group.Take(4711);
        Assert.Equal("1048576", File.ReadAllText(Path.Combine(_folder, limit)));
        Assert.Equal("4711", File.ReadAllText(Path.Combine(_folder, "cgroup.procs")));
        Assert.Equal(123, group.Peak);
    }

    [Fact]
    public void Another_folder_is_no_memory_group()
    {
        Assert.Contains(_folder, Assert.Throws<BenchException>(() => new MemoryGroup(_folder, 1)).Message, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private void Write(string name, string text) => File.WriteAllText(Path.Combine(_folder, name), text);
}

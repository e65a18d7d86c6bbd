using System.Text;
using Aerie.Server.Config;
using Xunit;

namespace Aerie.Node.Tests.Config;

public sealed class CgroupMemoryTests
{
    [Theory]
    [InlineData("0::/", "/sys/fs/cgroup/memory.max=4294967296", 4294967296L)]
    [InlineData("0::/", "/sys/fs/cgroup/memory.max=max\n", null)]
    [InlineData("0::/a/b\n", "/sys/fs/cgroup/a/b/memory.max=max|/sys/fs/cgroup/a/memory.max=500|/sys/fs/cgroup/memory.max=900", 500L)]
    [InlineData("0::/only/on/the/host", "/sys/fs/cgroup/memory.max=700\n", 700L)]
    [InlineData("12:pids:/x\n5:cpu,memory:/docker/1\n", "/sys/fs/cgroup/memory/docker/1/memory.limit_in_bytes=800", 800L)]
    [InlineData("5:memory:/", "/sys/fs/cgroup/memory/memory.limit_in_bytes=9223372036854771712", null)]
    [InlineData("nonsense\n::::\n5:memory", "", null)]
    [InlineData(null, "/sys/fs/cgroup/memory.max=600", 600L)]
    [InlineData("0::/", "/sys/fs/cgroup/memory.max=-5", null)]
    public void The_smallest_limit_above_the_process_holds(string? groups, string files, long? limit)
    {
        Dictionary<string, string> world = files.Split('|', StringSplitOptions.RemoveEmptyEntries)
            .ToDictionary(file => file[..file.IndexOf('=')], file => file[(file.IndexOf('=') + 1)..]);
        Assert.Equal(limit, new CgroupMemory(path => Encoding.UTF8.GetBytes(
            (path == "/proc/self/cgroup" ? groups : world.GetValueOrDefault(path)) ?? "")).Limit());
    }
}

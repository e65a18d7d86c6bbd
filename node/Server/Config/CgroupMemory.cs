using System.Globalization;
using System.Text;
using Aerie.Io;

namespace Aerie.Server.Config;

/// The memory limit that the container runtime has set for this process. Which files say so is found out once: a process
/// stays in its group. What they say may change while it runs. Reads through a delegate, so that it can be held against
/// any layout.
public sealed class CgroupMemory
{
    private const string Root = "/sys/fs/cgroup";

    /// Version 1 writes "no limit" as the largest page-aligned number; nothing near it is a real limit.
    private const long Unlimited = 1L << 60;

    private readonly FileReader _read;
    private readonly string[] _files;

    public CgroupMemory(FileReader read)
    {
        _read = read;
        var groups = Encoding.UTF8.GetString(read("/proc/self/cgroup"));
        _files = [.. (groups.Length == 0 ? "0::/" : groups).Split('\n').SelectMany(FilesOf)];
    }

    /// Null when nothing limits it. Every group above the own one counts as well: the smallest limit holds.
    public long? Limit()
    {
        long? limit = null;
        foreach (var file in _files)
        {
            limit = Smaller(limit, Parse(_read(file)));
        }

        return limit;
    }

    private static IEnumerable<string> FilesOf(string line)
    {
        var parts = line.Trim().Split(':', 3); // hierarchy : controllers : path
        if (parts.Length < 3)
        {
            return [];
        }

        var isV2 = parts[0] == "0" && parts[1].Length == 0;
        return isV2 ? Along(Root, parts[2], "memory.max")
            : parts[1].Split(',').Contains("memory") ? Along($"{Root}/memory", parts[2], "memory.limit_in_bytes")
            : [];
    }

    /// From the group itself up to the root. Inside a container the path may name groups that only the host sees; their
    /// files cannot be read.
    private static IEnumerable<string> Along(string root, string path, string file)
    {
        var group = path.TrimEnd('/');
        while (group.Length > 0)
        {
            yield return $"{root}{group}/{file}";
            group = group[..Math.Max(0, group.LastIndexOf('/'))];
        }

        yield return $"{root}/{file}";
    }

    private static long? Parse(ReadOnlySpan<byte> text) =>
        long.TryParse(text, NumberStyles.AllowTrailingWhite | NumberStyles.AllowLeadingWhite, CultureInfo.InvariantCulture, out var limit)
            && limit is > 0 and < Unlimited
            ? limit
            : null;

    private static long? Smaller(long? left, long? right) =>
        left is { } a && right is { } b ? Math.Min(a, b) : left ?? right;
}

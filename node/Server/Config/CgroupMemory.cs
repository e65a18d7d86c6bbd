using System.Globalization;

namespace Aerie.Server.Config;

/// The memory limit that the container runtime has set for this process. Reads through a delegate that returns a file's text or
/// null, so that it can be held against any layout.
public static class CgroupMemory
{
    private const string Root = "/sys/fs/cgroup";

    /// Version 1 writes "no limit" as the largest page-aligned number; nothing near it is a real limit.
    private const long Unlimited = 1L << 60;

    /// Null when nothing limits it. Every group above the own one counts as well: the smallest limit holds.
    public static long? Limit(Func<string, string?> readFile)
    {
        long? limit = null;
        foreach (string line in (readFile("/proc/self/cgroup") ?? "0::/").Split('\n'))
        {
            string[] parts = line.Trim().Split(':', 3); // hierarchy : controllers : path
            if (parts.Length < 3)
            {
                continue;
            }

            bool isV2 = parts[0] == "0" && parts[1].Length == 0;
            if (isV2)
            {
                limit = Smaller(limit, LimitAlong(readFile, Root, parts[2], "memory.max"));
            }
            else if (parts[1].Split(',').Contains("memory"))
            {
                limit = Smaller(limit, LimitAlong(readFile, $"{Root}/memory", parts[2], "memory.limit_in_bytes"));
            }
        }

        return limit;
    }

    /// From the group itself up to the root. Inside a container the path may name groups that only the host sees; they read as null.
    private static long? LimitAlong(Func<string, string?> readFile, string root, string path, string file)
    {
        long? limit = null;
        string group = path.TrimEnd('/');
        while (true)
        {
            limit = Smaller(limit, Parse(readFile($"{root}{group}/{file}")));
            if (group.Length == 0)
            {
                return limit;
            }

            int slash = group.LastIndexOf('/');
            group = slash <= 0 ? "" : group[..slash];
        }
    }

    private static long? Parse(string? text) =>
        long.TryParse(text?.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out long limit) && limit is > 0 and < Unlimited
            ? limit
            : null;

    private static long? Smaller(long? left, long? right) =>
        left is { } a && right is { } b ? Math.Min(a, b) : left ?? right;
}

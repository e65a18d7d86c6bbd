using System.Globalization;
using Aerie.Server.Config;

namespace Aerie.Server.Records.Housekeeping;

/// How full the memory is that this process may use: the machine's, or less where a container limits it. Reads through a
/// delegate that returns a file's text or null.
public sealed class SystemMemory(Func<string, string?> readFile)
{
    public static SystemMemory OfMachine() => new(static path =>
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    });

    /// Null when the system does not say. In a container this process is what counts against the limit.
    public int? UsedPercent()
    {
        var machine = OfMachineUsed();
        if (CgroupMemory.Limit(readFile) is not { } limit || Kilobytes("/proc/self/status", "VmRSS:") is not { } resident)
        {
            return machine;
        }

        var own = (int)Math.Min(100, resident * 1024 * 100 / limit);
        return Math.Max(own, machine ?? 0);
    }

    private int? OfMachineUsed() =>
        Kilobytes("/proc/meminfo", "MemTotal:") is { } total and > 0 && Kilobytes("/proc/meminfo", "MemAvailable:") is { } available
            ? (int)Math.Clamp(100 - (available * 100 / total), 0, 100)
            : null;

    private long? Kilobytes(string file, string key)
    {
        foreach (var line in (readFile(file) ?? "").AsSpan().EnumerateLines())
        {
            if (line.StartsWith(key, StringComparison.Ordinal))
            {
                var number = line[key.Length..].Trim();
                var end = number.IndexOf(' ');
                number = end < 0 ? number : number[..end];
                return long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : null;
            }
        }

        return null;
    }
}

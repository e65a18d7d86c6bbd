using System.Globalization;
using Aerie.Foundation;
using Aerie.Server.Config;

namespace Aerie.Server.Statistics;

/// What the machine and the process use. Percentages of processor time count one busy core as 100.
public sealed record HostFigures
{
    public long TotalCpuPct { get; init; }

    public long UserCpuPct { get; init; }

    public long KernelCpuPct { get; init; }

    public long ProcessCpuPct { get; init; }

    public long FreeMemoryKbytes { get; init; }

    public long FreeMemoryPct { get; init; }

    /// The machine's, also when the node's own is a container's.
    public long HostFreeMemoryKbytes { get; init; }

    public long HostFreeMemoryPct { get; init; }

    public long HugePageKbytes { get; init; }

    public long Threads { get; init; }

    public long ResidentBytes { get; init; }

    public long UserCpuNanoseconds { get; init; }

    public long KernelCpuNanoseconds { get; init; }
}

/// Reads /proc. Shares of processor time are those between two samples.
public sealed class HostSampler(IClock clock, Func<string, string?> readFile, Func<bool> countsCgroupMemory)
{
    /// The unit of processor time in /proc; the kernel fixes it for all programs.
    private const long TicksPerSecond = 100;

    private const long NanosecondsPerTick = 1_000_000_000 / TicksPerSecond;

    /// Over a shorter time the few ticks that have passed make no percentage.
    private const long ShareNanosecondsMin = 500_000_000;

    private readonly Lock _sampling = new();
    private HostFigures _latest = new();
    private CpuTicks _before;
    private long _sampledAt = -1;

    public HostFigures Latest => Volatile.Read(ref _latest);

    /// A file's text; null when it cannot be read.
    public static string? ReadFile(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// Called about once a second, and by whoever wants the totals of this moment: the shares of processor time then stay those
    /// of the last second.
    public void Sample()
    {
        lock (_sampling)
        {
            var ticks = ReadTicks();
            var figures = WithShares(_latest, ticks) with
            {
                UserCpuNanoseconds = ticks.ProcessUser * NanosecondsPerTick,
                KernelCpuNanoseconds = ticks.ProcessKernel * NanosecondsPerTick,
            };
            Volatile.Write(ref _latest, WithMemory(figures));
        }
    }

    private HostFigures WithShares(HostFigures figures, CpuTicks ticks)
    {
        var now = clock.MonotonicNanoseconds;
        var elapsed = now - _sampledAt;
        if (_sampledAt >= 0 && elapsed < ShareNanosecondsMin)
        {
            return figures;
        }

        var before = _sampledAt < 0 ? ticks : _before;
        (_before, _sampledAt) = (ticks, now);
        return figures with
        {
            TotalCpuPct = Percent(ticks.User - before.User + ticks.Kernel - before.Kernel, elapsed),
            UserCpuPct = Percent(ticks.User - before.User, elapsed),
            KernelCpuPct = Percent(ticks.Kernel - before.Kernel, elapsed),
            ProcessCpuPct = Percent(ticks.ProcessUser - before.ProcessUser + ticks.ProcessKernel - before.ProcessKernel, elapsed),
        };
    }

    private static long Percent(long ticks, long elapsed) =>
        Math.Max(0, (long)Math.Round(ticks * (double)NanosecondsPerTick * 100 / elapsed));

    private CpuTicks ReadTicks()
    {
        // cpu user nice system idle iowait irq softirq steal
        var cpu = Numbers(Line(readFile("/proc/stat"), "cpu "));
        var user = At(cpu, 0) + At(cpu, 1);
        var kernel = At(cpu, 2) + At(cpu, 5) + At(cpu, 6);

        // The process's name may hold anything; the fields begin behind its closing bracket, with the state.
        var own = readFile("/proc/self/stat") ?? "";
        var fields = Numbers(own[(own.LastIndexOf(')') + 1)..]);
        return new CpuTicks(user, kernel, At(fields, 11), At(fields, 12));
    }

    private HostFigures WithMemory(HostFigures figures)
    {
        var machine = readFile("/proc/meminfo") ?? "";
        var status = readFile("/proc/self/status") ?? "";
        var total = Value(machine, "MemTotal:");
        var free = Value(machine, "MemAvailable:");
        var resident = Value(status, "VmRSS:");
        var limit = countsCgroupMemory() ? CgroupMemory.Limit(readFile) / 1024 : null;
        var ownTotal = Math.Min(total, limit ?? total);
        var ownFree = limit is null ? free : Math.Max(0, Math.Min(free, ownTotal - resident));
        return figures with
        {
            FreeMemoryKbytes = ownFree,
            FreeMemoryPct = ownTotal == 0 ? 0 : ownFree * 100 / ownTotal,
            HostFreeMemoryKbytes = free,
            HostFreeMemoryPct = total == 0 ? 0 : free * 100 / total,
            HugePageKbytes = Value(machine, "AnonHugePages:"),
            Threads = Value(status, "Threads:"),
            ResidentBytes = resident * 1024,
        };
    }

    private static long Value(string text, string name) => At(Numbers(Line(text, name)), 0);

    private static string Line(string? text, string start) =>
        (text ?? "").Split('\n').FirstOrDefault(line => line.StartsWith(start, StringComparison.Ordinal))?[start.Length..] ?? "";

    // What is no number (the state, a unit) counts as zero, so that fields keep their places.
    private static long[] Numbers(string text) =>
        [.. text.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Select(word => long.TryParse(word, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : 0)];

    private static long At(long[] numbers, int index) => index < numbers.Length ? numbers[index] : 0;

    private readonly record struct CpuTicks(long User, long Kernel, long ProcessUser, long ProcessKernel);
}

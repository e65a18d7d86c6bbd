using System.Globalization;
using Aerie.Foundation;
using Aerie.Io;
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

    /// How full the memory is that this process may use: the machine's, or the container's where that is fuller. Null when
    /// the system does not say.
    public int? MemoryUsedPct { get; init; }

    public long Threads { get; init; }

    public long ResidentBytes { get; init; }

    public long UserCpuNanoseconds { get; init; }

    public long KernelCpuNanoseconds { get; init; }
}

/// Reads /proc. Shares of processor time are those between two samples.
public sealed class HostSampler(IClock clock, FileReader readFile, Func<bool> countsCgroupMemory)
{
    /// The unit of processor time in /proc; the kernel fixes it for all programs.
    private const long TicksPerSecond = 100;

    private const long NanosecondsPerTick = 1_000_000_000 / TicksPerSecond;

    /// Over a shorter time the unit is too coarse for shares: those of before stand.
    private const long ShareNanosecondsMin = 500_000_000;

    private readonly Lock _sampling = new();
    private readonly CgroupMemory _cgroup = new(readFile);
    private HostFigures _latest = new();
    private CpuTicks _before;
    private long _sharesAt = -1;

    public HostFigures Latest => Volatile.Read(ref _latest);

    /// Called about once a second, and by who wants figures of this moment.
    public void Sample()
    {
        lock (_sampling)
        {
            var ticks = ReadMachine(readFile("/proc/stat"));
            var figures = WithMemory(WithShares(ReadOwn(readFile("/proc/self/stat"), ref ticks), ticks));
            Volatile.Write(ref _latest, figures);
        }
    }

    // cpu user nice system idle iowait irq softirq steal
    private static CpuTicks ReadMachine(ReadOnlySpan<byte> text)
    {
        var cpu = Line(text, "cpu "u8);
        return new CpuTicks { User = Field(cpu, 0) + Field(cpu, 1), Kernel = Field(cpu, 2) + Field(cpu, 5) + Field(cpu, 6) };
    }

    // The process's name may hold anything; the fields begin behind its closing bracket, with the state.
    private static HostFigures ReadOwn(ReadOnlySpan<byte> text, ref CpuTicks ticks)
    {
        var fields = text[(text.LastIndexOf((byte)')') + 1)..];
        ticks.ProcessUser = Field(fields, 11);
        ticks.ProcessKernel = Field(fields, 12);
        return new HostFigures
        {
            UserCpuNanoseconds = ticks.ProcessUser * NanosecondsPerTick,
            KernelCpuNanoseconds = ticks.ProcessKernel * NanosecondsPerTick,
            Threads = Field(fields, 17),
            ResidentBytes = Field(fields, 21) * Environment.SystemPageSize,
        };
    }

    private HostFigures WithShares(HostFigures figures, in CpuTicks ticks)
    {
        var now = clock.MonotonicNanoseconds;
        var elapsed = now - _sharesAt;
        if (_sharesAt >= 0 && elapsed < ShareNanosecondsMin)
        {
            return figures with
            {
                TotalCpuPct = _latest.TotalCpuPct,
                UserCpuPct = _latest.UserCpuPct,
                KernelCpuPct = _latest.KernelCpuPct,
                ProcessCpuPct = _latest.ProcessCpuPct,
            };
        }

        var before = _sharesAt < 0 ? ticks : _before;
        (_before, _sharesAt) = (ticks, now);
        return figures with
        {
            TotalCpuPct = Percent(ticks.User - before.User + ticks.Kernel - before.Kernel, elapsed),
            UserCpuPct = Percent(ticks.User - before.User, elapsed),
            KernelCpuPct = Percent(ticks.Kernel - before.Kernel, elapsed),
            ProcessCpuPct = Percent(ticks.ProcessUser - before.ProcessUser + ticks.ProcessKernel - before.ProcessKernel, elapsed),
        };
    }

    private static long Percent(long ticks, long elapsed) =>
        elapsed <= 0 ? 0 : Math.Max(0, (long)Math.Round(ticks * (double)NanosecondsPerTick * 100 / elapsed));

    private HostFigures WithMemory(HostFigures figures)
    {
        var machine = readFile("/proc/meminfo");
        var total = Field(Line(machine, "MemTotal:"u8), 0);
        var available = Line(machine, "MemAvailable:"u8);
        var free = Field(available, 0);
        var hugePages = Field(Line(machine, "AnonHugePages:"u8), 0);
        var resident = figures.ResidentBytes / 1024;
        var cgroup = _cgroup.Limit() / 1024;
        var counted = countsCgroupMemory() ? cgroup : null;
        var ownTotal = Math.Min(total, counted ?? total);
        var ownFree = counted is null ? free : Math.Max(0, Math.Min(free, ownTotal - resident));
        return figures with
        {
            FreeMemoryKbytes = ownFree,
            FreeMemoryPct = ownTotal == 0 ? 0 : ownFree * 100 / ownTotal,
            HostFreeMemoryKbytes = free,
            HostFreeMemoryPct = total == 0 ? 0 : free * 100 / total,
            HugePageKbytes = hugePages,
            MemoryUsedPct = UsedPercent(available.IsEmpty ? 0 : total, free, resident, cgroup),
        };
    }

    // In a container this process is what counts against the limit.
    private static int? UsedPercent(long total, long free, long resident, long? limit)
    {
        int? machine = total == 0 ? null : (int)Math.Clamp(100 - (free * 100 / total), 0, 100);
        return limit is > 0 ? Math.Max((int)Math.Min(100, resident * 100 / limit.Value), machine ?? 0) : machine;
    }

    /// What follows this beginning of a line, up to the line's end; empty when no line begins so.
    private static ReadOnlySpan<byte> Line(ReadOnlySpan<byte> text, ReadOnlySpan<byte> start)
    {
        while (!text.IsEmpty)
        {
            var length = text.IndexOf((byte)'\n');
            var line = length < 0 ? text : text[..length];
            if (line.StartsWith(start))
            {
                return line[start.Length..];
            }

            text = length < 0 ? default : text[(length + 1)..];
        }

        return default;
    }

    // What is no number (the state, a unit) counts as zero, so that fields keep their places.
    private static long Field(ReadOnlySpan<byte> line, int index)
    {
        foreach (var range in line.Split((byte)' '))
        {
            var word = line[range].Trim("\t\n"u8);
            if (!word.IsEmpty && index-- == 0)
            {
                return long.TryParse(word, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : 0;
            }
        }

        return 0;
    }

    private record struct CpuTicks(long User, long Kernel, long ProcessUser, long ProcessKernel);
}

using System.Globalization;

namespace Aerie.Tools.Bench;

/// What a process has used of the processor so far. The scheduler's figure is exact to the nanosecond but knows no split;
/// the split of user and system comes from the clock ticks.
public readonly record struct ServerCpu(double Seconds, double UserTicks, double SystemTicks)
{
    /// Kernels for servers count 100 ticks a second in /proc, whatever their timer does.
    private const double TicksPerSecond = 100;

    /// What each thread has used, in seconds. A thread that ends takes its figure with it: only those that are still there may
    /// be subtracted.
    private IReadOnlyDictionary<string, double>? Threads { get; init; }

    public double UserShare => UserTicks + SystemTicks > 0 ? UserTicks / (UserTicks + SystemTicks) : 0;

    public static ServerCpu operator -(ServerCpu later, ServerCpu earlier)
    {
        var seconds = later.Threads is { } threads && earlier.Threads is { } before
            ? threads.Sum(thread => thread.Value - before.GetValueOrDefault(thread.Key))
            : later.Seconds - earlier.Seconds;
        return new ServerCpu(seconds, later.UserTicks - earlier.UserTicks, later.SystemTicks - earlier.SystemTicks);
    }

    public static ServerCpu Of(int pid)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{pid}/stat");
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            const int UserField = 11; // counted behind the program's name
            const int SystemField = 12;
            var user = double.Parse(fields[UserField], CultureInfo.InvariantCulture);
            var system = double.Parse(fields[SystemField], CultureInfo.InvariantCulture);
            var threads = ThreadSeconds(pid);
            return threads.Count > 0
                ? new ServerCpu(threads.Values.Sum(), user, system) { Threads = threads }
                : new ServerCpu((user + system) / TicksPerSecond, user, system);
        }
        catch (IOException gone)
        {
            throw new BenchException($"cannot read the processor use of process {pid}: {gone.Message}");
        }
    }

    /// Resident memory in bytes.
    public static long MemoryOf(int pid)
    {
        try
        {
            // A process that has ended and is still listed has no such line.
            var line = File.ReadLines($"/proc/{pid}/status").FirstOrDefault(line => line.StartsWith("VmRSS:", StringComparison.Ordinal))
                ?? throw new BenchException($"process {pid} has ended");
            return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
        }
        catch (IOException gone)
        {
            throw new BenchException($"cannot read the memory of process {pid}: {gone.Message}");
        }
    }

    private static Dictionary<string, double> ThreadSeconds(int pid)
    {
        var threads = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (var task in Directory.EnumerateDirectories($"/proc/{pid}/task"))
        {
            try
            {
                var schedule = File.ReadAllText(Path.Combine(task, "schedstat"));
                threads[Path.GetFileName(task)] = double.Parse(schedule[..schedule.IndexOf(' ')], CultureInfo.InvariantCulture) / 1e9;
            }
            catch (IOException)
            {
                // The thread has ended since the directory was read, or the kernel keeps no such statistics.
            }
        }

        return threads;
    }
}

/// What the user of the benchmark must mend: one line.
public sealed class BenchException(string message) : Exception(message);

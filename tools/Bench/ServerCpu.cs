using System.Globalization;

namespace Aerie.Tools.Bench;

/// What a process has used of the processor so far. The scheduler's figure is exact to the nanosecond but knows no split;
/// the split of user and system comes from the clock ticks.
public readonly record struct ServerCpu(double Seconds, double UserTicks, double SystemTicks)
{
    /// Kernels for servers count 100 ticks a second in /proc, whatever their timer does.
    private const double TicksPerSecond = 100;

    public double UserShare => UserTicks + SystemTicks > 0 ? UserTicks / (UserTicks + SystemTicks) : 0;

    public static ServerCpu operator -(ServerCpu later, ServerCpu earlier) =>
        new(later.Seconds - earlier.Seconds, later.UserTicks - earlier.UserTicks, later.SystemTicks - earlier.SystemTicks);

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
            var exact = ScheduledSeconds(pid);
            return new ServerCpu(exact > 0 ? exact : (user + system) / TicksPerSecond, user, system);
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

    private static double ScheduledSeconds(int pid)
    {
        double nanoseconds = 0;
        foreach (var task in Directory.EnumerateDirectories($"/proc/{pid}/task"))
        {
            try
            {
                var schedule = File.ReadAllText(Path.Combine(task, "schedstat"));
                nanoseconds += double.Parse(schedule[..schedule.IndexOf(' ')], CultureInfo.InvariantCulture);
            }
            catch (IOException)
            {
                // The thread has ended since the directory was read, or the kernel keeps no such statistics.
            }
        }

        return nanoseconds / 1e9;
    }
}

/// What the user of the benchmark must mend: one line.
public sealed class BenchException(string message) : Exception(message);

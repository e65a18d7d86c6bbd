using System.Globalization;
using Aerie.Tools.Bench;

namespace Aerie.Tools.Suite;

/// A memory cgroup that somebody has made for the run, of version 1 or 2: a server in it has no more than the limit, its
/// page cache included. The group stays when the run is over.
internal sealed class MemoryGroup
{
    private readonly string _folder;
    private readonly bool _isVersion2;

    public MemoryGroup(string folder, long limitBytes)
    {
        _folder = folder;
        _isVersion2 = File.Exists(Path.Combine(folder, "memory.max"));
        if (!_isVersion2 && !File.Exists(Path.Combine(folder, "memory.limit_in_bytes")))
        {
            throw new BenchException($"{folder} is no memory cgroup: it has neither memory.max nor memory.limit_in_bytes");
        }

        Write(_isVersion2 ? "memory.max" : "memory.limit_in_bytes", limitBytes);
    }

    /// The most that the group has held, in bytes; null where the kernel does not say.
    public long? Peak =>
        long.TryParse(Read(_isVersion2 ? "memory.peak" : "memory.max_usage_in_bytes"), CultureInfo.InvariantCulture, out var bytes)
            ? bytes : null;

    /// Soon after its start: what it holds by then stays charged to its group of before.
    public void Take(int pid) => Write("cgroup.procs", pid);

    private string Read(string name) =>
        File.Exists(Path.Combine(_folder, name)) ? File.ReadAllText(Path.Combine(_folder, name)).Trim() : string.Empty;

    private void Write(string name, long number)
    {
        try
        {
            File.WriteAllText(Path.Combine(_folder, name), number.ToString(CultureInfo.InvariantCulture));
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw new BenchException($"cannot write {name} of {_folder}: {refused.Message}");
        }
    }
}

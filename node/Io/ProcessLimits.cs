namespace Aerie.Io;

/// How many file descriptors the system grants this process. Every connection takes one, so proto-fd-max is checked
/// against it at start instead of failing on the connection that is one too many.
public static unsafe class ProcessLimits
{
    /// The limit in force.
    public static long OpenFiles => ToLong(Read().Soft);

    /// Raises the limit as far as a process may by itself, and returns the one then in force.
    public static long RaiseOpenFiles()
    {
        var limit = Read();
        if (limit.Soft < limit.Hard)
        {
            limit.Soft = limit.Hard;
            Native.SetLimit(Native.LimitOpenFiles, &limit); // a refusal shows in what is returned
        }

        return OpenFiles;
    }

    /// Descriptors in use.
    public static int OpenFilesNow() => Directory.GetFileSystemEntries("/proc/self/fd").Length;

    /// Tests run out of descriptors with it.
    internal static bool SetOpenFiles(long soft)
    {
        var limit = Read();
        limit.Soft = (ulong)soft;
        return Native.SetLimit(Native.LimitOpenFiles, &limit) == 0;
    }

    private static Native.ResourceLimit Read()
    {
        Native.ResourceLimit limit;
        return Native.GetLimit(Native.LimitOpenFiles, &limit) == 0
            ? limit
            : throw new IoException($"cannot read the limit of open files: {Native.Reason(Native.Errno)}");
    }

    // "unlimited" is all ones
    private static long ToLong(ulong limit) => limit > long.MaxValue ? long.MaxValue : (long)limit;
}

using System.ComponentModel;
using System.Diagnostics;

namespace Aerie.TestKit;

/// A raw block device whose bytes lie in a file: what a disk without a file system looks like. Needs the right to attach
/// one, which containers seldom give.
public sealed class LoopDevice : IDisposable
{
    private readonly string _file;

    private LoopDevice(string file, string path)
    {
        _file = file;
        Path = path;
    }

    public string Path { get; }

    /// Null: this machine has no losetup, or does not let us.
    public static LoopDevice? TryAttach(long length)
    {
        var file = System.IO.Path.GetTempFileName();
        using (var stream = File.OpenWrite(file))
        {
            stream.SetLength(length);
        }

        var (path, attached) = Losetup("--find", "--show", file);
        if (attached)
        {
            return new LoopDevice(file, path.Trim());
        }

        File.Delete(file);
        return null;
    }

    public void Dispose()
    {
        Losetup("--detach", Path);
        File.Delete(_file);
    }

    private static (string Output, bool Worked) Losetup(params string[] arguments)
    {
        try
        {
            using var run = Process.Start(new ProcessStartInfo("losetup", arguments)
            {
                UseShellExecute = false,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
            var output = run.StandardOutput.ReadToEnd();
            run.WaitForExit();
            return (output, run.ExitCode == 0);
        }
        catch (Win32Exception)
        {
            return ("", false);
        }
    }
}

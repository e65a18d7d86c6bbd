using Microsoft.Win32.SafeHandles;

namespace Aerie.Io;

/// The text of a file, valid until the next call; empty when it cannot be read.
public delegate ReadOnlySpan<byte> FileReader(string path);

/// Files that the kernel writes at the moment they are read (/proc, /sys). They stay open and are read from their start
/// again: looking once a second costs a system call per file and allocates nothing. For one thread at a time.
public sealed class SystemFiles
{
    /// What is wanted stands near the beginning of all of them.
    private const int LengthMax = 8 * 1024;

    private readonly Dictionary<string, SafeFileHandle?> _files = new(StringComparer.Ordinal);
    private readonly byte[] _text = new byte[LengthMax];

    /// A file that could not be opened once is not tried again: the kernel has it from the beginning or not at all.
    public ReadOnlySpan<byte> Read(string path)
    {
        if (!_files.TryGetValue(path, out var file))
        {
            file = Open(path);
            _files.Add(path, file);
        }

        try
        {
            return file is null ? default : _text.AsSpan(0, RandomAccess.Read(file, _text, 0));
        }
        catch (IOException)
        {
            return default;
        }
    }

    private static SafeFileHandle? Open(string path)
    {
        try
        {
            return File.Exists(path) ? File.OpenHandle(path, share: FileShare.ReadWrite | FileShare.Delete) : null;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Aerie.Foundation;
using Aerie.Memory;

namespace Aerie.Io;

/// A file or raw device of this machine, read and written past the page cache where the file system allows. A writer holds
/// a lock, so that no two processes ever write to one.
///
/// A sync that failed must not be tried again: the kernel may have dropped what it could not write and then say all is well.
public sealed unsafe class DeviceFile : IBlockDevice
{
    private readonly bool _isDataSync;
    private readonly bool _isRaw;
    private int _file;

    internal DeviceFile(string path, int file, long length, int alignment, bool isRaw, bool isDataSync)
    {
        Path = path;
        Length = length;
        Alignment = alignment;
        _file = file;
        _isRaw = isRaw;
        _isDataSync = isDataSync;
    }

    public string Path { get; }

    public long Length { get; }

    public int Alignment { get; }

    public int File
    {
        get
        {
            Invariant.Holds(_file >= 0);
            return _file;
        }
    }

    public void Read(long offset, Span<byte> into)
    {
        Check("read", offset, into);
        fixed (byte* start = into)
        {
            for (var done = 0; done < into.Length;)
            {
                var read = Native.ReadAt(File, start + done, (nuint)(into.Length - done), offset + done);
                done += Moved(read, "read", offset, into.Length);
            }
        }
    }

    public void Write(long offset, ReadOnlySpan<byte> from)
    {
        Check("write", offset, from);
        fixed (byte* start = from)
        {
            for (var done = 0; done < from.Length;)
            {
                var written = Native.WriteAt(File, start + done, (nuint)(from.Length - done), offset + done);
                done += Moved(written, "write", offset, from.Length);
            }
        }
    }

    public void Sync()
    {
        if (_isDataSync)
        {
            return; // every write was
        }

        while (Native.DataSync(File) != 0)
        {
            var error = Native.Errno;
            if (error != Native.EINTR)
            {
                throw new DeviceException($"{Path}: cannot sync: {Native.Reason(error)}");
            }
        }
    }

    /// Raw devices only: holes in a file would have to be allocated again, while reads wait for it.
    public void Discard(long offset, long length)
    {
        if (_isRaw)
        {
            var range = stackalloc long[2] { offset, length };
            Native.DeviceControl(File, Native.BlockDeviceDiscard, range);
        }
    }

    public void Dispose()
    {
        var file = Interlocked.Exchange(ref _file, -1);
        if (file >= 0)
        {
            Native.Close(file);
        }
    }

    private void Check(string operation, long offset, ReadOnlySpan<byte> memory)
    {
        Invariant.Holds(offset >= 0);
        Invariant.Holds(Alignment == 1 || (Page.StartsAt(memory) && (offset | (uint)memory.Length) % Alignment == 0));
        if (memory.Length > Length - offset)
        {
            throw DeviceException.Of(Path, operation, offset, memory.Length, $"it ends at {Length}");
        }
    }

    private int Moved(nint moved, string operation, long offset, int length)
    {
        if (moved > 0)
        {
            return (int)moved;
        }

        var error = moved < 0 ? Native.Errno : Native.ENODATA;
        return error == Native.EINTR ? 0 : throw DeviceException.Of(Path, operation, offset, length, Native.Reason(error));
    }
}

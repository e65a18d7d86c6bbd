using System.Runtime.InteropServices;
using Aerie.Memory;

namespace Aerie.Io;

/// The files and raw devices of this machine.
///
/// The room of a file is allocated when it is made, so that it cannot run out later and reads never wait for allocations.
/// Most file systems note such room as "reads as zero" until it is written for the first time, which makes first writes a
/// little dearer.
public sealed unsafe class DeviceFiles : IBlockDevices
{
    private const uint OwnerOnly = 0x180; // 0600

    /// Written at once where a file system cannot allocate without writing.
    private const int ZerosLength = 1024 * 1024;

    public IBlockDevice Open(DeviceOrder order)
    {
        var access = (order.ReadOnly ? Native.OpenReadOnly : Native.OpenReadWrite | Native.OpenExclusive) | Native.CloseOnExec;
        var sync = order.DataSync ? Native.OpenDataSync : 0;
        var isNew = false;
        var file = OpenFile(order.Path, access | sync);
        if (file < 0 && Native.Errno == Native.ENOENT && order.CreateLength > 0 && !order.ReadOnly)
        {
            file = OpenFile(order.Path, access | sync | Native.OpenCreate);
            isNew = file >= 0;
        }

        if (file < 0)
        {
            throw Refused(order, "open", Native.Errno);
        }

        try
        {
            return Prepare(order, file, isNew);
        }
        catch
        {
            Native.Close(file);
            if (isNew)
            {
                File.Delete(order.Path);
            }

            throw;
        }
    }

    private static DeviceFile Prepare(DeviceOrder order, int file, bool isNew)
    {
        if (!order.ReadOnly && Native.Lock(file, Native.LockExclusiveNow) != 0)
        {
            throw Refused(order, "lock", Native.Errno);
        }

        ulong rawLength;
        var isRaw = Native.DeviceControl(file, Native.BlockDeviceLength, &rawLength) == 0;
        var length = isRaw ? (long)rawLength : Native.Seek(file, 0, Native.SeekEnd);
        if (length < 0 || Directory.Exists(order.Path))
        {
            throw new DeviceException($"{order.Path}: is neither a file nor a block device");
        }

        if (length < order.CreateLength && !isRaw && !order.ReadOnly)
        {
            Grow(order, file, length);
            length = order.CreateLength;
            SyncFolder(order, file, isNew);
        }

        if (length < Math.Max(1, order.CreateLength))
        {
            throw TooSmall(order, length);
        }

        var isDirect = order.Direct && TryMakeDirect(file);
        return new DeviceFile(order.Path, file, length, isDirect ? Page.Length : 1, isRaw, order.DataSync);
    }

    // ---- room ----

    private static void Grow(DeviceOrder order, int file, long length)
    {
        int result;
        do
        {
            result = Native.Allocate(file, 0, length, order.CreateLength - length);
        }
        while (result != 0 && Native.Errno == Native.EINTR);

        var error = result == 0 ? 0 : Native.Errno;
        if (error is Native.EOPNOTSUPP or Native.ENOSYS)
        {
            error = WriteZeros(file, length, order.CreateLength);
        }

        if (error != 0)
        {
            Native.Truncate(file, length);
            throw DeviceException.Of(order.Path, "allocate", length, order.CreateLength - length, Native.Reason(error));
        }
    }

    private static int WriteZeros(int file, long from, long to)
    {
        var zeros = NativeMemory.AllocZeroed(ZerosLength);
        try
        {
            while (from < to)
            {
                var written = Native.WriteAt(file, zeros, (nuint)Math.Min(ZerosLength, to - from), from);
                if (written < 0 && Native.Errno != Native.EINTR)
                {
                    return Native.Errno;
                }

                from += Math.Max(written, 0);
            }

            return 0;
        }
        finally
        {
            NativeMemory.Free(zeros);
        }
    }

    // A new file's name is safe only once its folder is.
    private static void SyncFolder(DeviceOrder order, int file, bool isNew)
    {
        if (Native.FileSync(file) != 0)
        {
            throw Refused(order, "sync", Native.Errno);
        }

        if (isNew)
        {
            var folder = OpenFile(Path.GetDirectoryName(Path.GetFullPath(order.Path))!, Native.OpenReadOnly | Native.CloseOnExec);
            if (folder >= 0)
            {
                Native.FileSync(folder);
                Native.Close(folder);
            }
        }
    }

    // ---- direct I/O ----

    // Some file systems refuse it at once, others only when something is read.
    private static bool TryMakeDirect(int file)
    {
        var flags = Native.FileControl(file, Native.GetFlags, 0);
        if (Native.FileControl(file, Native.SetFlags, flags | Native.OpenDirect) != 0)
        {
            return false;
        }

        var page = NativeMemory.AlignedAlloc(Page.Length, Page.Length);
        var isRefused = Native.ReadAt(file, page, Page.Length, 0) < 0 && Native.Errno == Native.EINVAL;
        NativeMemory.AlignedFree(page);
        if (isRefused)
        {
            Native.FileControl(file, Native.SetFlags, flags);
        }

        return !isRefused;
    }

    private static int OpenFile(string path, int flags)
    {
        int file;
        do
        {
            file = Native.Open(path, flags, OwnerOnly);
        }
        while (file < 0 && Native.Errno == Native.EINTR);

        return file;
    }

    private static DeviceException Refused(DeviceOrder order, string operation, int error) =>
        new($"{order.Path}: cannot {operation}: " + error switch
        {
            Native.EAGAIN => "in use by another process",
            Native.EBUSY => "in use by another process, or mounted",
            _ => Native.Reason(error),
        });

    private static DeviceException TooSmall(DeviceOrder order, long length) =>
        new($"{order.Path}: too small: {length} bytes" + (order.CreateLength > 0 ? $" of {order.CreateLength}" : ""));
}

using System.Runtime.InteropServices;

namespace Aerie.Io;

/// The system calls on files and raw devices. Those of Linux AIO have no name in libc and go by number.
internal static unsafe partial class Native
{
    public const int ENOENT = 2;
    public const int EIO = 5;
    public const int EBUSY = 16;
    public const int EINVAL = 22;
    public const int ENOSYS = 38;
    public const int ENODATA = 61;
    public const int EOPNOTSUPP = 95;

    public const int OpenReadOnly = 0;
    public const int OpenReadWrite = 2;
    public const int OpenCreate = 0x40;

    /// With OpenCreate: not if it exists. Without, on a raw device: not if it is mounted or open in this way already.
    public const int OpenExclusive = 0x80;
    public const int OpenDataSync = 0x1000;

    public const int GetFlags = 3;
    public const int SetFlags = 4;
    public const int SeekEnd = 2;
    public const int LockExclusiveNow = 2 | 4;

    /// On block devices only, so these also tell one from a file.
    public const nuint BlockDeviceLength = 0x80081272;
    public const nuint BlockDeviceDiscard = 0x1277;

    private static readonly bool IsArm = RuntimeInformation.ProcessArchitecture == Architecture.Arm64;

    public static int OpenDirect => IsArm ? 0x10000 : 0x4000;

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Open(string path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "fcntl")]
    public static partial int FileControl(int file, int command, nint argument);

    [LibraryImport("libc", EntryPoint = "pread")]
    public static partial nint ReadAt(int file, void* into, nuint length, long offset);

    [LibraryImport("libc", EntryPoint = "pwrite")]
    public static partial nint WriteAt(int file, void* from, nuint length, long offset);

    [LibraryImport("libc", EntryPoint = "fdatasync")]
    public static partial int DataSync(int file);

    [LibraryImport("libc", EntryPoint = "fsync")]
    public static partial int FileSync(int file);

    [LibraryImport("libc", EntryPoint = "fallocate")]
    public static partial int Allocate(int file, int mode, long offset, long length);

    [LibraryImport("libc", EntryPoint = "ftruncate")]
    public static partial int Truncate(int file, long length);

    [LibraryImport("libc", EntryPoint = "lseek")]
    public static partial long Seek(int file, long offset, int whence);

    [LibraryImport("libc", EntryPoint = "flock")]
    public static partial int Lock(int file, int operation);

    [LibraryImport("libc", EntryPoint = "ioctl")]
    public static partial int DeviceControl(int file, nuint request, void* argument);

    /// Zero, or -1 with errno. `context` must be zero before.
    public static int AioSetup(int depth, nint* context) => (int)SystemCall(IsArm ? 0 : 206, depth, (nint)context, 0, 0, 0);

    public static int AioDestroy(nint context) => (int)SystemCall(IsArm ? 1 : 207, context, 0, 0, 0, 0);

    /// How many of the first were taken; -1 with errno when not even one.
    public static int AioSubmit(nint context, int count, AioRequest** requests) =>
        (int)SystemCall(IsArm ? 2 : 209, context, count, (nint)requests, 0, 0);

    public static int AioGetEvents(nint context, int min, int max, AioEvent* events) =>
        (int)SystemCall(IsArm ? 4 : 208, context, min, max, (nint)events, 0);

    [LibraryImport("libc", EntryPoint = "syscall")]
    private static partial nint SystemCall(nint number, nint argument1, nint argument2, nint argument3, nint argument4, nint argument5);

    /// struct iocb
    [StructLayout(LayoutKind.Explicit, Size = 64)]
    public struct AioRequest
    {
        public const ushort OperationRead = 0;
        public const uint TellEventFile = 1;

        [FieldOffset(0)] public ulong Data;
        [FieldOffset(16)] public ushort Operation;
        [FieldOffset(20)] public int File;
        [FieldOffset(24)] public ulong Address;
        [FieldOffset(32)] public ulong Length;
        [FieldOffset(40)] public long Offset;
        [FieldOffset(56)] public uint Flags;
        [FieldOffset(60)] public int EventFile;
    }

    /// struct io_event
    [StructLayout(LayoutKind.Sequential)]
    public struct AioEvent
    {
        public ulong Data;
        public ulong Request;
        public long Result;
        public long Result2;
    }

    /// struct aio_ring: what the kernel shares of a context. Entries follow at HeaderLength.
    [StructLayout(LayoutKind.Sequential)]
    public struct AioRing
    {
        public const uint MagicNumber = 0xa10a10a1;

        public uint Id;
        public uint Count;
        public uint Head;
        public uint Tail;
        public uint Magic;
        public uint CompatibleFeatures;
        public uint IncompatibleFeatures;
        public uint HeaderLength;
    }
}

namespace Aerie.Io;

/// One file or raw device, read and written at positions. Any thread. Offsets, lengths and the memory of spans are
/// multiples of Alignment. Blocks its caller: for threads of their own, never for a loop, which reads through its engine.
public interface IBlockDevice : IDisposable
{
    string Path { get; }

    long Length { get; }

    /// 4096, or 1 where the file system refuses direct I/O.
    int Alignment { get; }

    /// What an engine reads from: a descriptor, or the number of a simulated device.
    int File { get; }

    /// Fills the span. Throws DeviceException, also when the device ends before.
    void Read(long offset, Span<byte> into);

    void Write(long offset, ReadOnlySpan<byte> from);

    /// What was written before is safe afterwards, even from a loss of power. After a failure nothing written since the last
    /// success can be relied on, whatever a later sync says.
    void Sync();

    /// A hint that the bytes are not needed any more. May do nothing; never fails.
    void Discard(long offset, long length);
}

/// The door to files and raw devices. Tests have another one.
public interface IBlockDevices
{
    /// Throws DeviceException with one clear line: not there, no permission, in use, too small.
    IBlockDevice Open(DeviceOrder order);
}

/// CreateLength: a file of at least this length is made or grown and its room is taken at once; 0: it must be there (raw
/// devices). Direct: past the page cache where the file system allows. DataSync: each write returns when it is safe.
public readonly record struct DeviceOrder(string Path, long CreateLength, bool Direct, bool DataSync, bool ReadOnly);

/// What a device refused, as one line: path, offset, length, reason.
public sealed class DeviceException(string message) : Exception(message)
{
    public static DeviceException Of(string path, string operation, long offset, long length, string reason) =>
        new($"{path}: cannot {operation} {length} bytes at {offset}: {reason}");
}

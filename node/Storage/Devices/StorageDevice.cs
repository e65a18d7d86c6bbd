using Aerie.Foundation;
using Aerie.Io;

namespace Aerie.Storage.Devices;

/// One device of a log, with its shadow where it has one: what is written goes to both, what is read comes from the device.
public sealed class StorageDevice : IDisposable
{
    private readonly IBlockDevice _device;
    private readonly IBlockDevice? _shadow;
    private readonly bool _mustSync;
    private int _isDirty;
    private long _writes;
    private long _bytesWritten;

    internal StorageDevice(IBlockDevice device, IBlockDevice? shadow, DeviceHeader header, bool mustSync)
    {
        _device = device;
        _shadow = shadow;
        _mustSync = mustSync;
        Header = header;
        DataBlocks = checked((int)(header.BlockCount - 1));
    }

    public DeviceHeader Header { get; }

    public string Path => _device.Path;

    public string? ShadowPath => _shadow?.Path;

    public IBlockDevice Device => _device;

    /// Blocks behind the label area.
    public int DataBlocks { get; }

    public long Writes => Interlocked.Read(ref _writes);

    public long BytesWritten => Interlocked.Read(ref _bytesWritten);

    /// Blocks. Throws what the device says.
    public void Read(long offset, Span<byte> into) => _device.Read(offset, into);

    /// Any thread; different places.
    public void Write(long offset, ReadOnlySpan<byte> from)
    {
        try
        {
            _device.Write(offset, from);
            _shadow?.Write(offset, from);
        }
        finally
        {
            Volatile.Write(ref _isDirty, 1); // behind the write: a sync that runs meanwhile may not cover it
        }

        Interlocked.Increment(ref _writes);
        Interlocked.Add(ref _bytesWritten, from.Length);
    }

    /// Whether the shadow has the same bytes there; they are read into `scratch`.
    public bool IsOnShadow(long offset, ReadOnlySpan<byte> bytes, Span<byte> scratch)
    {
        Invariant.Holds(_shadow is not null && scratch.Length == bytes.Length);
        _shadow.Read(offset, scratch);
        return scratch.SequenceEqual(bytes);
    }

    /// What the device has already.
    public void WriteShadow(long offset, ReadOnlySpan<byte> from)
    {
        Invariant.Holds(_shadow is not null);
        _shadow.Write(offset, from);
        Volatile.Write(ref _isDirty, 1);
    }

    /// What was written before is safe afterwards. One thread at a time, and the same for all devices: a failure is told once,
    /// and whoever syncs beside would be told that all is well.
    public void Sync()
    {
        if (Interlocked.Exchange(ref _isDirty, 0) == 0 || !_mustSync)
        {
            return;
        }

        try
        {
            _device.Sync();
            _shadow?.Sync();
        }
        catch
        {
            Volatile.Write(ref _isDirty, 1);
            throw;
        }
    }

    public void Dispose()
    {
        _device.Dispose();
        _shadow?.Dispose();
    }
}

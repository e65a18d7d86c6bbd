using Aerie.Foundation;
using Aerie.Io;

namespace Aerie.Storage.Devices;

/// One device of a log, with its shadow where it has one: what is written goes to both, what is read comes from the device.
public sealed class StorageDevice : IDisposable
{
    private readonly IBlockDevice _device;
    private readonly IBlockDevice? _shadow;
    private readonly bool _mustSync;
    private bool _isDirty;

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

    public long Writes { get; private set; }

    public long BytesWritten { get; private set; }

    /// Blocks. Throws what the device says.
    public void Read(long offset, Span<byte> into) => _device.Read(offset, into);

    /// One thread at a time.
    public void Write(long offset, ReadOnlySpan<byte> from)
    {
        _isDirty = true;
        _device.Write(offset, from);
        _shadow?.Write(offset, from);
        Writes++;
        BytesWritten += from.Length;
    }

    /// What was written before is safe afterwards.
    public void Sync()
    {
        if (_isDirty && _mustSync)
        {
            _device.Sync();
            _shadow?.Sync();
        }

        _isDirty = false;
    }

    public void Dispose()
    {
        _device.Dispose();
        _shadow?.Dispose();
    }
}

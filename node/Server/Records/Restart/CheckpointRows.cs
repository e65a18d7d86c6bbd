using Aerie.Memory;
using Aerie.Storage.Devices;
using Aerie.Storage.Devices.Checkpoints;

namespace Aerie.Server.Records.Restart;

/// Reads rows of a checkpoint, large pieces at a time. One for each thread.
internal sealed class CheckpointRows(DeviceBacking backing, ReadOnlyMemory<int> blocks) : IDisposable
{
    private const int WindowLength = 1024 * 1024;

    private readonly NativeRegion _window = NativeRegion.Reserve(WindowLength, hugePages: false);
    private int _block = -1;
    private int _from;
    private int _end;

    /// The bytes of rows from this one on. `until`: the last row that will be asked for soon. Throws what a device says.
    public void Read(long row, long until, Span<byte> into)
    {
        const int RowsEnd = DeviceLayout.PageLength + (CheckpointLayout.RowsPerBlock * CheckpointLayout.RowLength);
        var (block, offset) = CheckpointLayout.PlaceOf(row);
        var (lastBlock, lastOffset) = CheckpointLayout.PlaceOf(until);
        while (into.Length > 0)
        {
            if (offset == RowsEnd)
            {
                (block, offset) = (block + 1, DeviceLayout.PageLength);
            }

            var needed = block == lastBlock ? lastOffset + CheckpointLayout.RowLength : RowsEnd;
            if (block != _block || offset < _from || offset >= _end)
            {
                Fill(block, offset, needed);
            }

            var count = Math.Min(into.Length, Math.Min(_end, RowsEnd) - offset);
            _window.Span(offset - _from, count).CopyTo(into);
            into = into[count..];
            offset += count;
        }
    }

    public void Dispose() => _window.Dispose();

    private void Fill(int block, int offset, int end)
    {
        _block = -1;
        _from = offset / DeviceLayout.PageLength * DeviceLayout.PageLength;
        var length = Math.Min(WindowLength, CheckpointLayout.Pages(end) - _from);
        var (device, place) = backing.PlaceOf(blocks.Span[block]);
        device.Read(place + _from, _window.Span(0, length));
        _end = _from + length;
        _block = block;
    }
}

using Aerie.Foundation;
using Aerie.Io;
using Aerie.Memory;
using Xunit;

namespace Aerie.Node.Tests.Io;

/// What files, raw devices and simulated ones promise the storage alike.
public abstract class BlockDeviceContract : IDisposable
{
    private const int Length = 64 * Page.Length;

    private readonly BufferPool _buffers = new();
    private readonly List<BufferId> _lent = [];

    protected abstract IBlockDevices Devices { get; }

    [Fact]
    public void What_is_written_is_read_back_also_by_who_opens_it_later()
    {
        var path = NewPath();
        using (var device = Devices.Open(Writer(path)))
        {
            Assert.Equal((path, (long)Length), (device.Path, device.Length));
            device.Write(4 * Page.Length, Filled(3 * Page.Length, 7));
            device.Sync();
            device.Discard(0, Page.Length);
            Assert.Equal(Filled(3 * Page.Length, 7), Read(device, 4 * Page.Length, 3 * Page.Length));
        }

        using var later = Devices.Open(Writer(path) with { CreateLength = 0, ReadOnly = true });
        Assert.Equal(Length, later.Length);
        Assert.Equal(Filled(3 * Page.Length, 7), Read(later, 4 * Page.Length, 3 * Page.Length));
        Assert.Equal(Filled(Page.Length, 0), Read(later, 7 * Page.Length, Page.Length));
    }

    [Fact]
    public void A_file_grows_to_the_length_asked_for_and_never_shrinks()
    {
        var path = NewPath();
        Devices.Open(Writer(path)).Dispose();
        using (var grown = Devices.Open(Writer(path) with { CreateLength = 2 * Length }))
        {
            Assert.Equal(2 * Length, grown.Length);
            Assert.Equal(Filled(Page.Length, 0), Read(grown, Length, Page.Length));
        }

        using var device = Devices.Open(Writer(path));
        Assert.Equal(2 * Length, device.Length);
    }

    [Fact]
    public void A_second_writer_is_refused_until_the_first_has_closed()
    {
        var path = NewPath();
        var first = Devices.Open(Writer(path));
        var thrown = Assert.Throws<DeviceException>(() => Devices.Open(Writer(path)));
        Assert.Equal($"{path}: cannot lock: in use by another process", thrown.Message);
        Devices.Open(Writer(path) with { ReadOnly = true }).Dispose();
        first.Dispose();
        Devices.Open(Writer(path)).Dispose();
    }

    [Fact]
    public void What_is_not_there_and_shall_not_be_made_is_told_in_one_line()
    {
        var path = NewPath();
        var thrown = Assert.Throws<DeviceException>(() => Devices.Open(Writer(path) with { CreateLength = 0 }));
        Assert.Equal($"{path}: cannot open: No such file or directory", thrown.Message);
        Assert.Throws<DeviceException>(() => Devices.Open(Writer(path) with { ReadOnly = true }));
    }

    [Fact]
    public void Reading_or_writing_past_the_end_is_told_in_one_line()
    {
        var path = NewPath();
        using var device = Devices.Open(Writer(path));
        var thrown = Assert.Throws<DeviceException>(() => Read(device, Length - Page.Length, 2 * Page.Length));
        Assert.Equal($"{path}: cannot read 8192 bytes at 258048: it ends at 262144", thrown.Message);
        thrown = Assert.Throws<DeviceException>(() => device.Write(Length, Filled(Page.Length, 1)));
        Assert.Equal($"{path}: cannot write 4096 bytes at 262144: it ends at 262144", thrown.Message);
    }

    [Fact]
    public void Who_opened_for_reading_cannot_write()
    {
        var path = NewPath();
        Devices.Open(Writer(path)).Dispose();
        using var device = Devices.Open(Writer(path) with { ReadOnly = true });
        Assert.StartsWith(
            $"{path}: cannot write 4096 bytes at 0: ",
            Assert.Throws<DeviceException>(() => device.Write(0, Filled(Page.Length, 1))).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void What_does_not_fit_direct_access_is_the_caller_s_error()
    {
        using var device = Devices.Open(Writer(NewPath()));
        Assert.Throws<InvariantException>(() => device.Read(512, Filled(Page.Length, 0)));
        Assert.Throws<InvariantException>(() => device.Read(0, Filled(Page.Length, 0)[..100]));
        Assert.Throws<InvariantException>(() => device.Write(0, Filled(2 * Page.Length, 0).Slice(64, Page.Length)));
    }

    [Fact]
    public void Without_direct_access_any_offset_length_and_memory_will_do()
    {
        using var device = Devices.Open(Writer(NewPath()) with { Direct = false, DataSync = true });
        Assert.Equal(1, device.Alignment);
        device.Write(1001, "any bytes"u8);
        device.Sync();
        var read = new byte[9];
        device.Read(1001, read);
        Assert.Equal("any bytes"u8.ToArray(), read);
    }

    public void Dispose()
    {
        Dispose(isDisposing: true);
        GC.SuppressFinalize(this);
    }

    protected abstract string NewPath();

    protected virtual void Dispose(bool isDisposing)
    {
        _lent.ForEach(_buffers.Return);
        _buffers.Dispose();
    }

    protected static DeviceOrder Writer(string path) => new(path, Length, Direct: true, DataSync: false, ReadOnly: false);

    protected Span<byte> Filled(int length, byte value)
    {
        var buffer = _buffers.RentAligned(length);
        _lent.Add(buffer);
        var span = _buffers.Span(buffer)[..length];
        span.Fill(value);
        return span;
    }

    protected Span<byte> Read(IBlockDevice device, long offset, int length)
    {
        var span = Filled(length, 0xee);
        device.Read(offset, span);
        return span;
    }
}

using System.Diagnostics;
using Aerie.Foundation;
using Aerie.Io;
using Aerie.Memory;
using Xunit;

namespace Aerie.Node.Tests.Io;

/// What is particular to reads through the kernel's asynchronous I/O. The contract is held by EpollEngineTests.
public sealed class EpollAioReadTests : IDisposable
{
    private const int Pages = 256;

    private readonly TempDevices _devices = new();
    private readonly EpollEngine _engine = new(new SystemClock());
    private readonly Completion[] _into = new Completion[16];

    [Fact]
    public void All_reads_of_a_turn_go_out_with_one_call()
    {
        using var device = _devices.New(Pages * Page.Length);
        Read(device, 100);
        Collect(100);
        Assert.Equal(1, _engine.Counters.ReadSubmits);
        Assert.Equal(0, _engine.Counters.ReadsByThreads);
    }

    [Fact]
    public void A_device_without_direct_access_is_read_by_threads()
    {
        using var device = _devices.New(Pages * Page.Length, isDirect: false);
        Read(device, 100);
        Collect(100);
        Assert.Equal((100, 0), (_engine.Counters.ReadsByThreads, _engine.Counters.ReadSubmits));
    }

    [Fact]
    public void A_buffer_or_an_offset_that_direct_access_cannot_use_is_refused_at_once()
    {
        using var device = _devices.New(Pages * Page.Length);
        var aligned = _engine.Buffers.RentAligned(Page.Length);
        Assert.Throws<InvariantException>(() => _engine.Read(device, 512, aligned, Page.Length, 0));
        Assert.Throws<InvariantException>(() => _engine.Read(device, 0, aligned, 512, 0));
        Assert.Throws<InvariantException>(() => _engine.Read(device, 0, aligned, 2 * Page.Length, 0));
        _engine.Buffers.Return(aligned);
        var standard = _engine.Buffers.Rent();
        Assert.Throws<InvariantException>(() => _engine.Read(device, 0, standard, Page.Length, 0));
        _engine.Buffers.Return(standard);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_read_ends_an_endless_sleep_and_no_rest_delays_it(bool isDirect)
    {
        using var device = _devices.New(Pages * Page.Length, isDirect);
        using var engine = new EpollEngine(new SystemClock(), new RestOptions { MaxMicroseconds = 50, ArrivalsMin = 0 });
        for (var i = 0; i < 50; i++)
        {
            var started = Stopwatch.GetTimestamp();
            engine.Read(device, 0, engine.Buffers.RentAligned(Page.Length), Page.Length, i);
            while (engine.Wait(_into, -1) == 0)
            {
                Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(10));
            }

            Assert.Equal((i, Page.Length), (_into[0].Tag, _into[0].Length));
            engine.Buffers.Return(_into[0].Buffer);
        }

        Assert.Equal(0, engine.Counters.Rests);
    }

    [Fact]
    public void A_sleep_after_reads_have_ended_is_not_cut_short_for_ever()
    {
        using var device = _devices.New(Pages * Page.Length);
        Read(device, 64);
        Collect(64);
        _engine.Wait(_into, 0); // an event of a read that was collected already may be left
        var waits = _engine.Counters.Waits;
        var started = Stopwatch.GetTimestamp();
        Assert.Equal(0, _engine.Wait(_into, 100));
        Assert.True(Stopwatch.GetElapsedTime(started).TotalMilliseconds >= 95);
        Assert.Equal(1, _engine.Counters.Waits - waits);
    }

    public void Dispose()
    {
        _engine.Dispose();
        _devices.Dispose();
    }

    private void Read(IBlockDevice device, int count)
    {
        for (var i = 0; i < count; i++)
        {
            _engine.Read(device, (long)(i % Pages) * Page.Length, _engine.Buffers.RentAligned(Page.Length), Page.Length, i);
        }
    }

    private void Collect(int count)
    {
        var started = Stopwatch.GetTimestamp();
        while (count > 0)
        {
            Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(10));
            foreach (var done in _into.AsSpan(0, _engine.Wait(_into, 100)))
            {
                Assert.Equal(Page.Length, done.Length);
                _engine.Buffers.Return(done.Buffer);
                count--;
            }
        }
    }
}

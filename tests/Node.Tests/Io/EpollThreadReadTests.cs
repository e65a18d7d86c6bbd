using Aerie.Io;
using Xunit;

namespace Aerie.Node.Tests.Io;

/// The event loop's engine where the kernel's asynchronous I/O is refused.
public sealed class EpollThreadReadTests : IoReadContract
{
    private readonly TempDevices _devices = new();
    private readonly SystemClock _clock = new();

    [Fact]
    public void All_reads_go_by_threads()
    {
        using var engine = NewEngine();
        ReadPage(engine, 3);
        CheckAndReturn(engine, Next(engine, CompletionKind.ReadDone));
        Assert.Equal((1, 0), (engine.Counters.ReadsByThreads, engine.Counters.ReadSubmits));
    }

    protected override IIoEngine NewEngine() => new EpollEngine(_clock, useAio: false);

    protected override IBlockDevice OpenDevice(long length) => _devices.New(length);

    protected override ITestPeer ConnectPeer(int port, bool isSlow) => new SocketPeer(port, isSlow);

    protected override void Dispose(bool isDisposing)
    {
        base.Dispose(isDisposing);
        _devices.Dispose();
    }
}

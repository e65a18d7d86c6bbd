using Aerie.Io;
using Aerie.TestKit;
using Xunit;

namespace Aerie.Node.Tests.Io;

/// The simulated world keeps the same promises as the real one, or tests in it would prove nothing.
public sealed class SimulatedEngineTests : IoReadContract
{
    private readonly SimulatedNetwork _network = new();
    private readonly SimulatedDisk _disk = new();

    [Fact]
    public void Pieces_arrive_as_they_were_sent()
    {
        using var engine = new SimulatedEngine(_network);
        var peer = _network.Connect(engine.Listen(new ListenAddress("any", 3000), 1));
        peer.SendInPieces("abcde"u8, 2);
        var into = new Completion[8];
        var lengths = new List<int>();
        for (var turn = 0; turn < 5; turn++)
        {
            foreach (var received in into.AsSpan(0, engine.Wait(into, 0)).ToArray().Where(c => c.Kind == CompletionKind.Received))
            {
                lengths.Add(received.Length);
                engine.Buffers.Return(received.Buffer);
            }
        }

        Assert.Equal([2, 2, 1], lengths);
    }

    [Fact]
    public void Being_out_of_descriptors_can_be_played()
    {
        using var engine = new SimulatedEngine(_network);
        _network.Connect(engine.Listen(new ListenAddress("any", 3000), 1));
        engine.AcceptError = 24;
        Assert.Equal(24, Next(engine, CompletionKind.AcceptFailed).Tag);
        Assert.Null(Poll(engine));
        engine.AcceptError = 0;
        Next(engine, CompletionKind.Accepted);
    }

    [Fact]
    public void Reads_of_a_slow_device_stay_pending_until_it_answers()
    {
        using var engine = new SimulatedEngine(_network);
        Assert.NotNull(Device);
        _disk["simulated"].HoldsReads = true;
        ReadPage(engine, 3);
        ReadPage(engine, 4);
        Assert.Null(Poll(engine));
        Assert.Equal(2, engine.PendingReads);
        _disk["simulated"].HoldsReads = false;
        CheckAndReturn(engine, Next(engine, CompletionKind.ReadDone));
        CheckAndReturn(engine, Next(engine, CompletionKind.ReadDone));
        Assert.Equal(0, engine.PendingReads);
    }

    [Fact]
    public void A_read_error_can_be_played()
    {
        using var engine = new SimulatedEngine(_network);
        Assert.NotNull(Device);
        _disk["simulated"].Fail(TestKit.DiskOperation.Read, offset: 8192, length: 4096);
        ReadPage(engine, 1);
        ReadPage(engine, 2);
        CheckAndReturn(engine, Next(engine, CompletionKind.ReadDone));
        var failed = Next(engine, CompletionKind.ReadDone);
        Assert.Equal((2, -SimulatedMedium.ErrorIo), (failed.Tag, failed.Length));
        engine.Buffers.Return(failed.Buffer);
    }

    protected override IIoEngine NewEngine() => new SimulatedEngine(_network);

    protected override IBlockDevice OpenDevice(long length) =>
        _disk.Open(new DeviceOrder("simulated", length, Direct: true, DataSync: false, ReadOnly: false));

    protected override ITestPeer ConnectPeer(int port, bool isSlow)
    {
        var peer = _network.Connect(port);
        peer.ReceiveWindow = isSlow ? 10_000 : peer.ReceiveWindow;
        return new Peer(peer);
    }

    private sealed class Peer(SimulatedPeer peer) : ITestPeer
    {
        public bool IsEnded => peer.IsClosedByServer && peer.Available == 0;

        public void Send(ReadOnlySpan<byte> bytes) => peer.Send(bytes);

        public int Read(Span<byte> into) => peer.Read(into);

        public void Close() => peer.Close();

        public void Vanish() => peer.Vanish();
    }
}

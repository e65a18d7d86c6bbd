using System.Diagnostics;
using System.Net;
using Aerie.Foundation;
using Aerie.Io;
using Xunit;

namespace Aerie.Node.Tests.Io;

public sealed class EpollEngineTests : IoReadContract
{
    private readonly SystemClock _clock = new();
    private readonly TempDevices _devices = new();

    [Fact]
    public void A_request_costs_one_receive_one_send_and_at_most_one_wait()
    {
        var (engine, peer, id) = Connected();
        var (receives, sends, waits) = (engine.Counters.Receives, engine.Counters.Sends, engine.Counters.Waits);
        for (var i = 0; i < 100; i++)
        {
            peer.Send("request"u8);
            Echo(engine, id);
            ReadExactly(engine, peer, 7);
        }

        Assert.Equal(100, engine.Counters.Receives - receives);
        Assert.Equal(100, engine.Counters.Sends - sends);
        Assert.InRange(engine.Counters.Waits - waits, 1, 102);
    }

    [Fact]
    public void A_batch_of_ready_connections_shares_one_wait()
    {
        var (engine, port) = Listening();
        var connected = Enumerable.Range(0, 100).Select(_ => Connect(engine, port)).ToList();
        connected.ForEach(one => one.Peer.Send("request"u8));
        var waits = engine.Counters.Waits;
        var into = new Completion[16];
        var received = 0;
        Until(() =>
        {
            var count = engine.Wait(into, 10);
            into.AsSpan(0, count).ToArray().ToList().ForEach(completion => engine.Buffers.Return(completion.Buffer));
            Assert.InRange(engine.Buffers.Outstanding, 0, 0);
            return (received += count) == 100;
        });
        Assert.InRange(engine.Counters.Waits - waits, 1, 5);
    }

    [Fact]
    public void A_port_in_use_is_told_in_one_line_with_address_port_and_reason()
    {
        var (_, port) = Listening();
        using var other = NewEngine();
        var thrown = Assert.Throws<IoException>(() => other.Listen(new ListenAddress("127.0.0.1", port), Tag));
        Assert.Equal($"cannot listen on 127.0.0.1 port {port}: Address already in use", thrown.Message);
    }

    [Fact]
    public void An_address_of_another_machine_or_no_address_is_told_in_one_line()
    {
        using var engine = NewEngine();
        var thrown = Assert.Throws<IoException>(() => engine.Listen(new ListenAddress("192.0.2.1", 3000), Tag));
        Assert.Equal("cannot listen on 192.0.2.1 port 3000: Cannot assign requested address", thrown.Message);
        thrown = Assert.Throws<IoException>(() => engine.Listen(new ListenAddress("no such host", 3000), Tag));
        Assert.StartsWith("cannot listen on no such host port 3000: ", thrown.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', thrown.Message);
    }

    [Theory]
    [InlineData("any", true, true)]
    [InlineData("0.0.0.0", true, false)]
    [InlineData("::", false, true)]
    [InlineData("127.0.0.1", true, false)]
    [InlineData("::1", false, true)]
    [InlineData("localhost", true, null)]
    public void An_address_is_listened_on_in_the_families_it_names(string host, bool onIPv4, bool? onIPv6)
    {
        Assert.SkipUnless(System.Net.Sockets.Socket.OSSupportsIPv6 || !(onIPv6 ?? false), "this machine has no IPv6");
        using var engine = NewEngine();
        var port = engine.Listen(new ListenAddress(host, 0), Tag);
        Assert.Equal(onIPv4, CanConnect(engine, IPAddress.Loopback, port));
        if (onIPv6 is { } expected && System.Net.Sockets.Socket.OSSupportsIPv6)
        {
            Assert.Equal(expected, CanConnect(engine, IPAddress.IPv6Loopback, port));
        }
    }

    [Fact]
    public void A_peer_is_named_by_address_and_port()
    {
        using var engine = NewEngine();
        var port = engine.Listen(new ListenAddress("any", 0), Tag);
        var (_, id) = Connect(engine, port);
        Assert.StartsWith("127.0.0.1:", engine.PeerOf(id), StringComparison.Ordinal);
        engine.Close(id, CloseMode.Now);
        Assert.Equal("unknown", engine.PeerOf(id));
    }

    [Fact]
    public void A_wake_up_ends_the_present_sleep_or_the_next_one()
    {
        using var engine = NewEngine();
        var into = new Completion[1];
        engine.Wake();
        Assert.Equal(0, engine.Wait(into, -1));

        var thread = new Thread(() => Until(() =>
        {
            engine.Wake();
            return true;
        }));
        thread.Start();
        Assert.Equal(0, engine.Wait(into, -1));
        thread.Join();
    }

    [Fact]
    public void Out_of_descriptors_the_listener_rests_and_recovers_by_itself()
    {
        var (engine, port) = Listening();
        Connect(engine, port); // everything needed has run once: nothing may want a descriptor below
        using var first = new SocketPeer(port);
        var limit = ProcessLimits.OpenFiles;
        var into = new Completion[4];
        var failures = 0;
        var accepted = 0;
        var waitsBefore = engine.Counters.Waits;
        var started = Stopwatch.GetTimestamp();
        try
        {
            Assert.True(ProcessLimits.SetOpenFiles(LowestFreeDescriptor()));
            while (Stopwatch.GetElapsedTime(started).TotalMilliseconds < 350)
            {
                var count = engine.Wait(into, 50);
                for (var i = 0; i < count; i++)
                {
                    failures += into[i].Kind == CompletionKind.AcceptFailed && into[i].Tag == 24 ? 1 : 0;
                    accepted += into[i].Kind == CompletionKind.Accepted ? 1 : 0;
                }
            }
        }
        finally
        {
            ProcessLimits.SetOpenFiles(limit);
        }

        Assert.Equal(0, accepted);
        Assert.InRange(failures, 2, 5);
        Assert.InRange(engine.Counters.Waits - waitsBefore, 3, 25);
        Assert.Equal(failures, engine.Counters.AcceptFailures);
        Next(engine, CompletionKind.Accepted);
    }

    [Fact]
    public void Idle_connections_cost_next_to_no_memory_and_no_wake_ups()
    {
        const int connections = 2000;
        var (engine, port) = Listening();
        Connect(engine, port);
        var clients = Enumerable.Range(0, connections).Select(_ => new SocketPeer(port)).ToList();
        var before = MemoryInUse();
        var into = new Completion[16];
        var accepted = 0;
        Until(() => (accepted += engine.Wait(into, 10)) == connections);

        Assert.InRange(MemoryInUse() - before, long.MinValue, connections * 1024L);
        Assert.Equal(0, engine.Buffers.Outstanding);
        Assert.Equal(0, engine.Wait(into, 0));
        var waits = engine.Counters.Waits;
        var started = Stopwatch.GetTimestamp();
        Assert.Equal(0, engine.Wait(into, 200));
        Assert.True(Stopwatch.GetElapsedTime(started).TotalMilliseconds >= 195);
        Assert.Equal(1, engine.Counters.Waits - waits);
        clients.ForEach(client => client.Vanish());
    }

    [Fact]
    public void A_peer_that_never_reads_its_last_bytes_is_cut_off()
    {
        var clock = new TestKit.FakeClock();
        using var engine = new EpollEngine(clock);
        var port = engine.Listen(new ListenAddress("127.0.0.1", 0), Tag);
        var (_, id) = Connect(engine, port, isSlow: true);
        while (engine.Send(id, engine.Buffers.Rent(1 << 20), 1 << 20))
        {
        }

        engine.Close(id, CloseMode.AfterSending);
        clock.Advance(TimeSpan.FromSeconds(9));
        Assert.Null(Poll(engine));
        Assert.Equal(0, engine.Counters.Closed);
        clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Null(Poll(engine));
        Assert.Equal(1, engine.Counters.Closed);
        Assert.Equal(0, engine.Buffers.Outstanding);
    }

    protected override IIoEngine NewEngine() => new EpollEngine(_clock);

    protected override IBlockDevice OpenDevice(long length) => _devices.New(length);

    protected override void Dispose(bool isDisposing)
    {
        base.Dispose(isDisposing);
        _devices.Dispose();
    }

    protected override ITestPeer ConnectPeer(int port, bool isSlow) => new SocketPeer(port, isSlow);

    private bool CanConnect(IIoEngine engine, IPAddress address, int port)
    {
        try
        {
            Keep(new SocketPeer(port, isSlow: false, address));
        }
        catch (System.Net.Sockets.SocketException)
        {
            return false;
        }

        Next(engine, CompletionKind.Accepted);
        return true;
    }

    private static long LowestFreeDescriptor()
    {
        using var probe = File.OpenHandle("/dev/null");
        return probe.DangerousGetHandle();
    }

    // Anonymous memory of the process, after a collection: native and managed together.
    private static long MemoryInUse()
    {
        GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        var line = File.ReadLines("/proc/self/status").First(text => text.StartsWith("RssAnon:", StringComparison.Ordinal));
        return long.Parse(line.AsSpan(8, line.Length - 8 - 3).Trim()) * 1024;
    }
}

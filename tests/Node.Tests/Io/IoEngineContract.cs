using System.Collections.Concurrent;
using System.Diagnostics;
using Aerie.Io;
using Aerie.Memory;
using Xunit;

namespace Aerie.Node.Tests.Io;

/// What every engine promises an event loop. A new engine adds one small class and inherits all of it.
public abstract class IoEngineContract : IDisposable
{
    protected const int Tag = 7;
    private const int Large = 256 * 1024;

    private readonly List<IIoEngine> _engines = [];
    private readonly List<ITestPeer> _peers = [];

    protected abstract IIoEngine NewEngine();

    /// The far end of a connection. A slow one takes little before the engine has to queue.
    protected abstract ITestPeer ConnectPeer(int port, bool isSlow);

    [Fact]
    public void What_arrives_can_be_echoed()
    {
        var (engine, peer, id) = Connected();
        peer.Send("hello"u8);
        Echo(engine, id);
        Assert.Equal("hello"u8.ToArray(), ReadExactly(engine, peer, 5));
        Assert.Equal(5, engine.Counters.BytesReceived);
        Assert.Equal(5, engine.Counters.BytesSent);
        Assert.Equal(0, engine.Buffers.Outstanding);
    }

    [Fact]
    public void Half_a_message_is_completed_in_the_buffer_that_was_handed_back()
    {
        var (engine, peer, id) = Connected();
        peer.Send("first half, "u8);
        var half = Next(engine, CompletionKind.Received);
        engine.ReceiveMoreInto(id, half.Buffer, half.Length);
        peer.Send("second half"u8);
        var whole = Next(engine, CompletionKind.Received);
        Assert.Equal(half.Buffer, whole.Buffer);
        Assert.Equal("first half, second half"u8.ToArray(), engine.Buffers.Span(whole.Buffer)[..whole.Length].ToArray());
        engine.Buffers.Return(whole.Buffer);
    }

    [Fact]
    public void A_sender_of_single_bytes_gets_its_message_together()
    {
        var (engine, peer, id) = Connected();
        var message = Pattern(300);
        var completion = default(Completion);
        for (var i = 0; i < message.Length; i++)
        {
            peer.Send(message.AsSpan(i, 1));
            completion = Next(engine, CompletionKind.Received);
            Assert.Equal(i + 1, completion.Length);
            if (i < message.Length - 1)
            {
                engine.ReceiveMoreInto(id, completion.Buffer, completion.Length);
            }
        }

        Assert.Equal(message, engine.Buffers.Span(completion.Buffer)[..completion.Length].ToArray());
        engine.Buffers.Return(completion.Buffer);
        Assert.Equal(0, engine.Buffers.Outstanding);
    }

    [Fact]
    public void A_slow_reader_makes_sends_wait_and_gets_every_byte_in_order()
    {
        var (engine, peer, id) = Connected(isSlow: true);
        var given = SendUntilItWaits(engine, id);
        Assert.InRange(engine.PendingSendBytes(id), 1, given);
        Assert.True(engine.Buffers.Outstanding > 0);

        var waiting = engine.PendingSendBytes(id);
        var received = new List<byte>();
        var isDrained = false;
        Until(() =>
        {
            received.AddRange(ReadAvailable(peer));
            isDrained |= Poll(engine) is { Kind: CompletionKind.Drained };
            Assert.InRange(engine.PendingSendBytes(id), 0, waiting);
            return isDrained && received.Count == given;
        });

        Assert.Equal(0, engine.PendingSendBytes(id));
        Assert.Equal(0, engine.Buffers.Outstanding);
        Assert.Equal(Enumerable.Range(0, given / Large).SelectMany(_ => Pattern(Large)), received);
    }

    [Fact]
    public void A_client_that_vanishes_with_sends_waiting_leaves_no_buffer_behind()
    {
        var (engine, peer, id) = Connected(isSlow: true);
        SendUntilItWaits(engine, id);
        peer.Vanish();
        Assert.Equal(id, Next(engine, CompletionKind.Closed).Connection);
        Assert.Equal(0, engine.Buffers.Outstanding);
        Assert.Equal(0, engine.PendingSendBytes(id));
    }

    [Fact]
    public void A_client_that_vanishes_in_the_middle_of_a_message_leaves_no_buffer_behind()
    {
        var (engine, peer, id) = Connected();
        peer.Send("half"u8);
        var half = Next(engine, CompletionKind.Received);
        engine.ReceiveMoreInto(id, half.Buffer, half.Length);
        peer.Vanish();
        Assert.NotEqual(0, Next(engine, CompletionKind.Closed).Tag);
        Assert.Equal(0, engine.Buffers.Outstanding);
    }

    [Fact]
    public void An_orderly_end_is_told_after_the_last_bytes()
    {
        var (engine, peer, id) = Connected();
        peer.Send("last words"u8);
        peer.Close();
        var received = Next(engine, CompletionKind.Received);
        Assert.Equal(10, received.Length);
        engine.Buffers.Return(received.Buffer);
        Assert.Equal(new Completion(CompletionKind.Closed, id, BufferId.None, 0, 0), Next(engine, CompletionKind.Closed));
    }

    [Fact]
    public void A_late_completion_never_reaches_the_next_tenant_of_the_slot()
    {
        var (engine, port) = Listening();
        var (firstPeer, first) = Connect(engine, port);
        var (secondPeer, second) = Connect(engine, port);
        var (thirdPeer, third) = Connect(engine, port);
        var handOver = engine.Detach(third);

        // One batch of events: bytes on the first, and the end of the second, which the loop closes before it is looked at.
        Assert.Null(Poll(engine));
        firstPeer.Send("x"u8);
        secondPeer.Vanish();
        Echo(engine, first);
        engine.Close(second, CloseMode.Now);
        var tenant = engine.Attach(handOver);
        Assert.Equal(second.Slot, tenant.Slot);
        Assert.NotEqual(second.Generation, tenant.Generation);
        engine.PauseReceiving(tenant); // a paused connection believes an event that says "gone"
        Assert.Null(Poll(engine));

        // Whatever the loop still does for the old id does not reach the tenant either.
        Assert.True(engine.Send(second, Filled(engine, "not for you"u8), 11));
        engine.ReceiveMoreInto(second, engine.Buffers.Rent(), 5);
        engine.Close(second, CloseMode.Now);
        engine.ResumeReceiving(tenant);
        thirdPeer.Send("mine"u8);
        Echo(engine, tenant);
        Assert.Equal("mine"u8.ToArray(), ReadExactly(engine, thirdPeer, 4));
        Assert.Equal(0, engine.Buffers.Outstanding);
    }

    [Fact]
    public void Closing_after_sending_delivers_what_waits_and_tells_nothing_more()
    {
        var (engine, peer, id) = Connected(isSlow: true);
        var given = SendUntilItWaits(engine, id);
        peer.Send("never read"u8);
        engine.Close(id, CloseMode.AfterSending);
        var received = 0;
        Until(() =>
        {
            received += ReadAvailable(peer).Length;
            Assert.Null(Poll(engine));
            return peer.IsEnded;
        });
        Assert.Equal(given, received);
        peer.Close();
        Until(() => Poll(engine) is null && engine.Counters.Closed == 1);
        Assert.Equal(0, engine.Buffers.Outstanding);
    }

    [Fact]
    public void A_reply_sent_before_the_close_arrives_although_more_was_sent_to_us()
    {
        var (engine, peer, id) = Connected();
        peer.Send("request"u8);
        var request = Next(engine, CompletionKind.Received);
        peer.Send(Pattern(1000));
        Assert.True(engine.Send(id, request.Buffer, request.Length));
        engine.Close(id, CloseMode.AfterSending);
        Assert.Equal("request"u8.ToArray(), ReadExactly(engine, peer, 7));
        Until(() =>
        {
            Poll(engine);
            ReadAvailable(peer);
            return peer.IsEnded;
        });
    }

    [Fact]
    public void A_vanished_client_ends_a_close_that_waits_for_its_last_bytes()
    {
        var (engine, peer, id) = Connected(isSlow: true);
        SendUntilItWaits(engine, id);
        engine.Close(id, CloseMode.AfterSending);
        Assert.True(engine.Buffers.Outstanding > 0);
        peer.Vanish();
        Until(() => Poll(engine) is null && engine.Buffers.Outstanding == 0);
        Assert.Equal(1, engine.Counters.Closed);
    }

    [Fact]
    public void Closing_now_drops_what_waits_and_tells_nothing_more()
    {
        var (engine, peer, id) = Connected(isSlow: true);
        SendUntilItWaits(engine, id);
        engine.Close(id, CloseMode.Now);
        Assert.Equal(0, engine.Buffers.Outstanding);
        Until(() =>
        {
            ReadAvailable(peer);
            Assert.Null(Poll(engine));
            return peer.IsEnded;
        });
    }

    [Fact]
    public void A_paused_connection_is_not_read_until_it_is_resumed()
    {
        var (engine, peer, id) = Connected();
        engine.PauseReceiving(id);
        peer.Send("patience"u8);
        Assert.Null(Poll(engine));
        Assert.Null(Poll(engine));
        engine.ResumeReceiving(id);
        var received = Next(engine, CompletionKind.Received);
        Assert.Equal(8, received.Length);
        engine.Buffers.Return(received.Buffer);
    }

    [Fact]
    public void That_a_client_has_gone_is_told_also_while_it_is_paused()
    {
        var (engine, peer, id) = Connected();
        engine.PauseReceiving(id);
        peer.Send("unread"u8);
        Assert.Null(Poll(engine));
        peer.Close();
        Assert.Equal(id, Next(engine, CompletionKind.Closed).Connection);
    }

    [Fact]
    public void A_connection_can_move_to_the_engine_of_another_thread_and_loses_nothing()
    {
        var (engine, port) = Listening();
        var moved = new ConcurrentQueue<IoHandOver>();
        var echoed = 0;
        Exception? failure = null;
        using var other = NewEngine();
        var thread = new Thread(() =>
        {
            try
            {
                Until(() => EchoMoved(other, moved, ref echoed) && echoed >= 10);
            }
            catch (Exception thrown)
            {
                failure = thrown;
            }
        });
        thread.Start();

        var peers = Enumerable.Range(0, 10).Select(_ => Keep(ConnectPeer(port, isSlow: false))).ToList();
        peers.ForEach(peer => peer.Send("before the move"u8));
        for (var i = 0; i < peers.Count; i++)
        {
            moved.Enqueue(engine.Detach(Next(engine, CompletionKind.Accepted).Connection));
            other.Wake();
        }

        thread.Join();
        Assert.Null(failure);
        Assert.All(peers, peer => Assert.Equal("before the move"u8.ToArray(), ReadExactly(engine, peer, 15)));
        Assert.Equal(0, engine.Counters.Receives);
        Assert.Equal(0, other.Buffers.Outstanding);
    }

    [Fact]
    public void With_room_for_one_completion_every_ready_connection_gets_its_turn()
    {
        var (engine, port) = Listening();
        var connected = Enumerable.Range(0, 50).Select(_ => Connect(engine, port)).ToList();
        connected.ForEach(one => one.Peer.Send("turn"u8));
        var served = new HashSet<ConnectionId>();
        for (var i = 0; i < connected.Count; i++)
        {
            var received = Next(engine, CompletionKind.Received);
            served.Add(received.Connection);
            engine.Buffers.Return(received.Buffer);
        }

        Assert.Equal(connected.Count, served.Count);
    }

    [Fact]
    public void A_port_is_not_listened_on_any_more_once_stopped()
    {
        var (engine, port) = Listening();
        engine.StopListening(Tag);
        Assert.ThrowsAny<Exception>(() => ConnectPeer(port, isSlow: false));
    }

    [Fact]
    public void Disposing_an_engine_gives_back_every_buffer_it_owns()
    {
        var (engine, peer, id) = Connected(isSlow: true);
        SendUntilItWaits(engine, id);
        peer.Send("half"u8);
        var half = Next(engine, CompletionKind.Received);
        engine.ReceiveMoreInto(id, half.Buffer, half.Length);
        engine.Dispose();
        Assert.Equal(0, engine.Buffers.Outstanding);
        Assert.Equal(0, engine.Buffers.BytesHeld);
        engine.Wake(); // another thread may be late
    }

    [Fact]
    public void A_warm_request_allocates_nothing()
    {
        var (engine, peer, id) = Connected();
        var request = Pattern(100);
        var reply = new byte[100];
        var into = new Completion[4];
        for (var i = 0; i < 200; i++)
        {
            OneRequest(engine, peer, id, request, reply, into);
        }

        var allocated = 0L;
        for (var i = 0; i < 2000; i++)
        {
            allocated += OneRequest(engine, peer, id, request, reply, into);
        }

        Assert.Equal(0, allocated);
    }

    [Fact]
    public void Clients_that_come_talk_stall_and_vanish_at_random_leave_nothing_behind()
    {
        const int seed = 20_231;
        var random = new Random(seed);
        var (engine, port) = Listening();
        var peers = new List<ITestPeer>();
        for (var step = 0; step < 3000; step++)
        {
            RandomStep(random, port, peers);
            if (Poll(engine, timeoutMilliseconds: 0) is { } completion)
            {
                AnswerAtRandom(random, engine, completion);
            }
        }

        peers.ForEach(peer => peer.Vanish());
        Until(() =>
        {
            ReturnNext(engine);
            return engine.Counters.Closed == engine.Counters.Accepted && engine.Buffers.Outstanding == 0;
        });
        Assert.True(engine.Counters.Accepted > 50, "the seed gives too tame a run");
    }

    public void Dispose()
    {
        Dispose(isDisposing: true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool isDisposing)
    {
        _peers.ForEach(peer => peer.Vanish());
        _engines.ForEach(engine => engine.Dispose());
    }

    protected (IIoEngine Engine, int Port) Listening()
    {
        var engine = NewEngine();
        _engines.Add(engine);
        return (engine, engine.Listen(new ListenAddress("127.0.0.1", 0), Tag));
    }

    protected (IIoEngine Engine, ITestPeer Peer, ConnectionId Id) Connected(bool isSlow = false)
    {
        var (engine, port) = Listening();
        var (peer, id) = Connect(engine, port, isSlow);
        return (engine, peer, id);
    }

    protected (ITestPeer Peer, ConnectionId Id) Connect(IIoEngine engine, int port, bool isSlow = false)
    {
        var peer = Keep(ConnectPeer(port, isSlow));
        var accepted = Next(engine, CompletionKind.Accepted);
        Assert.Equal(Tag, accepted.Tag);
        return (peer, accepted.Connection);
    }

    protected ITestPeer Keep(ITestPeer peer)
    {
        _peers.Add(peer);
        return peer;
    }

    /// One completion if there is one within a moment.
    protected static Completion? Poll(IIoEngine engine, int timeoutMilliseconds = 2)
    {
        Span<Completion> one = stackalloc Completion[1];
        return engine.Wait(one, timeoutMilliseconds) == 1 ? one[0] : null;
    }

    protected static Completion Next(IIoEngine engine, CompletionKind kind)
    {
        Completion? next = null;
        Until(() => (next = Poll(engine)) is not null);
        Assert.Equal(kind, next!.Value.Kind);
        return next.Value;
    }

    protected static void Until(Func<bool> isReached)
    {
        var started = Stopwatch.GetTimestamp();
        while (!isReached())
        {
            Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(10), "waited ten seconds in vain");
        }
    }

    protected static void Echo(IIoEngine engine, ConnectionId id)
    {
        var received = Next(engine, CompletionKind.Received);
        Assert.Equal(id, received.Connection);
        Assert.True(engine.Send(id, received.Buffer, received.Length));
    }

    protected static byte[] ReadExactly(IIoEngine engine, ITestPeer peer, int count)
    {
        var read = new List<byte>();
        Until(() =>
        {
            read.AddRange(ReadAvailable(peer));
            return read.Count >= count;
        });
        return read.ToArray();
    }

    protected static byte[] Pattern(int length) => Enumerable.Range(0, length).Select(i => (byte)(i * 7)).ToArray();

    private static byte[] ReadAvailable(ITestPeer peer)
    {
        var bytes = new byte[Large];
        var read = 0;
        for (int piece; (piece = peer.Read(bytes.AsSpan(read))) > 0;)
        {
            read += piece;
        }

        return bytes[..read];
    }

    private static BufferId Filled(IIoEngine engine, ReadOnlySpan<byte> bytes)
    {
        var buffer = engine.Buffers.Rent(bytes.Length);
        bytes.CopyTo(engine.Buffers.Span(buffer));
        return buffer;
    }

    // Returns the bytes given, of which the last at least wait.
    private static int SendUntilItWaits(IIoEngine engine, ConnectionId id)
    {
        var pattern = Pattern(Large);
        for (var given = Large; given <= 64 * 1024 * 1024; given += Large)
        {
            if (!engine.Send(id, Filled(engine, pattern), Large))
            {
                Assert.False(engine.Send(id, Filled(engine, pattern), Large));
                return given + Large;
            }
        }

        throw new InvalidOperationException("64 MiB were taken from us without back-pressure");
    }

    private static bool EchoMoved(IIoEngine engine, ConcurrentQueue<IoHandOver> moved, ref int echoed)
    {
        while (moved.TryDequeue(out var handOver))
        {
            engine.Attach(handOver);
        }

        Span<Completion> into = stackalloc Completion[4];
        foreach (var completion in into[..engine.Wait(into, 100)])
        {
            Assert.Equal(CompletionKind.Received, completion.Kind);
            engine.Send(completion.Connection, completion.Buffer, completion.Length);
            echoed++;
        }

        return true;
    }

    private static long OneRequest(IIoEngine engine, ITestPeer peer, ConnectionId id, byte[] request, byte[] reply, Completion[] into)
    {
        peer.Send(request);
        var before = GC.GetAllocatedBytesForCurrentThread();
        int count;
        do
        {
            count = engine.Wait(into, 100);
        }
        while (count == 0);
        var isSent = engine.Send(id, into[0].Buffer, into[0].Length);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(isSent);
        while (peer.Read(reply) == 0)
        {
            Thread.Yield();
        }

        return allocated;
    }

    private void RandomStep(Random random, int port, List<ITestPeer> peers)
    {
        var choice = random.Next(20);
        if (peers.Count == 0 || (choice == 0 && peers.Count < 40))
        {
            peers.Add(Keep(ConnectPeer(port, isSlow: random.Next(2) == 0)));
            return;
        }

        var peer = peers[random.Next(peers.Count)];
        switch (choice)
        {
            case 1:
                peers.Remove(peer);
                peer.Vanish();
                break;
            case 2:
                peers.Remove(peer);
                peer.Close();
                break;
            case < 8:
                ReadAvailable(peer);
                break;
            default:
                peer.Send(Pattern(random.Next(1, 500)));
                break;
        }
    }

    private static void AnswerAtRandom(Random random, IIoEngine engine, Completion completion)
    {
        if (completion.Kind != CompletionKind.Received)
        {
            return;
        }

        var id = completion.Connection;
        switch (random.Next(20))
        {
            case 0:
                engine.Buffers.Return(completion.Buffer);
                engine.Close(id, CloseMode.Now);
                break;
            case 1:
                engine.Send(id, completion.Buffer, completion.Length);
                engine.Close(id, CloseMode.AfterSending);
                break;
            case < 5:
                engine.ReceiveMoreInto(id, completion.Buffer, completion.Length);
                break;
            case < 8:
                engine.PauseReceiving(id);
                engine.Send(id, completion.Buffer, completion.Length);
                engine.Send(id, engine.Buffers.Rent(Large), Large);
                engine.ResumeReceiving(id);
                break;
            default:
                engine.Send(id, completion.Buffer, completion.Length);
                break;
        }
    }

    private static void ReturnNext(IIoEngine engine)
    {
        if (Poll(engine) is { Kind: CompletionKind.Received } received)
        {
            engine.Buffers.Return(received.Buffer);
        }
    }
}

using Aerie.Io;
using Aerie.Memory;
using Xunit;

namespace Aerie.Node.Tests.Io;

/// What every engine promises who reads devices, beside everything else.
public abstract class IoReadContract : IoEngineContract
{
    protected const int Pages = 1024;

    private IBlockDevice? _device;

    /// Each page begins with its number.
    protected IBlockDevice Device => _device ??= FilledDevice();

    protected abstract IBlockDevice OpenDevice(long length);

    [Fact]
    public void A_read_gives_the_bytes_at_its_offset_and_hands_the_buffer_back_with_the_token()
    {
        using var engine = NewEngine();
        var buffer = engine.Buffers.RentAligned(3 * Page.Length);
        engine.Read(Device, 7 * Page.Length, buffer, 3 * Page.Length, token: 1234);
        var done = Next(engine, CompletionKind.ReadDone);
        Assert.Equal(new Completion(CompletionKind.ReadDone, ConnectionId.None, buffer, 3 * Page.Length, 1234), done);
        Assert.Equal([7, 8, 9], Enumerable.Range(0, 3).Select(page => NumberIn(engine, buffer, page)));
        engine.Buffers.Return(buffer);
        Assert.Equal(1, engine.Counters.Reads);
        Assert.Equal(3 * Page.Length, engine.Counters.BytesRead);
        Assert.Equal(0, engine.Buffers.Outstanding);
    }

    [Fact]
    public void More_reads_than_the_kernel_takes_at_once_all_end()
    {
        const int count = 3000;
        using var engine = NewEngine();
        for (var i = 0; i < count; i++)
        {
            engine.Read(Device, (long)(i % Pages) * Page.Length, engine.Buffers.RentAligned(Page.Length), Page.Length, i);
        }

        var seen = new HashSet<int>();
        var into = new Completion[16];
        Until(() =>
        {
            foreach (var done in into.AsSpan(0, engine.Wait(into, 100)))
            {
                CheckAndReturn(engine, done);
                Assert.True(seen.Add(done.Tag));
            }

            return seen.Count == count;
        });
        Assert.Equal(0, engine.Buffers.Outstanding);
    }

    [Fact]
    public void A_read_past_the_end_fails_and_hands_the_buffer_back()
    {
        using var engine = NewEngine();
        foreach (var page in new[] { Pages - 1, Pages, Pages + 100 })
        {
            var buffer = engine.Buffers.RentAligned(2 * Page.Length);
            engine.Read(Device, (long)page * Page.Length, buffer, 2 * Page.Length, page);
            var done = Next(engine, CompletionKind.ReadDone);
            Assert.Equal((buffer, page, -61), (done.Buffer, done.Tag, done.Length));
            engine.Buffers.Return(buffer);
        }

        Assert.Equal(0, engine.Counters.BytesRead);
    }

    [Fact]
    public void Connections_are_served_while_reads_are_in_flight()
    {
        var (engine, peer, id) = Connected();
        var into = new Completion[2];
        var (reads, echoes) = (0, 0);
        for (var i = 0; i < 8; i++)
        {
            ReadPage(engine, i);
        }

        peer.Send("request"u8);
        Until(() =>
        {
            foreach (var completion in into.AsSpan(0, engine.Wait(into, 100)))
            {
                if (completion.Kind == CompletionKind.ReadDone)
                {
                    CheckAndReturn(engine, completion);
                    ReadPage(engine, ++reads % Pages);
                    continue;
                }

                Assert.True(engine.Send(id, completion.Buffer, completion.Length));
                ReadExactly(engine, peer, 7);
                peer.Send("request"u8);
                echoes++;
            }

            return echoes >= 50 && reads >= 200;
        });
    }

    [Fact]
    public void Ten_thousand_reads_end_although_clients_come_and_go_meanwhile()
    {
        const int count = 10_000;
        const int seed = 411;
        var random = new Random(seed);
        var (engine, port) = Listening();
        var into = new Completion[16];
        var (asked, ended) = (0, 0);
        Until(() =>
        {
            while (asked < count && asked - ended < 100)
            {
                ReadPage(engine, asked++ % Pages);
            }

            if (random.Next(20) == 0)
            {
                ComeAndGo(random, port);
            }

            foreach (var completion in into.AsSpan(0, engine.Wait(into, 5)))
            {
                ended += Answer(random, engine, completion);
            }

            return ended == count;
        });
        Assert.True(engine.Counters.Accepted > 20, "the seed gives too tame a run");
    }

    [Fact]
    public void An_engine_that_ends_with_reads_in_flight_gives_back_their_buffers()
    {
        for (var turn = 0; turn < 20; turn++)
        {
            var engine = NewEngine();
            for (var i = 0; i < 400; i++)
            {
                ReadPage(engine, i);
            }

            var done = turn % 2 == 0 ? Poll(engine, 0) : null;
            if (done is { } early)
            {
                engine.Buffers.Return(early.Buffer);
            }

            engine.Dispose();
            Assert.Equal(0, engine.Buffers.Outstanding);
            Assert.Equal(0, engine.Buffers.BytesHeld);
        }
    }

    [Fact]
    public void A_warm_read_allocates_nothing()
    {
        using var engine = NewEngine();
        var into = new Completion[16];
        ReadRounds(engine, into, 20);
        var before = GC.GetAllocatedBytesForCurrentThread();
        ReadRounds(engine, into, 50);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    protected static void CheckAndReturn(IIoEngine engine, Completion done)
    {
        Assert.Equal((CompletionKind.ReadDone, Page.Length), (done.Kind, done.Length));
        Assert.Equal(done.Tag % Pages, NumberIn(engine, done.Buffer, 0));
        engine.Buffers.Return(done.Buffer);
    }

    protected void ReadPage(IIoEngine engine, int page) =>
        engine.Read(Device, (long)page * Page.Length, engine.Buffers.RentAligned(Page.Length), Page.Length, page);

    protected override void Dispose(bool isDisposing)
    {
        base.Dispose(isDisposing);
        _device?.Dispose();
    }

    private static int NumberIn(IIoEngine engine, BufferId buffer, int page) =>
        BitConverter.ToInt32(engine.Buffers.Span(buffer)[(page * Page.Length)..]);

    private IBlockDevice FilledDevice()
    {
        var device = OpenDevice((long)Pages * Page.Length);
        using var buffers = new BufferPool();
        var buffer = buffers.RentAligned(Pages * Page.Length);
        var bytes = buffers.Span(buffer);
        bytes.Clear();
        for (var page = 0; page < Pages; page++)
        {
            BitConverter.TryWriteBytes(bytes[(page * Page.Length)..], page);
        }

        device.Write(0, bytes);
        buffers.Return(buffer);
        return device;
    }

    private void ReadRounds(IIoEngine engine, Completion[] into, int rounds)
    {
        for (var round = 0; round < rounds; round++)
        {
            for (var i = 0; i < 32; i++)
            {
                ReadPage(engine, i);
            }

            for (var ended = 0; ended < 32;)
            {
                var count = engine.Wait(into, 1000);
                for (var i = 0; i < count; i++)
                {
                    engine.Buffers.Return(into[i].Buffer);
                }

                ended += count;
            }
        }
    }

    private void ComeAndGo(Random random, int port)
    {
        var peer = Keep(ConnectPeer(port, isSlow: false));
        peer.Send(Pattern(100));
        if (random.Next(2) == 0)
        {
            peer.Vanish();
        }
        else
        {
            peer.Close();
        }
    }

    private static int Answer(Random random, IIoEngine engine, Completion completion)
    {
        switch (completion.Kind)
        {
            case CompletionKind.ReadDone:
                CheckAndReturn(engine, completion);
                return 1;
            case CompletionKind.Received when random.Next(2) == 0:
                engine.Buffers.Return(completion.Buffer);
                engine.Close(completion.Connection, CloseMode.Now);
                return 0;
            case CompletionKind.Received:
                engine.Send(completion.Connection, completion.Buffer, completion.Length);
                return 0;
            default:
                return 0;
        }
    }
}

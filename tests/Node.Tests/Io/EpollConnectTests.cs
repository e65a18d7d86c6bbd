using Aerie.Io;
using Xunit;

namespace Aerie.Node.Tests.Io;

public sealed class EpollConnectTests
{
    [Fact]
    public void An_engine_reaches_a_listener_and_owns_the_connection_like_an_accepted_one()
    {
        using var engine = new EpollEngine(new SystemClock());
        var port = engine.Listen(new ListenAddress("127.0.0.1", 0), 1);
        var outgoing = engine.Connect("127.0.0.1", port);
        var accepted = Next(engine, CompletionKind.Accepted).Connection;

        var buffer = engine.Buffers.Rent();
        "hello"u8.CopyTo(engine.Buffers.Span(buffer));
        engine.Send(outgoing, buffer, 5);
        var received = Next(engine, CompletionKind.Received);
        Assert.Equal((accepted, 5), (received.Connection, received.Length));
        engine.Buffers.Return(received.Buffer);

        engine.Close(accepted, CloseMode.Now);
        Assert.Equal(outgoing, Next(engine, CompletionKind.Closed).Connection);
        Assert.Equal(0, engine.Buffers.Outstanding);
    }

    [Fact]
    public void Nobody_there_is_told_in_one_line()
    {
        using var engine = new EpollEngine(new SystemClock());
        var port = engine.Listen(new ListenAddress("127.0.0.1", 0), 1);
        engine.StopListening(1);
        var failure = Assert.Throws<IoException>(() => engine.Connect("127.0.0.1", port));
        Assert.StartsWith($"cannot connect to 127.0.0.1 port {port}: ", failure.Message, StringComparison.Ordinal);
    }

    private static Completion Next(EpollEngine engine, CompletionKind kind)
    {
        Span<Completion> one = new Completion[1];
        for (var tries = 0; tries < 100; tries++)
        {
            if (engine.Wait(one, 100) == 1)
            {
                Assert.Equal(kind, one[0].Kind);
                return one[0];
            }
        }

        throw new TimeoutException($"no {kind} within ten seconds");
    }
}

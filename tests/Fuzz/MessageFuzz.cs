using Aerie.Foundation;
using Aerie.Protocol;
using Aerie.TestKit;

namespace Aerie.Fuzz;

/// A whole node that a stranger talks to: the input as it is, and once more as the body of a message, so that mutations
/// get past the frame. The client goes away in the middle of whatever it started; nothing of it may stay.
internal static class MessageFuzz
{
    /// What a long reply may take before its client goes away.
    private const int Turns = 40;

    private const int TurnsMax = 10_000;

    /// What each turn of the aftermath takes: a background query that is held to a rate waits for time to pass.
    private static readonly TimeSpan TurnTime = TimeSpan.FromMilliseconds(10);

    private static readonly Lazy<NodeUnderTest> Node = new(() => new NodeUnderTest(loops: 2));

    public static void Run(ReadOnlySpan<byte> input)
    {
        Send(input);
        var framed = new byte[ProtoHeader.Length + input.Length];
        ProtoHeader.Write(framed, ProtoType.Message, input.Length);
        input.CopyTo(framed.AsSpan(ProtoHeader.Length));
        Send(framed);
    }

    private static void Send(ReadOnlySpan<byte> bytes)
    {
        var node = Node.Value;
        var client = node.Connect();
        client.ReceiveWindow = 256 * 1024;
        client.Send(bytes);
        for (var turn = 0; turn < Turns && !client.IsClosedByServer; turn++)
        {
            node.Turn();
            _ = client.ReadAll();
        }

        client.Vanish();
        node.Node.Queries.AbortAll(); // background queries outlive their client, and a slow one may do so for hours
        for (var turn = 0; !node.Node.IsQuiet; turn++)
        {
            Invariant.Holds(turn < TurnsMax);
            node.Clock.Advance(TurnTime);
            node.Turn();
        }

        foreach (var loop in node.Node.Loops)
        {
            Invariant.Holds(loop.Buffers.Outstanding == 0);
        }
    }
}

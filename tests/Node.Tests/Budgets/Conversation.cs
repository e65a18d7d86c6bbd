using System.Buffers.Binary;
using Aerie.Foundation;
using Aerie.Protocol;
using Aerie.TestKit;
using Xunit;

namespace Aerie.Node.Tests.Budgets;

/// One request, asked again and again, and its reply read to the end, without a managed byte of its own.
internal sealed class Conversation
{
    private const int TurnsMax = 100_000;

    private readonly NodeUnderTest _node;
    private readonly byte[] _request;
    private readonly int _pieceLength;
    private readonly int _digestOffset;
    private readonly byte[] _reply = new byte[1024 * 1024];
    private int _replyLength;
    private ulong _record;

    public Conversation(NodeUnderTest node, byte[] request, int pieceLength)
    {
        _node = node;
        _request = request;
        _pieceLength = Math.Min(pieceLength, request.Length);
        _digestOffset = request.AsSpan().IndexOf([(byte)0, (byte)0, (byte)0, (byte)(Digest.Length + 1), (byte)FieldId.Digest]) + 5;
        Peer = node.Connect();
    }

    public SimulatedPeer Peer { get; }

    /// Each request names another record.
    public bool TakesNewRecords { get; init; }

    /// Asks so often to get warm, and as often to measure. Then the client goes.
    public void HoldBudget(int times, int bytesEach)
    {
        for (var i = 0; i < times; i++)
        {
            Once();
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < times; i++)
        {
            Once();
        }

        var each = (GC.GetAllocatedBytesForCurrentThread() - before) / (double)times;
        Assert.InRange(each, 0, bytesEach);
        Peer.Close();
        _node.Settle();
    }

    public void Once()
    {
        if (TakesNewRecords)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(_request.AsSpan(_digestOffset), ++_record * 0x9E37_79B9_7F4A_7C15);
        }

        Peer.SendInPieces(_request, _pieceLength);
        var read = 0;
        var quiet = 0;
        for (var turn = 0; _replyLength == 0 ? quiet < 50 : read < _replyLength; turn++)
        {
            Invariant.Holds(turn < TurnsMax);
            _node.Turn();
            var more = Peer.Read(_reply.AsSpan(read));
            read += more;
            quiet = more == 0 ? quiet + 1 : 0;
        }

        Invariant.Holds(_replyLength == 0 ? read > 0 : read == _replyLength);
        _replyLength = read; // as long each time: the first one, read until the node rests, tells
    }
}

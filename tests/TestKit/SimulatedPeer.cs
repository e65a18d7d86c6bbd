using Aerie.Foundation;

namespace Aerie.TestKit;

/// The client's end of a simulated connection. What it sends arrives in the pieces in which it was sent, one per receive;
/// what it does not read fills its window, and then waits at the server.
public sealed class SimulatedPeer
{
    private const int DefaultWindow = 1024 * 1024;

    private readonly SimulatedNetwork _network;
    private readonly ByteQueue _toServer = new();
    private readonly ByteQueue _toClient = new();
    private readonly Queue<int> _pieces = new();
    private int _receiveWindow = DefaultWindow;

    internal SimulatedPeer(SimulatedNetwork network, int number)
    {
        _network = network;
        Number = number;
    }

    /// Most bytes that may lie unread here.
    public int ReceiveWindow
    {
        get => _receiveWindow;
        set
        {
            lock (_network.Gate)
            {
                _receiveWindow = value;
                Engine?.Notice(this);
            }
        }
    }

    /// Bytes that can be read.
    public int Available => _toClient.Count;

    /// Bytes sent that the server has not received yet.
    public int UnreadByServer => _toServer.Count;

    /// The server has closed. What arrived before can still be read.
    public bool IsClosedByServer { get; internal set; }

    internal int Number { get; }

    /// Who serves the connection now; null before it is accepted and during a hand-over.
    internal SimulatedEngine? Engine { get; set; }

    internal Io.ConnectionId Connection { get; set; }

    internal bool HasEnded { get; private set; }

    internal bool HasVanished { get; private set; }

    public void Send(ReadOnlySpan<byte> bytes) => SendInPieces(bytes, Math.Max(1, bytes.Length));

    /// Each piece is a receive of its own for the server; 1 = byte by byte.
    public void SendInPieces(ReadOnlySpan<byte> bytes, int pieceLength)
    {
        lock (_network.Gate)
        {
            Invariant.Holds(!HasEnded && !HasVanished);
            while (!IsClosedByServer && bytes.Length > 0)
            {
                var length = Math.Min(pieceLength, bytes.Length);
                _toServer.Append(bytes[..length]);
                _pieces.Enqueue(length);
                bytes = bytes[length..];
            }

            Engine?.Notice(this);
        }
    }

    public int Read(Span<byte> into)
    {
        lock (_network.Gate)
        {
            var read = _toClient.Take(into);
            Engine?.Notice(this); // there is room again
            return read;
        }
    }

    public byte[] ReadAll()
    {
        var bytes = new byte[Available];
        Invariant.Holds(Read(bytes) == bytes.Length);
        return bytes;
    }

    /// An orderly end: the server still gets what was sent before.
    public void Close()
    {
        lock (_network.Gate)
        {
            HasEnded = true;
            Engine?.Notice(this);
        }
    }

    /// The machine is gone: nothing more is read, and what the server has not received is lost.
    public void Vanish()
    {
        lock (_network.Gate)
        {
            HasVanished = true;
            _toServer.Clear();
            _pieces.Clear();
            Engine?.Notice(this);
        }
    }

    /// The server's receive: one piece at most.
    internal int TakeSent(Span<byte> into)
    {
        if (_pieces.Count == 0)
        {
            return 0;
        }

        var piece = Math.Min(_pieces.Peek(), into.Length);
        var left = _pieces.Dequeue() - piece;
        Invariant.Holds(_toServer.Take(into[..piece]) == piece);
        if (left > 0)
        {
            PutLeftPieceFirst(left);
        }

        return piece;
    }

    /// The server's send: what has room in the window.
    internal int Deliver(ReadOnlySpan<byte> bytes)
    {
        var taken = Math.Clamp(_receiveWindow - _toClient.Count, 0, bytes.Length);
        _toClient.Append(bytes[..taken]);
        return taken;
    }

    private void PutLeftPieceFirst(int left)
    {
        var others = _pieces.Count;
        _pieces.Enqueue(left);
        for (var i = 0; i < others; i++)
        {
            _pieces.Enqueue(_pieces.Dequeue());
        }
    }
}

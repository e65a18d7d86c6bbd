using System.Net;
using System.Net.Sockets;

namespace Aerie.Node.Tests.Io;

/// A client on a real loopback socket.
internal sealed class SocketPeer : ITestPeer, IDisposable
{
    private readonly Socket _socket;

    public SocketPeer(int port, bool isSlow = false, IPAddress? address = null)
    {
        address ??= IPAddress.Loopback;
        _socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        if (isSlow)
        {
            _socket.ReceiveBufferSize = 64 * 1024;
        }

        try
        {
            _socket.Connect(address, port);
        }
        catch
        {
            _socket.Dispose();
            throw;
        }

        _socket.Blocking = false;
    }

    public bool IsEnded { get; private set; }

    public void Send(ReadOnlySpan<byte> bytes)
    {
        if (!IsEnded)
        {
            _socket.Send(bytes, SocketFlags.None, out var error);
            IsEnded = error is not (SocketError.Success or SocketError.WouldBlock);
        }
    }

    public int Read(Span<byte> into)
    {
        if (IsEnded)
        {
            return 0;
        }

        var read = _socket.Receive(into, SocketFlags.None, out var error);
        IsEnded = error == SocketError.Success ? read == 0 && into.Length > 0 : error != SocketError.WouldBlock;
        return read;
    }

    public void Close() => _socket.Dispose();

    public void Dispose() => Vanish();

    public void Vanish()
    {
        if (_socket.SafeHandle.IsClosed)
        {
            return;
        }

        _socket.LingerState = new LingerOption(enable: true, seconds: 0);
        _socket.Dispose();
        IsEnded = true;
    }
}

using System.Net.Sockets;
using System.Text;
using Aerie.Foundation;
using Aerie.Protocol;
using Aerie.TestKit;

namespace Aerie.Soak.Udfs;

/// A connection that sends requests one behind the other without waiting, and then reads their answers in the same order: the
/// client calls no functions, and would not say so much about their errors.
internal sealed class WireConnection : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Socket _socket;
    private byte[] _bytes = new byte[64 * 1024];
    private int _start;
    private int _end;

    public WireConnection(int port)
    {
        _socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
        {
            NoDelay = true,
            ReceiveTimeout = (int)Patience.TotalMilliseconds,
        };
        _socket.Connect("127.0.0.1", port);
    }

    /// A call on a record of the set `s`; `argument`: one small number, or none.
    public static byte[] Call(string key, string module, string function, byte? argument = null, uint timeout = 60_000) =>
        new WireRequest().Flags(Info2.Write).Timeout(timeout).Record(key, "s")
            .Field(FieldId.UdfModule, Encoding.UTF8.GetBytes(module))
            .Field(FieldId.UdfFunction, Encoding.UTF8.GetBytes(function))
            .Field(FieldId.UdfArguments, argument is { } number ? [0x91, number] : [])
            .Bytes();

    public void Send(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[_socket.Send(bytes)..];
        }
    }

    /// All messages of the next frame.
    public IReadOnlyList<WireReply> Read()
    {
        Fill(ProtoHeader.Length);
        var length = ProtoHeader.Length + (int)ProtoHeader.Read(_bytes.AsSpan(_start)).BodyLength;
        Fill(length);
        var replies = WireReply.ReadAll(_bytes.AsSpan(_start, length));
        _start += length;
        return replies;
    }

    public WireReply ReadOne()
    {
        var replies = Read();
        Invariant.Holds(replies.Count == 1);
        return replies[0];
    }

    public void Dispose() => _socket.Dispose();

    private void Fill(int length)
    {
        if (_bytes.Length - _start < length)
        {
            var larger = _bytes.Length < length ? new byte[2 * length] : _bytes;
            _bytes.AsSpan(_start, _end - _start).CopyTo(larger);
            (_bytes, _start, _end) = (larger, 0, _end - _start);
        }

        while (_end - _start < length)
        {
            var read = _socket.Receive(_bytes, _end, _bytes.Length - _end, SocketFlags.None);
            if (read == 0)
            {
                throw new InvalidOperationException("the node has closed the connection");
            }

            _end += read;
        }
    }
}

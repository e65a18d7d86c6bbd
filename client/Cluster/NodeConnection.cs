using System.Buffers.Binary;
using System.Diagnostics;
using System.Net.Sockets;
using Aerie.Client.Wire;
using Aerie.Protocol;

namespace Aerie.Client.Cluster;

/// One socket to one node with the buffer of its last reply; used by one thread at a time. After any failure the stream
/// may be in the middle of a message, so the owner closes the connection instead of giving it back.
public sealed class NodeConnection : IDisposable
{
    private readonly Socket _socket;
    private readonly HostAddress _address;
    private byte[] _reply = new byte[4096];
    private int _receiveTimeout;

    private NodeConnection(Socket socket, HostAddress address)
    {
        _socket = socket;
        _address = address;
    }

    internal long LastUsed { get; set; }

    public static NodeConnection Open(HostAddress address, TimeSpan timeout)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            using var limit = new CancellationTokenSource(timeout);
            socket.ConnectAsync(address.Host, address.Port, limit.Token).AsTask().GetAwaiter().GetResult();
            return new NodeConnection(socket, address);
        }
        catch (OperationCanceledException cause)
        {
            socket.Dispose();
            var waited = $"{timeout.TotalMilliseconds} ms";
            throw new AerieException(FailureKind.Timeout, $"{address} did not accept a connection within {waited}", cause);
        }
        catch (SocketException cause)
        {
            socket.Dispose();
            throw new AerieException(FailureKind.Connection, $"cannot connect to {address}: {cause.Message}", cause);
        }
    }

    /// Sends all of it; limited by the same silence as receiving.
    public void Send(ReadOnlySpan<byte> message, TimeSpan silenceMax)
    {
        try
        {
            _socket.SendTimeout = Requests.Milliseconds(silenceMax);
            while (!message.IsEmpty)
            {
                message = message[_socket.Send(message)..];
            }
        }
        catch (SocketException cause)
        {
            throw Failure(cause, silenceMax);
        }
    }

    /// The body of the next message; valid until the next call. Empty bodies are skipped.
    public ReadOnlySpan<byte> Receive(ProtoType wanted, scoped in Deadline deadline)
    {
        while (true)
        {
            Fill(ProtoHeader.Length, deadline);
            var header = BinaryPrimitives.ReadUInt64BigEndian(_reply);
            var length = header & 0xFFFF_FFFF_FFFF;
            if (header >> 56 != ProtoHeader.CurrentVersion || (byte)(header >> 48) != (byte)wanted || length > ProtoHeader.BodyLengthMax)
            {
                throw new AerieException(FailureKind.Malformed, $"{_address} sent {header:X16} where a message header belongs");
            }

            if (length == 0)
            {
                continue;
            }

            if (_reply.Length < (int)length)
            {
                _reply = new byte[(int)length];
            }

            Fill((int)length, deadline);
            return _reply.AsSpan(0, (int)length);
        }
    }

    public void Dispose() => _socket.Dispose();

    private void Fill(int length, scoped in Deadline deadline)
    {
        var filled = 0;
        while (filled < length)
        {
            var patience = deadline.Patience();
            try
            {
                // Setting it is a system call: skipped while what is set serves.
                if (patience < _receiveTimeout || _receiveTimeout == 0 || filled > 0)
                {
                    _socket.ReceiveTimeout = patience;
                    _receiveTimeout = patience;
                }

                var received = _socket.Receive(_reply.AsSpan(filled, length - filled));
                if (received == 0)
                {
                    throw new AerieException(FailureKind.Connection, $"{_address} closed the connection");
                }

                filled += received;
            }
            catch (SocketException cause) when (IsTimeout(cause) && _receiveTimeout < patience)
            {
                _receiveTimeout = 0; // left by an earlier call that had less time: this one goes on with its own
            }
            catch (SocketException cause)
            {
                throw Failure(cause, TimeSpan.FromMilliseconds(patience));
            }
        }
    }

    private static bool IsTimeout(SocketException cause) => cause.SocketErrorCode is SocketError.TimedOut or SocketError.WouldBlock;

    private AerieException Failure(SocketException cause, TimeSpan waited) =>
        IsTimeout(cause)
            ? new AerieException(FailureKind.Timeout, $"{_address} was silent for {waited.TotalMilliseconds:0} ms", cause)
            : new AerieException(FailureKind.Connection, $"connection to {_address} failed: {cause.Message}", cause);
}

/// The end of a call and the longest silence inside it.
public readonly struct Deadline
{
    private readonly long _end;
    private readonly int _silence;

    public Deadline(Policy policy)
    {
        _end = policy.TotalTimeout == TimeSpan.Zero ? long.MaxValue : Stopwatch.GetTimestamp() + ToTicks(policy.TotalTimeout);
        _silence = policy.SocketTimeout == TimeSpan.Zero ? int.MaxValue : Requests.Milliseconds(policy.SocketTimeout);
    }

    public bool IsOver => Stopwatch.GetTimestamp() >= _end;

    /// Milliseconds to wait for the next byte; throws when the call's time is over.
    public int Patience()
    {
        if (_end == long.MaxValue)
        {
            return _silence;
        }

        var left = _end - Stopwatch.GetTimestamp();
        if (left <= 0)
        {
            throw new AerieException(FailureKind.Timeout, "the call took longer than its total timeout");
        }

        return (int)Math.Min(_silence, Math.Max(1, left * 1000 / Stopwatch.Frequency));
    }

    private static long ToTicks(TimeSpan time) => (long)(time.TotalSeconds * Stopwatch.Frequency);
}

using Aerie.Io;
using Aerie.Memory;

namespace Aerie.Server.Service;

/// The replies of one turn, until all that was received together has been run. Only then are they sent: a send goes through
/// all of the kernel's network code, which leaves nothing of ours in the processor's first cache for the request behind it.
internal sealed class UnsentReplies(IIoEngine engine, int repliesMax)
{
    private readonly Reply[] _replies = new Reply[repliesMax];
    private int _count;

    /// Takes the buffer over. Much at once is not kept waiting.
    public void Add(ClientConnection connection, BufferId buffer, int length, long now)
    {
        if (_count == _replies.Length)
        {
            Send(now);
        }

        _replies[_count++] = new Reply(connection, connection.Id, buffer, length);
        if (length > BufferPool.StandardLength)
        {
            Send(now);
        }
    }

    /// A peer that does not take its reply is asked for nothing more until it has.
    public void Send(long now)
    {
        foreach (ref readonly var reply in _replies.AsSpan(0, _count))
        {
            if (!engine.Send(reply.Id, reply.Buffer, reply.Length))
            {
                var connection = reply.Connection;
                connection.IsCongested = true;
                connection.StalledBytes = engine.PendingSendBytes(reply.Id);
                connection.StalledSince = now;
                engine.PauseReceiving(reply.Id);
            }
        }

        _count = 0;
    }

    private readonly record struct Reply(ClientConnection Connection, ConnectionId Id, BufferId Buffer, int Length);
}

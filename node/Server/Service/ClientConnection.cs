using Aerie.Io;
using Aerie.Memory;
using Aerie.Server.Config;
using Aerie.Server.Transactions;

namespace Aerie.Server.Service;

/// One client. Idle, it holds no buffer. Objects are reused with their slots; they belong to their loop's thread.
internal sealed class ClientConnection
{
    public ConnectionId Id { get; private set; }

    public PortKind Port { get; private set; }

    public bool IsOpen { get; private set; }

    public long LastActive { get; set; }

    /// The reply in progress; the next message waits until it is done.
    public LongReply? LongReply { get; set; }

    /// The peer does not keep up: nothing more is read or stepped until what waits has been sent.
    public bool IsCongested { get; set; }

    /// What waited to be sent when it last changed, and when that was: a peer that takes nothing for long is given up.
    public long StalledBytes { get; set; }

    public long StalledSince { get; set; }

    /// Bytes received and not yet run: behind a long reply, or because the replies before them are enough for one turn.
    public BufferId HeldBuffer { get; private set; } = BufferId.None;

    public int HeldOffset { get; private set; }

    public int HeldEnd { get; private set; }

    public bool HasHeld => !HeldBuffer.IsNone;

    /// When the loop wakes its reply; long.MaxValue: never. Stays with the slot, as its entry in Sleepers does.
    public long SleepsUntil { get; set; } = long.MaxValue;

    /// In the loop's list of connections to go on with.
    public bool IsQueued { get; set; }

    public void Open(ConnectionId id, PortKind port, long now)
    {
        Id = id;
        Port = port;
        IsOpen = true;
        LastActive = now;
        LongReply = null;
        IsCongested = false;
        HeldBuffer = BufferId.None;
    }

    public void Hold(BufferId buffer, int offset, int end)
    {
        HeldBuffer = buffer;
        HeldOffset = offset;
        HeldEnd = end;
    }

    public BufferId TakeHeld()
    {
        var buffer = HeldBuffer;
        HeldBuffer = BufferId.None;
        return buffer;
    }

    public void Closed() => IsOpen = false;
}

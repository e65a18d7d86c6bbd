using Aerie.Io;

namespace Aerie.Server.Transactions;

/// How far a long reply got in one step.
public enum LongReplyProgress : byte
{
    /// There is more to write; step again when the connection can take it.
    More,

    /// Others (another loop) must act first and wake the reply up through its connection; or, when WakeAt says when, time
    /// must pass.
    Waiting,

    Done,
}

/// A reply that does not fit one turn of the loop: a large batch, a query. The loop steps it again and again, between the
/// requests of other connections and no faster than its peer reads, so it neither starves anybody nor piles up memory.
/// It belongs to one connection and to that connection's loop.
public abstract class LongReply
{
    /// What one step should write at most: about one buffer.
    public const int StepBytes = 64 * 1024;

    /// The connection that it answers, once the loop has taken it over.
    public ConnectionId Connection { get; private set; } = ConnectionId.None;

    /// Monotonic nanoseconds at which a reply that is Waiting goes on by itself; 0: others wake it up. It may be woken
    /// earlier, too.
    public long WakeAt { get; protected set; }

    /// It has a record that others wait for. Then it is stepped even if its peer does not read, and must not begin anything
    /// new before it has let go.
    public virtual bool HoldsRecord => false;

    /// The connection is closed when its peer has taken nothing for so long (nanoseconds). 0: never.
    public virtual long StallLimit => 30_000_000_000;

    /// The loop takes the reply over: the first step follows.
    public virtual void Begin(ConnectionId connection, IIoEngine engine) => Connection = connection;

    /// Writes complete frames into the reply. Returns within some hundred microseconds.
    public abstract LongReplyProgress Step(Records.Worker worker, ReplyBuffer reply);

    /// The peer has taken nothing for longer than StallLimit; End follows.
    public virtual void Stalled()
    {
    }

    /// The connection is gone or the node drains: frees what the reply holds. No step follows. Called exactly once, also
    /// after Done.
    public abstract void End(bool completed);
}

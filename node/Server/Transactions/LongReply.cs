namespace Aerie.Server.Transactions;

/// How far a long reply got in one step.
public enum LongReplyProgress : byte
{
    /// There is more to write; step again when the connection can take it.
    More,

    /// Others (another loop, a rate limit) must act first; whoever waited for wakes the reply up through its connection.
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

    /// Writes complete frames into the reply. Returns within some hundred microseconds.
    public abstract LongReplyProgress Step(Records.Worker worker, ReplyBuffer reply);

    /// The connection is gone or the node drains: frees what the reply holds. No step follows. Called exactly once, also
    /// after Done.
    public abstract void End(bool completed);
}

namespace Aerie.Index.Holds;

/// A command that waits for a record: the loop to tell, and the ticket by which that loop knows the command.
public readonly record struct Waiter(int Loop, ulong Ticket);

public enum EnqueueResult : byte
{
    Queued,

    /// The record's queue or the node's is full; the client gets KeyBusy.
    Busy,
}

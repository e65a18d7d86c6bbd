using Aerie.Server.Records;

namespace Aerie.Server.Transactions.Parking;

/// Who stands in the queue of a record: a command with a connection of its own, rows of a batch, or a background query.
internal interface IRecordWaiter
{
    /// Its place in the queue; 0: it is in none. Kept by ParkedCommands.
    ulong Ticket { get; set; }

    /// Bytes of a request that are kept for it alone.
    int KeptBytes { get; }

    /// Its turn has come. If the record is its own now, it must run soon or let go: others wait.
    void ItsTurn(in WokenWaiter woken);
}

using Aerie.Foundation;
using Aerie.Index;
using Aerie.Index.Holds;
using Aerie.Memory;
using Aerie.Server.Records;
using Aerie.Server.Transactions.Commits;

namespace Aerie.Server.Transactions.Parking;

/// The commands of one loop that wait for records which others own. A command gets into the queue of its record under the
/// record's gate, with a ticket; when its turn comes, the loop is told the ticket and the command runs again, now as the
/// owner. Belongs to the loop's thread. The queues' places live in RecordHolds, the requests here.
public sealed class ParkedCommands(Worker worker, BufferPool buffers)
{
    /// Each costs at least a standard buffer of memory: 64 MiB for a loop.
    public const int CommandsMax = 1024;

    /// Requests may be large.
    public const long BytesMax = 64L * 1024 * 1024;

    private readonly Dictionary<ulong, ParkedCommand> _waiting = [];
    private int _commands;
    private long _bytes;
    private ulong _lastTicket;
    private int _requestLength;

    /// Commands that wait, of those whose clients are still there.
    public int Count => _commands;

    /// The command that runs has got into a queue and must not be answered now.
    internal bool HasQueued { get; private set; }

    /// A command is about to run. If it has to wait, this much of it must be kept.
    internal void Expect(int requestLength)
    {
        _requestLength = requestLength;
        HasQueued = false;
    }

    /// Puts the command that runs behind all who wait for the record. False: too many do. Caller holds the gate.
    internal bool TryQueue(Namespace records, in Digest digest, ref RecordEntry entry)
    {
        if (_commands >= CommandsMax || _bytes + _requestLength > BytesMax)
        {
            return false;
        }

        var limit = (int)Math.Min(records.Options.TransactionPendingLimit, int.MaxValue);
        HasQueued = records.Holds.Enqueue(digest, ref entry, new Waiter(worker.Number, ++_lastTicket), limit) == EnqueueResult.Queued;
        return HasQueued;
    }

    /// Keeps the command that has just got into a queue until its turn or its deadline (monotonic nanoseconds).
    internal ParkedCommand Park(ReadOnlySpan<byte> request, in ParkingOrder order, RunParked run, CommitHold hold)
    {
        Invariant.Holds(HasQueued);
        HasQueued = false;
        var copy = buffers.Rent(request.Length);
        request.CopyTo(buffers.Span(copy));
        var parked = new ParkedCommand(this, order, copy, request.Length, run, hold);
        _commands++;
        _bytes += request.Length;
        _waiting.Add(parked.Ticket = _lastTicket, parked);
        return parked;
    }

    /// A ticket's turn has come. Null when its client is gone or did not want to wait so long; then the next one's has.
    internal ParkedCommand? Resume(in WokenWaiter woken)
    {
        if (_waiting.Remove(woken.Waiter.Ticket, out var parked))
        {
            parked.ItsTurn(woken.OwnsHold);
        }
        else if (woken.OwnsHold)
        {
            woken.Namespace.Release(worker, woken.Digest);
        }

        return parked;
    }

    /// The command started over and met somebody again: it has a new ticket.
    internal void Requeue(ParkedCommand parked)
    {
        Invariant.Holds(HasQueued);
        HasQueued = false;
        _waiting.Add(parked.Ticket = _lastTicket, parked);
    }

    /// It waits no longer. Its place in the queue stays until its turn, which then passes at once.
    internal void GiveUp(ParkedCommand parked) => _waiting.Remove(parked.Ticket);

    internal ReadOnlySpan<byte> Request(BufferId copy, int length) => buffers.Span(copy)[..length];

    internal void Leave(ParkedCommand parked, BufferId copy, int length)
    {
        GiveUp(parked);
        buffers.Return(copy);
        _commands--;
        _bytes -= length;
        if (parked.OwnsHold)
        {
            parked.Order.Namespace.Release(worker, parked.Order.Digest); // its turn came, but its client is gone
        }
    }
}

/// What a parked command waits for, since when and until when (monotonic nanoseconds).
internal readonly record struct ParkingOrder(Namespace Namespace, Digest Digest, long Since, long Deadline);

/// Runs the command again and writes its framed reply. False: it has got into a queue again and wrote nothing.
internal delegate bool RunParked(ParkedCommand command);

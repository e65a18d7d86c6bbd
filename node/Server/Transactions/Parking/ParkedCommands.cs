using Aerie.Foundation;
using Aerie.Index;
using Aerie.Index.Holds;
using Aerie.Memory;
using Aerie.Server.Records;
using Aerie.Server.Records.Fetching;
using Aerie.Server.Transactions.Commits;
using Aerie.Server.Transactions.Udfs;

namespace Aerie.Server.Transactions.Parking;

/// The commands of one loop that wait: for records which others own, or for images on devices. A command gets into the
/// queue of its record under the record's gate, with a ticket; when its turn comes, the loop is told the ticket and the
/// command runs again, now as the owner. It runs again, too, when its image has been read. Belongs to the loop's thread. The
/// queues' places live in RecordHolds, the requests here. `stepNow` steps the reply of a connection, even if its peer does
/// not read: others may wait for the record.
public sealed class ParkedCommands
{
    /// That wait for others. Each costs at least a small buffer of memory. What waits for a device is bounded by the number
    /// of connections: a device that is slow for a while is no reason to refuse anybody.
    public const int CommandsMax = 1024;

    /// Requests may be large.
    public const long BytesMax = 64L * 1024 * 1024;

    private readonly Worker _worker;
    private readonly BufferPool _buffers;
    private readonly ImageReads _reads;
    private readonly LoopCommits _commits;
    private readonly UdfLoop _udfs;
    private readonly Action<LongReply> _stepNow;
    private readonly Dictionary<ulong, IRecordWaiter> _queued = [];
    private readonly Stack<ParkedCommand> _idle = new();
    private long _queuedBytes;
    private ulong _lastTicket;
    private int _requestLength;
    private int _roomCommands;
    private long _roomBytes;

    internal ParkedCommands(
        Worker worker, BufferPool buffers, ImageReads reads, LoopCommits commits, UdfLoop udfs, Action<LongReply> stepNow)
    {
        _udfs = udfs;
        _worker = worker;
        _buffers = buffers;
        _reads = reads;
        _commits = commits;
        _stepNow = stepNow;
    }

    /// Commands that wait, of those whose clients are still there.
    public int Count { get; private set; }

    /// The command that runs has got into a queue and must not be answered now.
    internal bool HasQueued { get; private set; }

    /// The function that the command that runs has called needs more turns.
    internal void NoteSuspended() => HasQueued = true;

    /// A command is about to run. If it has to wait, this much of it must be kept.
    internal void Expect(int requestLength)
    {
        _requestLength = requestLength;
        HasQueued = false;
    }

    /// Puts the command that runs behind all who wait for the record. False: too many do. Caller holds the gate.
    internal bool TryQueue(Namespace records, in Digest digest, ref RecordEntry entry)
    {
        if (_queued.Count >= CommandsMax || _queuedBytes + _requestLength > BytesMax)
        {
            return false;
        }

        var limit = (int)Math.Min(records.Options.TransactionPendingLimit, int.MaxValue);
        HasQueued = records.Holds.Enqueue(digest, ref entry, new Waiter(_worker.Number, ++_lastTicket), limit) == EnqueueResult.Queued;
        return HasQueued;
    }

    /// Keeps the command that has just got into a queue, or lacks an image, until it can run or its deadline is over
    /// (monotonic nanoseconds).
    internal ParkedCommand Park(ReadOnlySpan<byte> request, in ParkingOrder order, RunParked run)
    {
        var parked = Keep(request, order, run);
        WaitAgain(parked);
        return parked;
    }

    /// Keeps a write before it runs, until its namespace has room for what it writes, and at least until `from` (monotonic
    /// nanoseconds, 0: at once). Null: too many wait already.
    internal ParkedCommand? ParkForRoom(ReadOnlySpan<byte> request, in ParkingOrder order, RunParked run, long from)
    {
        if (_roomCommands >= CommandsMax || _roomBytes + request.Length > BytesMax)
        {
            return null;
        }

        var parked = Keep(request, order, run);
        _roomCommands++;
        _roomBytes += request.Length;
        parked.WaitForRoom(from);
        return parked;
    }

    private ParkedCommand Keep(ReadOnlySpan<byte> request, in ParkingOrder order, RunParked run)
    {
        var copy = _buffers.Rent(request.Length);
        request.CopyTo(_buffers.Span(copy));
        var parked = _idle.Count > 0 ? _idle.Pop() : new ParkedCommand(this, _reads, _commits.NewHold());
        parked.Take(order, copy, request.Length, run);
        Count++;
        return parked;
    }

    /// A ticket's turn has come. When its client is gone, or did not want to wait so long, the next one's has.
    internal void Resume(in WokenWaiter woken)
    {
        if (_queued.TryGetValue(woken.Waiter.Ticket, out var waiter))
        {
            GiveUp(waiter);
            waiter.ItsTurn(woken);
        }
        else if (woken.OwnsHold)
        {
            woken.Namespace.Release(_worker, woken.Digest);
        }
    }

    /// The command has run and met somebody, or lacked an image.
    internal void WaitAgain(ParkedCommand parked)
    {
        if (_worker.LacksImage)
        {
            parked.Images.Add(_worker.TakeMissing());
            parked.Images.Start();
            return;
        }

        Invariant.Holds(HasQueued);
        HasQueued = false;
        if (_udfs.TakeSuspended() is { } suspended)
        {
            parked.GoOnWith(suspended);
            return;
        }

        Await(parked);
    }

    /// The command that has just got into a queue, and must not be answered now, is this one's.
    internal void Await(IRecordWaiter waiter)
    {
        HasQueued = false;
        _queued.Add(waiter.Ticket = _lastTicket, waiter);
        _queuedBytes += waiter.KeptBytes;
    }

    /// It waits for nobody any more. Its place in the queue stays until its turn, which then passes at once.
    internal void GiveUp(IRecordWaiter waiter)
    {
        if (_queued.Remove(waiter.Ticket))
        {
            _queuedBytes -= waiter.KeptBytes;
        }

        waiter.Ticket = 0;
    }

    internal void WakeAfterFlush(ParkedCommand parked) => _commits.Waits.Add(parked);

    internal void Resume(UdfExecution execution) => _udfs.Resumed = execution;

    internal void GiveUp(UdfExecution execution) => _udfs.GiveUp(execution, _worker);

    internal void HasRoom(ParkedCommand parked)
    {
        _roomCommands--;
        _roomBytes -= parked.Length;
    }

    internal void StepNow(ParkedCommand parked) => _stepNow(parked);

    internal ReadOnlySpan<byte> Request(BufferId copy, int length) => _buffers.Span(copy)[..length];

    internal void Leave(ParkedCommand parked, BufferId copy)
    {
        GiveUp(parked);
        _buffers.Return(copy);
        Count--;
        if (parked.OwnsHold)
        {
            parked.Order.Namespace.Release(_worker, parked.Order.Digest); // its turn came, but its client is gone
        }

        _idle.Push(parked);
    }
}

/// What a parked command waits for, since when and until when (monotonic nanoseconds).
internal readonly record struct ParkingOrder(Namespace Namespace, Digest Digest, long Since, long Deadline);

/// Runs the command again and writes its framed reply. False: it must wait again and wrote nothing.
internal delegate bool RunParked(ParkedCommand command);

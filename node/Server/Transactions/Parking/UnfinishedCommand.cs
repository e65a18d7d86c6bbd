using Aerie.Foundation;
using Aerie.Server.Records;
using Aerie.Server.Transactions.Udfs;

namespace Aerie.Server.Transactions.Parking;

/// One command among many (a row of a batch, a record of a background query) that is not over: it stands in the queue of its
/// record, or its function has used up a turn of the loop. The others behind it wait; whoever runs them keeps the place. Reused for
/// one command after the other; belongs to the loop's thread.
internal sealed class UnfinishedCommand(Worker worker, ParkedCommands parked, UdfLoop udfs) : IRecordWaiter
{
    private UdfExecution? _function;
    private WokenWaiter _own;
    private bool _owns;
    private bool _owned;

    /// Called when the command's turn in the queue has come: run it soon. Set by whoever runs it.
    public Action? ItsTurnCame { get; set; }

    public ulong Ticket { get; set; }

    /// The rows are kept with their batch.
    public int KeptBytes => 0;

    /// The command must not run before ItsTurnCame.
    public bool IsQueued => Ticket != 0;

    /// Others wait until the command has run on.
    public bool HoldsRecord => _owns || _function is not null;

    public bool IsEmpty => !IsQueued && !HoldsRecord;

    /// Where the command may queue while it runs.
    public ParkedCommands Parking => parked;

    /// The command that is not over runs now, or another one. True: it owns the hold of its record.
    public bool Begin()
    {
        Invariant.Holds(!IsQueued);
        parked.Expect(0);
        udfs.Resumed = _function;
        _function = null;
        _owned = _owns;
        _owns = false;
        return _owned;
    }

    /// The command has run. True: it is not over, and what it has written of a reply does not count.
    public bool End()
    {
        if (worker.LacksImage)
        {
            _owns = _owned; // it lets nothing go until it has its image
            return false;
        }

        if (!parked.HasQueued)
        {
            return false;
        }

        _function = udfs.TakeSuspended();
        if (_function is null)
        {
            parked.Await(this);
        }

        return true;
    }

    public void ItsTurn(in WokenWaiter woken)
    {
        _owns = woken.OwnsHold;
        _own = woken;
        ItsTurnCame!();
    }

    /// The command is not to run any more.
    public void GiveUp()
    {
        if (IsQueued)
        {
            parked.GiveUp(this);
        }

        if (_function is { } function)
        {
            _function = null;
            udfs.GiveUp(function, worker);
        }

        if (_owns)
        {
            _owns = false;
            _own.Namespace.Release(worker, _own.Digest);
        }
    }
}

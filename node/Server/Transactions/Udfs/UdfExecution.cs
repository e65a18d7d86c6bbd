using Aerie.Foundation;
using Aerie.Lua;
using Aerie.Server.Records;

namespace Aerie.Server.Transactions.Udfs;

/// One call of a function on one record, from its start to its reply, with turns of the loop in between if it takes long. The
/// record, if there is one, is held until the call is over.
internal sealed class UdfExecution
{
    public UdfRecord Record { get; } = new();

    public UdfRun? Run { get; private set; }

    /// The record's entry is held for this call.
    public bool Holds { get; set; }

    public bool IsSuspended => Run is { Progress: UdfProgress.Suspended };

    public void Start(IUdfWorker worker, in UdfCall call)
    {
        Invariant.Holds(Run is null);
        Run = worker.Start(call, Record);
    }

    public void End()
    {
        Run?.Release();
        Run = null;
        Holds = false;
    }
}

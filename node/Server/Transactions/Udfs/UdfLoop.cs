using Aerie.Foundation;
using Aerie.Lua;
using Aerie.Server.Records;

namespace Aerie.Server.Transactions.Udfs;

/// What one event loop needs to run functions: its worker of the engine, and executions to lend.
internal sealed class UdfLoop(IUdfEngine? engine) : IDisposable
{
    private readonly Stack<UdfExecution> _idle = new();
    private IUdfWorker? _worker;

    /// Opened with the first call: states are not free.
    public IUdfWorker Worker => _worker ??= engine!.OpenWorker();

    /// The operator has not switched functions off.
    public bool CanCall => engine is not null;

    /// The execution that the command that runs goes on with; null: it begins.
    public UdfExecution? Resumed { get; set; }

    /// The command that runs is not over: its function has used up its turn. Whoever parks the command takes it.
    public UdfExecution? Suspended { get; set; }

    public UdfExecution Rent() => _idle.Count > 0 ? _idle.Pop() : new UdfExecution();

    public void Return(UdfExecution execution)
    {
        execution.End();
        _idle.Push(execution);
    }

    /// Nobody waits for the end any more: the function is given up where it stands, nothing is stored.
    public void GiveUp(UdfExecution execution, Worker worker)
    {
        if (execution.Holds)
        {
            execution.Record.Namespace.Release(worker, new Digest(execution.Record.Digest));
        }

        Return(execution);
    }

    /// What the command that has just run left unfinished; null: nothing.
    public UdfExecution? TakeSuspended()
    {
        var suspended = Suspended;
        Suspended = null;
        return suspended;
    }

    public void Dispose() => _worker?.Dispose();
}

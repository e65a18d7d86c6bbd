using Aerie.Foundation;
using Aerie.Server.Records;
using Aerie.Server.Records.Flushing;

namespace Aerie.Server;

/// The threads that look after the records beside the loops: housekeeper, checkpoints, flushers.
public sealed class RecordThreads : IDisposable
{
    private readonly IReadOnlyList<Flusher> _flushers;
    private readonly List<SteppedThread> _others = [];
    private readonly List<SteppedThread> _flushing = [];

    public RecordThreads(Node node, Action<Exception> failed)
    {
        _flushers = node.Flushers;
        _others.Add(new SteppedThread("housekeeper", () => (int)node.Housekeeper.Step(node.HousekeepingWorker), failed));
        foreach (var checkpointer in node.Checkpointers)
        {
            _others.Add(new SteppedThread($"checkpoint {checkpointer.Records.Name}", () => checkpointer.Step(), failed));
        }

        foreach (var flusher in _flushers)
        {
            var thread = new SteppedThread($"flusher {flusher.Records.Name}", flusher.Step, failed);
            flusher.Records.FlushSignal.Wake = thread.Wake;
            _flushing.Add(thread);
        }
    }

    public void Start()
    {
        _others.ForEach(static thread => thread.Start());
        _flushing.ForEach(static thread => thread.Start());
    }

    /// After the loops have stopped. Returns when everything is written, or cannot be: flushers end last, because nobody writes
    /// any more then. A node that has lost an invariant does not call it clean: the restart reads what the devices hold.
    public void Stop(bool isClean)
    {
        _others.ForEach(static thread => thread.Stop());
        _flushing.ForEach(static thread => thread.Stop());
        foreach (var flusher in _flushers.Where(_ => isClean))
        {
            flusher.TryEnd();
        }
    }

    public void Dispose()
    {
        _others.ForEach(static thread => thread.Dispose());
        _flushing.ForEach(static thread => thread.Dispose());
    }
}

namespace Aerie.Server.Records.Checkpoints;

/// The thread of one checkpointer. What escapes from a step is a broken invariant or a bug: the process is told to stop.
public sealed class CheckpointThread : IDisposable
{
    private readonly Checkpointer _checkpointer;
    private readonly Action<Exception> _failed;
    private readonly Thread _thread;
    private readonly ManualResetEventSlim _stopping = new(initialState: false, spinCount: 0);

    public CheckpointThread(Checkpointer checkpointer, Action<Exception> failed)
    {
        _checkpointer = checkpointer;
        _failed = failed;
        _thread = new Thread(Run) { Name = $"checkpoint {checkpointer.Records.Name}", IsBackground = true };
    }

    public void Start() => _thread.Start();

    /// Returns when the last step has ended; a checkpoint half taken is left to the flusher's end.
    public void Stop()
    {
        _stopping.Set();
        _thread.Join();
    }

    public void Dispose() => _stopping.Dispose();

    private void Run()
    {
        try
        {
            while (!_stopping.Wait(_checkpointer.Step()))
            {
            }
        }
        catch (Exception failure)
        {
            _failed(failure);
        }
    }
}

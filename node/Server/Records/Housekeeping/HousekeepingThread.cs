namespace Aerie.Server.Records.Housekeeping;

/// The thread of the housekeeper. What escapes from a step is a broken invariant or a bug: the process is told to stop.
public sealed class HousekeepingThread : IDisposable
{
    private readonly Housekeeper _housekeeper;
    private readonly Worker _worker;
    private readonly Action<Exception> _failed;
    private readonly Thread _thread;

    // It waits many times a second and hardly ever gets what it waits for: spinning first would cost more than the work.
    private readonly ManualResetEventSlim _stopping = new(initialState: false, spinCount: 0);

    public HousekeepingThread(Housekeeper housekeeper, Worker worker, Action<Exception> failed)
    {
        _housekeeper = housekeeper;
        _worker = worker;
        _failed = failed;
        _thread = new Thread(Run) { Name = "housekeeper", IsBackground = true };
    }

    public void Start() => _thread.Start();

    /// Returns when the last step has ended.
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
            while (!_stopping.Wait((int)_housekeeper.Step(_worker)))
            {
            }
        }
        catch (Exception failure)
        {
            _failed(failure);
        }
    }
}

namespace Aerie.Server.Records.Flushing;

/// The thread of one flusher. It rests until it is woken or the time is over that the flusher gave. What escapes from a
/// step is a broken invariant or a bug: the process is told to stop.
public sealed class FlusherThread : IDisposable
{
    private readonly Flusher _flusher;
    private readonly Action<Exception> _failed;
    private readonly Thread _thread;
    private readonly AutoResetEvent _woken = new(false);
    private volatile bool _isStopping;

    public FlusherThread(Flusher flusher, Action<Exception> failed)
    {
        _flusher = flusher;
        _failed = failed;
        _thread = new Thread(Run) { Name = $"flusher {flusher.Records.Name}", IsBackground = true };
        flusher.Records.FlushSignal.Wake = () => _woken.Set();
    }

    public void Start() => _thread.Start();

    /// After those who write have stopped. Returns when everything is written, or cannot be. A node that has lost an
    /// invariant does not call it clean: the restart then reads what the devices hold.
    public void Stop(bool isClean)
    {
        _isStopping = true;
        _woken.Set();
        _thread.Join();
        if (isClean)
        {
            _flusher.TryEnd();
        }
    }

    public void Dispose() => _woken.Dispose();

    private void Run()
    {
        try
        {
            while (!_isStopping)
            {
                _woken.WaitOne(_flusher.Step());
            }
        }
        catch (Exception failure)
        {
            _failed(failure);
        }
    }
}

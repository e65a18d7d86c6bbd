namespace Aerie.Server.Service;

/// The thread of one event loop. What escapes from a turn is a broken invariant or a bug: the node can no longer vouch for
/// its data, so the whole process is told to stop.
public sealed class LoopThread
{
    private const int WaitMilliseconds = 1000;

    private readonly ServiceLoop _loop;
    private readonly Thread _thread;
    private readonly Action<Exception> _failed;
    private volatile bool _stopping;

    public LoopThread(ServiceLoop loop, Action<Exception> failed)
    {
        _loop = loop;
        _failed = failed;
        _thread = new Thread(Run) { Name = $"service-{loop.Number}", IsBackground = true };
    }

    public void Start() => _thread.Start();

    /// Returns when the loop has ended its turn.
    public void Stop()
    {
        _stopping = true;
        _loop.Post(static _ => { });
        _thread.Join();
    }

    private void Run()
    {
        try
        {
            while (!_stopping)
            {
                _loop.Turn(WaitMilliseconds);
            }
        }
        catch (Exception failure)
        {
            _failed(failure);
        }
    }
}

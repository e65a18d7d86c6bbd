namespace Aerie.Server.Records;

/// A thread that takes one step after the other. A step gives the milliseconds to rest before the next; Wake ends the rest
/// early. What escapes from a step is a broken invariant or a bug: the process is told to stop.
public sealed class SteppedThread : IDisposable
{
    private readonly Func<int> _step;
    private readonly Action<Exception> _failed;
    private readonly Thread _thread;
    private readonly AutoResetEvent _woken = new(false);
    private volatile bool _isStopping;

    public SteppedThread(string name, Func<int> step, Action<Exception> failed)
    {
        _step = step;
        _failed = failed;
        _thread = new Thread(Run) { Name = name, IsBackground = true };
    }

    public void Start() => _thread.Start();

    /// Any thread.
    public void Wake() => _woken.Set();

    /// Returns when the last step has ended.
    public void Stop()
    {
        _isStopping = true;
        Wake();
        _thread.Join();
    }

    public void Dispose() => _woken.Dispose();

    private void Run()
    {
        try
        {
            while (!_isStopping)
            {
                _woken.WaitOne(_step());
            }
        }
        catch (Exception failure)
        {
            _failed(failure);
        }
    }
}

namespace Aerie.Io;

/// Gets an event loop out of its sleep from another thread. A wake-up of a loop that does not sleep costs no system call:
/// the loop finds the mark when it wants to sleep.
internal sealed unsafe class WakeSignal : IDisposable
{
    private const int Awake = 0;
    private const int Sleeping = 1;
    private const int Woken = 2;

    private readonly Lock _gate = new();
    private int _file;
    private int _state;

    public WakeSignal()
    {
        _file = Native.EventFile(0, Native.NonBlocking | Native.CloseOnExec);
        if (_file < 0)
        {
            throw new IoException($"cannot start an event loop: {Native.Reason(Native.Errno)}");
        }
    }

    public int File => _file;

    /// Any thread.
    public void Raise()
    {
        if (Interlocked.Exchange(ref _state, Woken) != Sleeping)
        {
            return;
        }

        lock (_gate) // or Dispose could close the file under the write, and its number belong to a connection by then
        {
            if (_file >= 0)
            {
                var one = 1UL;
                Native.Write(_file, &one, sizeof(ulong));
            }
        }
    }

    /// False: woken since the last sleep, so do not sleep.
    public bool TryFallAsleep() => Interlocked.Exchange(ref _state, Sleeping) != Woken;

    /// A full fence: what a waker queued before its Raise is visible afterwards.
    public void WakeUp() => Interlocked.Exchange(ref _state, Awake);

    /// The file was readable; it must not be again for the same wake-up.
    public void Clear()
    {
        ulong ignored;
        Native.Read(_file, &ignored, sizeof(ulong));
    }

    public void Dispose()
    {
        lock (_gate)
        {
            if (_file >= 0)
            {
                Native.Close(_file);
                _file = -1;
            }
        }
    }
}

namespace Aerie.Io;

/// Reads by a few threads that block, for what the kernel's asynchronous I/O cannot do: where it is refused, and on files
/// without direct I/O. Twice the processor time of AioReads.
internal sealed unsafe class ThreadReads(WakeSignal wake) : IDisposable
{
    /// Enough to keep a disk busy beside a loop that computes; more would only fight for its core.
    private const int Threads = 4;

    private readonly object _gate = new();
    private readonly Queue<Job> _jobs = new(AioReads.Depth);
    private readonly Queue<(int Slot, long Result)> _done = new(AioReads.Depth);
    private readonly List<Thread> _threads = [];
    private int _doneCount;
    private bool _isEnding;

    /// Asked for and not collected.
    public int InFlight { get; private set; }

    public bool AnyCompleted => Volatile.Read(ref _doneCount) > 0;

    public void Add(int slot, int file, nint address, int length, long offset)
    {
        InFlight++;
        lock (_gate)
        {
            _jobs.Enqueue(new Job(slot, file, address, length, offset));
            Monitor.Pulse(_gate);
        }

        if (_threads.Count < Math.Min(Threads, InFlight))
        {
            var thread = new Thread(ReadUntilEnd) { IsBackground = true, Name = "device-reads" };
            _threads.Add(thread);
            thread.Start();
        }
    }

    public bool TryCollect(out int slot, out long result)
    {
        (slot, result) = (-1, 0);
        if (!AnyCompleted)
        {
            return false;
        }

        lock (_gate)
        {
            (slot, result) = _done.Dequeue();
            _doneCount--;
        }

        InFlight--;
        return true;
    }

    /// Drops what has not begun and waits for what has.
    public void Dispose()
    {
        lock (_gate)
        {
            _isEnding = true;
            _jobs.Clear();
            Monitor.PulseAll(_gate);
        }

        _threads.ForEach(thread => thread.Join());
        _threads.Clear();
        InFlight = 0;
    }

    private void ReadUntilEnd()
    {
        while (TryTake(out var job))
        {
            var result = Read(job);
            lock (_gate)
            {
                _done.Enqueue((job.Slot, result));
                _doneCount++;
            }

            wake.Raise();
        }
    }

    private bool TryTake(out Job job)
    {
        lock (_gate)
        {
            while (_jobs.Count == 0 && !_isEnding)
            {
                Monitor.Wait(_gate);
            }

            return _jobs.TryDequeue(out job);
        }
    }

    private static long Read(Job job)
    {
        while (true)
        {
            var read = Native.ReadAt(job.File, (void*)job.Address, (nuint)job.Length, job.Offset);
            var error = read < 0 ? Native.Errno : 0;
            if (error != Native.EINTR)
            {
                return read < 0 ? -error : read;
            }
        }
    }

    private readonly record struct Job(int Slot, int File, nint Address, int Length, long Offset);
}

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Aerie.Foundation;
using Aerie.Memory;

namespace Aerie.Io;

/// The reads of one engine: which way each goes, what waits for its turn, what has ended. Owns the buffers of all of them.
internal sealed unsafe class DeviceReads(
    Epoll epoll,
    WakeSignal wake,
    ConnectionId mark,
    BufferPool buffers,
    IoCounters counters,
    bool useAio) : IDisposable
{
    /// When the kernel had no room even for one read, nothing tells when it has some.
    private const int StalledMilliseconds = 1;

    private readonly Queue<int> _waiting = new(AioReads.Depth);
    private readonly Queue<(int Slot, int Result)> _done = new(AioReads.Depth);
    private readonly Stack<int> _free = new();
    private DeviceRead[] _reads = new DeviceRead[64];
    private int _used;
    private AioReads? _aio;
    private ThreadReads? _threads;
    private bool _aioIsRefused = !useAio;

    public bool AnyInFlight => (_aio?.InFlight ?? 0) + (_threads?.InFlight ?? 0) > 0;

    /// Ended and collected.
    public bool AnyToReport => _done.Count > 0;

    public void Add(IBlockDevice device, long offset, BufferId buffer, int length, int token)
    {
        var memory = buffers.Span(buffer);
        Invariant.Holds(length > 0 && length <= memory.Length && offset >= 0);
        Invariant.Holds(device.Alignment == 1 || (Page.StartsAt(memory) && (offset | (uint)length) % device.Alignment == 0));
        var slot = _free.Count > 0 ? _free.Pop() : NewSlot();
        ref var read = ref _reads[slot];
        read.Address = (nint)Unsafe.AsPointer(ref MemoryMarshal.GetReference(memory));
        read.File = device.File;
        read.Offset = offset;
        read.Buffer = buffer;
        read.Length = length;
        read.Done = 0;
        read.Token = token;
        read.ByThread = device.Alignment == 1 || !TryOpenAio();
        counters.Reads++;
        counters.ReadsByThreads += read.ByThread ? 1 : 0;
        Start(slot);
    }

    /// How long the loop may sleep that would like to sleep so long (-1 = for ever).
    public int LongestSleep(int milliseconds)
    {
        if ((_aio?.AnyCompleted() ?? false) || (_threads?.AnyCompleted ?? false))
        {
            return 0;
        }

        var isStalled = _aio?.IsStalled ?? false;
        return isStalled && (milliseconds is < 0 or > StalledMilliseconds) ? StalledMilliseconds : milliseconds;
    }

    /// Hands as many of the waiting reads to the kernel as it may have, with one call.
    public void Submit()
    {
        if (_aio is null)
        {
            return;
        }

        do
        {
            while (_waiting.Count > 0 && _aio.HasRoom)
            {
                var slot = _waiting.Dequeue();
                ref var read = ref _reads[slot];
                _aio.Prepare(slot, read.File, read.Address + read.Done, read.Length - read.Done, read.Offset + read.Done);
            }

            while (_aio.Submit(counters, out var refused, out var error))
            {
                _done.Enqueue((refused, -error));
            }
        }
        while (_waiting.Count > 0 && _aio.HasRoom);
    }

    /// Takes what has ended by now. It is reported before more is taken, so that reads cannot keep sockets from their turn.
    public void Collect()
    {
        while (_aio is not null && _aio.TryCollect(out var slot, out var result))
        {
            Advance(slot, result);
        }

        while (_threads is not null && _threads.TryCollect(out var slot, out var result))
        {
            Advance(slot, result);
        }
    }

    public int Report(Span<Completion> into)
    {
        var filled = 0;
        while (filled < into.Length && _done.TryDequeue(out var done))
        {
            ref var read = ref _reads[done.Slot];
            into[filled++] = new Completion(CompletionKind.ReadDone, ConnectionId.None, read.Buffer, done.Result, read.Token);
            counters.BytesRead += Math.Max(done.Result, 0);
            Forget(done.Slot);
        }

        return filled;
    }

    /// Waits for what is in flight; all buffers go back to the pool.
    public void Dispose()
    {
        _aio?.Dispose();
        _threads?.Dispose();
        _aio = null;
        _threads = null;
        _aioIsRefused = true;
        for (var slot = 0; slot < _used; slot++)
        {
            if (!_reads[slot].Buffer.IsNone)
            {
                buffers.Return(_reads[slot].Buffer);
                Forget(slot);
            }
        }

        _waiting.Clear();
        _done.Clear();
    }

    private bool TryOpenAio()
    {
        if (_aio is null && !_aioIsRefused)
        {
            _aio = AioReads.TryOpen(epoll, mark);
            _aioIsRefused = _aio is null;
        }

        return _aio is not null;
    }

    private void Start(int slot)
    {
        ref var read = ref _reads[slot];
        if (!read.ByThread)
        {
            _waiting.Enqueue(slot);
            return;
        }

        _threads ??= new ThreadReads(wake);
        _threads.Add(slot, read.File, read.Address + read.Done, read.Length - read.Done, read.Offset + read.Done);
    }

    // A short read is followed by one for the rest, which tells whether the device ends or fails there.
    private void Advance(int slot, long result)
    {
        ref var read = ref _reads[slot];
        if (result <= 0)
        {
            _done.Enqueue((slot, result == 0 ? -Native.ENODATA : (int)result));
            return;
        }

        read.Done += (int)result;
        if (read.Done < read.Length)
        {
            Start(slot);
            return;
        }

        _done.Enqueue((slot, read.Length));
    }

    private int NewSlot()
    {
        if (_used == _reads.Length)
        {
            Array.Resize(ref _reads, _reads.Length * 2);
        }

        return _used++;
    }

    private void Forget(int slot)
    {
        _reads[slot].Buffer = BufferId.None;
        _free.Push(slot);
    }

    private struct DeviceRead
    {
        public int File;
        public nint Address;
        public long Offset;
        public BufferId Buffer;
        public int Length;
        public int Done;
        public int Token;
        public bool ByThread;
    }
}

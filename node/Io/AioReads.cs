using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Aerie.Foundation;

namespace Aerie.Io;

/// Reads through the kernel's own asynchronous I/O. Truly asynchronous only with direct I/O on room that is allocated: on
/// anything else io_submit waits for the disk. Completions are taken from the ring that the kernel shares, without a call;
/// an event file tells epoll that there are some.
internal sealed unsafe class AioReads : IDisposable
{
    /// Reads in the kernel at once. Disks are busy from 64 on; the system has 65536 for all processes (fs.aio-max-nr).
    public const int Depth = 256;

    private readonly nint _context;
    private readonly int _eventFile;
    private readonly Native.AioRequest* _requests;
    private readonly Native.AioRequest** _pointers;
    private readonly Native.AioEvent* _events;
    private readonly bool _hasRing;
    private int _next;
    private int _prepared;

    private AioReads(nint context, int eventFile)
    {
        _context = context;
        _eventFile = eventFile;
        _requests = (Native.AioRequest*)NativeMemory.AllocZeroed(Depth, (nuint)sizeof(Native.AioRequest));
        _pointers = (Native.AioRequest**)NativeMemory.Alloc(Depth, (nuint)sizeof(nint));
        _events = (Native.AioEvent*)NativeMemory.Alloc(Depth, (nuint)sizeof(Native.AioEvent));
        var ring = (Native.AioRing*)context;
        _hasRing = ring->Magic == Native.AioRing.MagicNumber && ring->IncompatibleFeatures == 0;
        for (var i = 0; i < Depth; i++)
        {
            _pointers[i] = &_requests[i];
        }
    }

    public int InFlight { get; private set; }

    public bool HasRoom => _prepared < Depth && InFlight + (_prepared - _next) < Depth;

    /// Something was prepared and the kernel had no room for it.
    public bool IsStalled => _next < _prepared && InFlight == 0;

    /// Null: the system refuses it (not built in, forbidden by a sandbox, or fs.aio-max-nr is used up).
    public static AioReads? TryOpen(Epoll epoll, ConnectionId mark)
    {
        nint context = 0;
        if (Native.AioSetup(Depth, &context) != 0)
        {
            return null;
        }

        var eventFile = Native.EventFile(0, Native.NonBlocking | Native.CloseOnExec);

        // told of each change only, so nobody has to read the file
        if (eventFile < 0 || !epoll.Add(eventFile, Native.EpollIn | Native.EpollEdge, mark))
        {
            Native.AioDestroy(context);
            if (eventFile >= 0)
            {
                Native.Close(eventFile);
            }

            return null;
        }

        return new AioReads(context, eventFile);
    }

    /// Goes out with the next Submit. Only while HasRoom.
    public void Prepare(int slot, int file, nint address, int length, long offset)
    {
        Invariant.Holds(HasRoom);
        ref var request = ref _requests[_prepared++];
        request = default;
        request.Data = (ulong)slot;
        request.Operation = Native.AioRequest.OperationRead;
        request.File = file;
        request.Address = (ulong)address;
        request.Length = (ulong)length;
        request.Offset = offset;
        request.Flags = Native.AioRequest.TellEventFile;
        request.EventFile = _eventFile;
    }

    /// Hands what is prepared to the kernel, in order. True: it refuses the read of `slot` for good; call again for the rest.
    public bool Submit(IoCounters counters, out int slot, out int error)
    {
        (slot, error) = (-1, 0);
        while (_next < _prepared)
        {
            counters.ReadSubmits++;
            var taken = Native.AioSubmit(_context, _prepared - _next, _pointers + _next);
            error = taken < 0 ? Native.Errno : 0;
            if (taken > 0)
            {
                _next += taken;
                InFlight += taken;
            }
            else if (error is 0 or Native.EAGAIN)
            {
                return false; // no room now: what comes back makes some
            }
            else if (error != Native.EINTR)
            {
                slot = (int)_requests[_next++].Data;
                return true;
            }
        }

        (_next, _prepared) = (0, 0);
        return false;
    }

    public bool AnyCompleted()
    {
        var ring = (Native.AioRing*)_context;
        return InFlight > 0 && _hasRing && ring->Head != Volatile.Read(ref ring->Tail);
    }

    /// The next completed read, if there is one.
    public bool TryCollect(out int slot, out long result)
    {
        var ring = (Native.AioRing*)_context;
        Native.AioEvent taken;
        if (InFlight == 0 || !(_hasRing ? TryTake(ring, out taken) : Native.AioGetEvents(_context, 0, 1, &taken) == 1))
        {
            (slot, result) = (-1, 0);
            return false;
        }

        InFlight--;
        (slot, result) = ((int)taken.Data, taken.Result);
        return true;
    }

    /// Waits for what is in the kernel, since it writes into memory that is freed next.
    public void Dispose()
    {
        while (InFlight > 0)
        {
            var count = Native.AioGetEvents(_context, 1, Depth, _events);
            Invariant.Holds(count > 0 || Native.Errno == Native.EINTR);
            InFlight -= Math.Max(count, 0);
        }

        Native.AioDestroy(_context);
        Native.Close(_eventFile);
        NativeMemory.Free(_requests);
        NativeMemory.Free(_pointers);
        NativeMemory.Free(_events);
    }

    private static bool TryTake(Native.AioRing* ring, out Native.AioEvent taken)
    {
        var head = ring->Head;
        if (head == Volatile.Read(ref ring->Tail))
        {
            Unsafe.SkipInit(out taken);
            return false;
        }

        taken = ((Native.AioEvent*)((byte*)ring + ring->HeaderLength))[head];
        Volatile.Write(ref ring->Head, (head + 1) % ring->Count);
        return true;
    }
}

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Aerie.Io;

/// An epoll instance and the events it gave last. A watched file is named by a mark: a slot and a generation. x86-64 packs
/// the kernel's structure into 12 bytes, other architectures align it to 16.
internal sealed unsafe class Epoll : IDisposable
{
    private static readonly int Stride = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;
    private static readonly int DataOffset = Stride - sizeof(ulong);

    private readonly int _file;
    private readonly int _max;
    private byte* _events;

    public Epoll(int eventsMax)
    {
        _max = eventsMax;
        _file = Native.EpollCreate(Native.CloseOnExec);
        if (_file < 0)
        {
            throw new IoException($"cannot start an event loop: {Native.Reason(Native.Errno)}");
        }

        _events = (byte*)NativeMemory.AlignedAlloc((nuint)(eventsMax * Stride), 64);
    }

    /// False: refused, see errno.
    public bool Add(int file, uint events, ConnectionId mark) => Control(Native.EpollAdd, file, events, mark);

    public bool Modify(int file, uint events, ConnectionId mark) => Control(Native.EpollModify, file, events, mark);

    public bool Remove(int file) => Control(Native.EpollDelete, file, 0, ConnectionId.None);

    /// Asks for the next events and returns their number, or -1 with errno.
    public int Wait(int timeoutMilliseconds) => Native.EpollWait(_file, _events, _max, timeoutMilliseconds);

    public uint Events(int index) => Unsafe.ReadUnaligned<uint>(_events + (index * Stride));

    public ConnectionId Mark(int index)
    {
        var data = Unsafe.ReadUnaligned<ulong>(_events + (index * Stride) + DataOffset);
        return new ConnectionId((int)(uint)data, (uint)(data >> 32));
    }

    /// Takes the part of an event away that has been dealt with.
    public void Clear(int index, uint events) => Unsafe.WriteUnaligned(_events + (index * Stride), Events(index) & ~events);

    public void Dispose()
    {
        if (_events != null)
        {
            Native.Close(_file);
            NativeMemory.AlignedFree(_events);
            _events = null;
        }
    }

    private bool Control(int operation, int file, uint events, ConnectionId mark)
    {
        var form = stackalloc byte[Stride];
        Unsafe.WriteUnaligned(form, events);
        Unsafe.WriteUnaligned(form + DataOffset, ((ulong)mark.Generation << 32) | (uint)mark.Slot);
        return Native.EpollControl(_file, operation, file, form) == 0;
    }
}

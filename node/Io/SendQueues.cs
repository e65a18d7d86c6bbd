using Aerie.Foundation;
using Aerie.Memory;

namespace Aerie.Io;

/// What one connection has waiting to be sent. The default value is an empty queue.
internal struct SendQueue
{
    /// Positions in the shared array plus one; 0 = none.
    public int First;
    public int Last;
    public long Bytes;

    public readonly bool IsEmpty => First == 0;
}

/// A buffer whose bytes from Offset on still wait.
internal struct WaitingSend
{
    public BufferId Buffer;
    public int Offset;
    public int Length;
    public int Next;
}

/// The waiting sends of all connections of an engine, linked through one array, because few connections have any: a
/// connection costs three numbers, and nothing is allocated once the array has its size.
internal sealed class SendQueues
{
    private WaitingSend[] _sends = new WaitingSend[64];
    private int _used;
    private int _free;

    public void Append(ref SendQueue queue, BufferId buffer, int offset, int length)
    {
        var position = Take();
        _sends[position - 1] = new WaitingSend { Buffer = buffer, Offset = offset, Length = length };
        if (queue.IsEmpty)
        {
            queue.First = position;
        }
        else
        {
            _sends[queue.Last - 1].Next = position;
        }

        queue.Last = position;
        queue.Bytes += length;
    }

    public ref readonly WaitingSend First(in SendQueue queue) => ref _sends[queue.First - 1];

    /// The kernel took so many bytes of the first send. True when it took all of them: the first can be removed.
    public bool Advance(ref SendQueue queue, int taken)
    {
        ref var first = ref _sends[queue.First - 1];
        Invariant.Holds(taken <= first.Length);
        first.Offset += taken;
        first.Length -= taken;
        queue.Bytes -= taken;
        return first.Length == 0;
    }

    /// The buffer is the caller's again.
    public BufferId RemoveFirst(ref SendQueue queue)
    {
        var position = queue.First;
        ref var first = ref _sends[position - 1];
        queue.First = first.Next;
        queue.Bytes -= first.Length;
        first.Next = _free;
        _free = position;
        return first.Buffer;
    }

    private int Take()
    {
        if (_free != 0)
        {
            var position = _free;
            _free = _sends[position - 1].Next;
            return position;
        }

        if (_used == _sends.Length)
        {
            Array.Resize(ref _sends, _sends.Length * 2);
        }

        return ++_used;
    }
}

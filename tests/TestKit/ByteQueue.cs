namespace Aerie.TestKit;

/// Bytes in, bytes out, in order. Keeps its memory, so that a warm test allocates nothing.
internal sealed class ByteQueue
{
    private byte[] _bytes = new byte[256];
    private int _start;

    public int Count { get; private set; }

    public void Append(ReadOnlySpan<byte> bytes)
    {
        if (_start + Count + bytes.Length > _bytes.Length)
        {
            MakeRoom(bytes.Length);
        }

        bytes.CopyTo(_bytes.AsSpan(_start + Count));
        Count += bytes.Length;
    }

    public int Take(Span<byte> into)
    {
        var taken = Math.Min(Count, into.Length);
        _bytes.AsSpan(_start, taken).CopyTo(into);
        Count -= taken;
        _start = Count == 0 ? 0 : _start + taken;
        return taken;
    }

    public void Clear()
    {
        _start = 0;
        Count = 0;
    }

    private void MakeRoom(int length)
    {
        var target = Count + length > _bytes.Length ? new byte[Math.Max(_bytes.Length * 2, Count + length)] : _bytes;
        _bytes.AsSpan(_start, Count).CopyTo(target);
        _bytes = target;
        _start = 0;
    }
}

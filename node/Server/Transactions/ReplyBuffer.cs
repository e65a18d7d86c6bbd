using System.Runtime.CompilerServices;
using Aerie.Foundation;
using Aerie.Memory;

namespace Aerie.Server.Transactions;

/// The replies of one connection's turn, written one behind the other into a buffer of the loop's pool and sent with one
/// call. Grows by moving to a larger buffer. A command that fails half-way winds back to where it began.
public sealed class ReplyBuffer(BufferPool pool)
{
    private BufferId _buffer = BufferId.None;
    private int _capacity;

    public BufferPool Pool => pool;

    public int Length { get; private set; }

    /// Room for `length` more bytes. Valid until the next Reserve or Take.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Span<byte> Reserve(int length)
    {
        if (_capacity - Length < length)
        {
            Grow(length);
        }

        return pool.Span(_buffer).Slice(Length, length);
    }

    public void Commit(int length)
    {
        Invariant.Holds(length <= _capacity - Length);
        Length += length;
    }

    /// Bytes already written, to be corrected: counts and lengths that are known last.
    public Span<byte> Written(int offset, int length)
    {
        Invariant.Holds(offset + length <= Length);
        return pool.Span(_buffer).Slice(offset, length);
    }

    public void WindBack(int length)
    {
        Invariant.Holds(length <= Length);
        Length = length;
    }

    /// Hands the bytes to whoever sends them; the reply buffer is empty afterwards.
    public BufferId Take(out int length)
    {
        var buffer = _buffer;
        length = Length;
        _buffer = BufferId.None;
        _capacity = 0;
        Length = 0;
        return buffer;
    }

    /// Takes over bytes that were written elsewhere. Only while nothing was written here.
    public void Give(BufferId buffer, int length)
    {
        Invariant.Holds(Length == 0 && length <= pool.Length(buffer));
        Drop();
        _buffer = buffer;
        _capacity = pool.Length(buffer);
        Length = length;
    }

    /// Throws away what was written.
    public void Drop()
    {
        if (!_buffer.IsNone)
        {
            pool.Return(Take(out _));
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Grow(int length)
    {
        var wanted = Math.Max(checked(Length + length), (int)Math.Min(2L * _capacity, Array.MaxLength));
        var larger = pool.Rent(Math.Max(wanted, BufferPool.StandardLength));
        if (!_buffer.IsNone)
        {
            pool.Span(_buffer)[..Length].CopyTo(pool.Span(larger));
            pool.Return(_buffer);
        }

        _buffer = larger;
        _capacity = pool.Length(larger);
    }
}

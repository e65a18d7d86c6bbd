using Aerie.Foundation;

namespace Aerie.DataModel.Packed;

/// Bytes that an operation writes, one behind the other, into memory that is kept for the next command. Offsets stay true while
/// it grows; spans given out before show the bytes as they were then. Writing past the limit is not an error in itself:
/// the bytes go nowhere and Overflowed says so, so that writers need no check of their own at each step. What was written
/// before stays as it is, and winding back to it makes all well again.
public sealed class GrowingBytes(int lengthMax)
{
    /// Above this, memory is given back when the bytes are cleared: one huge value must not cost every thread that much for ever.
    private const int KeptMax = 8 * 1024 * 1024;

    private byte[] _bytes = new byte[1024];
    private byte[] _waste = [];

    public int Length { get; private set; }

    /// Something did not fit. What was written since is not to be used.
    public bool Overflowed { get; private set; }

    public void Clear()
    {
        Length = 0;
        Overflowed = false;
        if (_bytes.Length > KeptMax)
        {
            _bytes = new byte[1024];
        }

        if (_waste.Length > KeptMax)
        {
            _waste = [];
        }
    }

    /// Room for `length` bytes, to be filled and committed. Valid until the next Reserve.
    public Span<byte> Reserve(int length)
    {
        if (_bytes.Length - Length < length || Overflowed)
        {
            return Grow(length);
        }

        return _bytes.AsSpan(Length, length);
    }

    public void Commit(int length)
    {
        if (!Overflowed)
        {
            Invariant.Holds((uint)length <= (uint)(_bytes.Length - Length));
            Length += length;
        }
    }

    public void Append(scoped ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Reserve(bytes.Length));
        Commit(bytes.Length);
    }

    public void Append(byte value)
    {
        Reserve(1)[0] = value;
        Commit(1);
    }

    public ReadOnlySpan<byte> Read(int offset, int length) => _bytes.AsSpan(0, Length).Slice(offset, length);

    /// Bytes already written, to be corrected.
    public Span<byte> Written(int offset, int length) => _bytes.AsSpan(0, Length).Slice(offset, length);

    public void WindBack(int length)
    {
        Invariant.Holds(length <= Length);
        Length = length;
        Overflowed = false;
    }

    /// Puts other bytes in the place of some that were written; what lies behind them moves. They may not lie in this memory.
    public void Replace(int offset, int length, scoped ReadOnlySpan<byte> bytes)
    {
        var behind = Length - offset - length;
        var more = Math.Max(bytes.Length - length, 0);
        Reserve(more);
        if (Overflowed)
        {
            return;
        }

        _bytes.AsSpan(offset + length, behind).CopyTo(_bytes.AsSpan(offset + bytes.Length));
        bytes.CopyTo(_bytes.AsSpan(offset));
        Length = offset + bytes.Length + behind;
    }

    private Span<byte> Grow(int length)
    {
        var wanted = (long)Length + length;
        if (Overflowed || wanted > lengthMax)
        {
            Overflowed = true;
            _waste = _waste.Length < length ? new byte[length] : _waste;
            return _waste.AsSpan(0, length);
        }

        var larger = new byte[Math.Max(wanted, Math.Min(2L * _bytes.Length, lengthMax))];
        _bytes.AsSpan(0, Length).CopyTo(larger);
        _bytes = larger;
        return _bytes.AsSpan(Length, length);
    }
}

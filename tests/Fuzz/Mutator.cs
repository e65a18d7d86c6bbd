using System.Buffers.Binary;

namespace Aerie.Fuzz;

/// Makes inputs that are nearly right: a seed of the corpus with a few small, likely harmful changes. The same random
/// seed gives the same inputs.
internal sealed class Mutator(IReadOnlyList<byte[]> seeds, IReadOnlyList<byte[]> tokens, Random random)
{
    private const int MutationsMax = 8;
    private const int InputBytesMax = 64 * 1024; // longer inputs find nothing more in our formats and cost speed

    private static readonly byte[] InterestingBytes = [0, 1, 2, 0x0A, 0x16, 0x20, 0x7F, 0x80, 0xFE, 0xFF];
    private static readonly long[] InterestingNumbers =
    [
        0, 1, -1, 2, 22, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 1L << 47,
        long.MinValue,
    ];

    private readonly byte[] _buffer = new byte[InputBytesMax];
    private int _length;

    /// The bytes are valid until the next call.
    public ReadOnlySpan<byte> Next()
    {
        Take(Any(seeds));
        for (var left = 1 + random.Next(MutationsMax); left > 0; left--)
        {
            MutateOnce();
        }

        return _buffer.AsSpan(0, _length);
    }

    private void MutateOnce()
    {
        switch (random.Next(10))
        {
            case 0: Set(at => _buffer[at] ^= (byte)(1 << random.Next(8))); break;
            case 1: Set(at => _buffer[at] = InterestingBytes[random.Next(InterestingBytes.Length)]); break;
            case 2: Set(at => _buffer[at] = (byte)random.Next(256)); break;
            case 3: OverwriteNumber(); break;
            case 4: Delete(); break;
            case 5: Repeat(); break;
            case 6: Insert(RandomBytes()); break;
            case 7: Insert(tokens.Count > 0 ? Any(tokens) : RandomBytes()); break;
            case 8: Splice(); break;
            default: _length = random.Next(_length + 1); break;
        }
    }

    private void Take(ReadOnlySpan<byte> seed)
    {
        _length = Math.Min(seed.Length, InputBytesMax);
        seed[.._length].CopyTo(_buffer);
    }

    private void Set(Action<int> change)
    {
        if (_length > 0)
        {
            change(random.Next(_length));
        }
    }

    /// Lengths and counts of our formats are big-endian numbers of 1 to 8 bytes; little-endian ones are few.
    private void OverwriteNumber()
    {
        Span<byte> number = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(number, InterestingNumbers[random.Next(InterestingNumbers.Length)] + random.Next(-1, 2));
        var size = Math.Min(_length, 1 << random.Next(4));
        var at = random.Next(_length - size + 1);
        var bytes = number[^size..];
        if (random.Next(4) == 0)
        {
            bytes.Reverse();
        }

        bytes.CopyTo(_buffer.AsSpan(at));
    }

    private void Delete()
    {
        var at = random.Next(_length + 1);
        var count = random.Next(Math.Min(_length - at, 64) + 1);
        _buffer.AsSpan(at + count, _length - at - count).CopyTo(_buffer.AsSpan(at));
        _length -= count;
    }

    private void Repeat()
    {
        var at = random.Next(_length + 1);
        var count = random.Next(Math.Min(_length - at, 256) + 1);
        var piece = _buffer.AsSpan(at, count).ToArray();
        for (var times = 1 + random.Next(random.Next(8) == 0 ? 100 : 3); times > 0; times--)
        {
            Insert(piece);
        }
    }

    private void Insert(ReadOnlySpan<byte> piece)
    {
        if (_length + piece.Length > InputBytesMax)
        {
            return;
        }

        var at = random.Next(_length + 1);
        _buffer.AsSpan(at, _length - at).CopyTo(_buffer.AsSpan(at + piece.Length));
        piece.CopyTo(_buffer.AsSpan(at));
        _length += piece.Length;
    }

    private void Splice()
    {
        var other = Any(seeds);
        var from = random.Next(other.Length + 1);
        _length = random.Next(_length + 1);
        var count = Math.Min(other.Length - from, InputBytesMax - _length);
        other.AsSpan(from, count).CopyTo(_buffer.AsSpan(_length));
        _length += count;
    }

    private byte[] RandomBytes()
    {
        var bytes = new byte[1 + random.Next(16)];
        random.NextBytes(bytes);
        return bytes;
    }

    private byte[] Any(IReadOnlyList<byte[]> from) => from[random.Next(from.Count)];
}

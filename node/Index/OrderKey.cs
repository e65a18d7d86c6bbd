using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Aerie.Foundation;

namespace Aerie.Index;

/// The path of a digest through its partition's tree: 224 bits that order as Digest.CompareTo does and differ whenever digests
/// of one partition differ.
///
/// The first 64 bits are the prefix times the partition's stretch, a factor between 1/16 and 1. Without it the leaves of all
/// partitions would fill and split at the same record counts, and memory per record would swing with them; with it every
/// moment has leaves in every state and the average holds always. Stretching may make neighbours equal, therefore the prefix
/// itself comes next. Those words are reached only by digests that somebody chose to be alike.
internal readonly struct OrderKey : IComparable<OrderKey>
{
    public const int Bits = 224;

    /// Bits that one step down the tree looks at.
    public const int StepBits = 4;

    private readonly ulong _position;
    private readonly ulong _prefix;
    private readonly ulong _bytes10;
    private readonly ulong _bytes18;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public OrderKey(in Digest digest, ulong stretch)
    {
        var bytes = MemoryMarshal.AsBytes(new ReadOnlySpan<Digest>(in digest));
        _prefix = digest.Prefix;
        _position = Math.BigMul(_prefix, stretch, out _);
        _bytes10 = BinaryPrimitives.ReadUInt64BigEndian(bytes[10..]);
        _bytes18 = ((ulong)BinaryPrimitives.ReadUInt16BigEndian(bytes[18..]) << 48)
            | ((ulong)BinaryPrimitives.ReadUInt16BigEndian(bytes) << 32);
    }

    private OrderKey(ReadOnlySpan<ulong> words)
    {
        _position = words[0];
        _prefix = words[1];
        _bytes10 = words[2];
        _bytes18 = words[3];
    }

    public static ulong StretchOf(int partition) =>
        (ulong)Math.Pow(2, 60 + (StepBits * (double)partition / Digest.PartitionCount));

    /// The four bits below the depth.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Step(int depth) => (int)((depth < 64 ? _position >> (60 - depth) : WordAt(depth) >> (60 - (depth & 63))) & 15);

    public bool Bit(int depth) => ((WordAt(depth) >> (63 - (depth & 63))) & 1) != 0;

    /// The first key beyond all that share the leading bits with this one; false when there is none.
    public bool TryNextRegion(int depth, out OrderKey next)
    {
        Span<ulong> words = [_position, _prefix, _bytes10, _bytes18];
        next = default;
        if (depth == 0)
        {
            return false;
        }

        var word = (depth - 1) >> 6;
        var unit = 1UL << (63 - ((depth - 1) & 63));
        words[(word + 1)..].Clear();
        words[word] = (words[word] & ~(unit - 1)) + unit;
        while (words[word] < unit)
        {
            if (word == 0)
            {
                return false;
            }

            unit = 1;
            words[--word]++;
        }

        next = new OrderKey(words);
        return true;
    }

    public int CompareTo(OrderKey other)
    {
        var order = _position.CompareTo(other._position);
        order = order != 0 ? order : _prefix.CompareTo(other._prefix);
        order = order != 0 ? order : _bytes10.CompareTo(other._bytes10);
        return order != 0 ? order : _bytes18.CompareTo(other._bytes18);
    }

    private ulong WordAt(int depth) => (depth >> 6) switch
    {
        0 => _position,
        1 => _prefix,
        2 => _bytes10,
        _ => _bytes18,
    };
}

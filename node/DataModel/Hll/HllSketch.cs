using System.Buffers.Binary;
using Aerie.DataModel.Bits;
using Aerie.Foundation;

namespace Aerie.DataModel.Hll;

/// A stored sketch: flags u8 (none are known) · index bits u8 · minhash bits u8 · cached count u64 · registers, each of six
/// rank bits and the minhash bits, one behind the other from the left. Clients read sketches and send them back,
/// so these bytes never change their meaning.
public readonly ref struct HllSketch
{
    public const int HeaderLength = 11;

    private const int CountOffset = 3;
    private const int FirstRegister = HeaderLength * 8;

    /// A cached count above this is not believed but made anew: no sketch estimates as much, and a count that was written
    /// in the other byte order is nearly always above it.
    private const long CountMax = 1L << 48;

    private readonly ReadOnlySpan<byte> _bytes;

    private HllSketch(HllShape shape, ReadOnlySpan<byte> bytes)
    {
        Shape = shape;
        _bytes = bytes;
    }

    public HllShape Shape { get; }

    public ReadOnlySpan<byte> Bytes => _bytes;

    /// Zero: not known. It is set by update_count and lost by every change.
    public long CachedCount
    {
        get
        {
            var count = BinaryPrimitives.ReadUInt64BigEndian(_bytes[CountOffset..]);
            return count <= (ulong)CountMax ? (long)count : 0;
        }
    }

    /// False where the bytes are no sketch.
    public static bool TryOpen(ReadOnlySpan<byte> bytes, out HllSketch sketch)
    {
        sketch = default;
        if (bytes.Length < HeaderLength || bytes[0] != 0)
        {
            return false;
        }

        var shape = new HllShape(bytes[1], bytes[2]);
        if (!shape.IsValid || bytes.Length != shape.Length)
        {
            return false;
        }

        sketch = new HllSketch(shape, bytes);
        return true;
    }

    /// An empty sketch over bytes of the shape's length.
    public static void Initialize(Span<byte> bytes, HllShape shape)
    {
        bytes.Clear();
        bytes[1] = (byte)shape.IndexBits;
        bytes[2] = (byte)shape.MinhashBits;
    }

    public static bool CanCache(long count) => count is > 0 and <= CountMax;

    public static void WriteCount(Span<byte> bytes, long count) =>
        BinaryPrimitives.WriteUInt64BigEndian(bytes[CountOffset..], (ulong)count);

    /// The number of different values that were added.
    public long Estimate(HllScratch scratch)
    {
        var ranks = scratch.Ranks(Shape.Registers);
        RaiseRanks(ranks);
        return HllEstimate.Count(ranks);
    }

    public ulong Register(int index) => Read(_bytes, Shape, index);

    /// Raises the registers of a sketch to those of this one, folding it where that one has fewer. True when one of them rose.
    public bool UniteInto(Span<byte> bytes, HllShape shape)
    {
        Invariant.Holds(shape == Shape || (shape.IndexBits <= Shape.IndexBits && shape.MinhashBits == 0));
        var rose = false;
        var dropped = Shape.MinhashBits - shape.MinhashBits;
        for (var index = 0; index < Shape.Registers; index++)
        {
            rose |= Raise(bytes, shape, index & (shape.Registers - 1), Register(index) >> dropped);
        }

        return rose;
    }

    /// Raises the ranks of 2^n registers to those of this sketch, folding it where it has more.
    public void RaiseRanks(Span<byte> ranks)
    {
        var mask = ranks.Length - 1;
        if (Shape.MinhashBits != 0)
        {
            for (var index = 0; index < Shape.Registers; index++)
            {
                ref var rank = ref ranks[index & mask];
                rank = Math.Max(rank, (byte)(Register(index) >> Shape.MinhashBits));
            }

            return;
        }

        // Eight registers are six bytes.
        var packed = _bytes[HeaderLength..];
        for (var index = 0; index < Shape.Registers; index += 8, packed = packed[6..])
        {
            var word = ((ulong)BinaryPrimitives.ReadUInt32BigEndian(packed) << 16) | BinaryPrimitives.ReadUInt16BigEndian(packed[4..]);
            for (var i = 7; i >= 0; i--, word >>= HllShape.RankBits)
            {
                ref var rank = ref ranks[(index + i) & mask];
                rank = Math.Max(rank, (byte)(word & HllShape.RankMax));
            }
        }
    }

    /// Raises a register to the value; false when it is that high already.
    public static bool Raise(Span<byte> bytes, HllShape shape, int index, ulong value)
    {
        if (Read(bytes, shape, index) >= value)
        {
            return false;
        }

        BitSpan.Write(bytes, FirstRegister + index * shape.RegisterBits, shape.RegisterBits, value);
        return true;
    }

    private static ulong Read(ReadOnlySpan<byte> bytes, HllShape shape, int index) =>
        BitSpan.Read(bytes, FirstRegister + index * shape.RegisterBits, shape.RegisterBits);
}

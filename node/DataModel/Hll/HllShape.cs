namespace Aerie.DataModel.Hll;

/// How a sketch is laid out: 2^IndexBits registers, each of a rank and MinhashBits more bits of the hash.
public readonly record struct HllShape(int IndexBits, int MinhashBits)
{
    public const int IndexBitsMin = 4;
    public const int IndexBitsMax = 16;
    public const int MinhashBitsMin = 4;
    public const int MinhashBitsMax = 51;

    /// Index and minhash are taken from the same half of the hash.
    public const int BitsMax = 64;

    /// A rank says how many zeros in a row the other half of the hash ends with, plus one.
    public const int RankBits = 6;
    public const int RankMax = (1 << RankBits) - 1;

    public int Registers => 1 << IndexBits;

    public int RegisterBits => RankBits + MinhashBits;

    /// Bytes of a whole sketch. The registers end with a byte, for there are at least sixteen.
    public int Length => HllSketch.HeaderLength + Registers * RegisterBits / 8;

    public bool IsValid => IsIndexBits(IndexBits) && IsMinhashBits(MinhashBits) && IndexBits + MinhashBits <= BitsMax;

    public static bool IsIndexBits(long bits) => bits is >= IndexBitsMin and <= IndexBitsMax;

    public static bool IsMinhashBits(long bits) => bits is 0 or (>= MinhashBitsMin and <= MinhashBitsMax);

    /// The shape that two sketches can both be brought to. Folding mixes index bits into the minhash, and minhashes of
    /// different lengths choose different minima: either way they are given up.
    public HllShape Common(HllShape other) => this == other ? this : new HllShape(Math.Min(IndexBits, other.IndexBits), 0);

    /// Where a value is counted and what its register is at least: the rank, then the minhash. Of equal ranks the greater
    /// minhash stays, so that a register is simply the maximum of all that came to it.
    public (int Register, ulong Value) Place(ReadOnlySpan<byte> packedValue)
    {
        var (low, high) = Murmur3.Hash(packedValue);
        var rank = (ulong)Math.Min(System.Numerics.BitOperations.TrailingZeroCount(high) + 1, RankMax);
        var minhash = (low >> IndexBits) & Bits.BitSpan.Mask(MinhashBits);
        return ((int)low & (Registers - 1), (rank << MinhashBits) | minhash);
    }
}

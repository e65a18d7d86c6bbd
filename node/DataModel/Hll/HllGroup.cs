using Aerie.Foundation;

namespace Aerie.DataModel.Hll;

/// The bin's sketch, if it has one, and the sketches that a call brings, looked at together. All of them are well formed.
internal readonly ref struct HllGroup
{
    /// Without minhashes an intersection is worked out from unions, whose errors add up.
    public const int WithoutMinhashMax = 3;

    private const int None = -1;
    private const byte RankMask = HllShape.RankMax;
    private const byte Differs = 0x80;

    private readonly ReadOnlySpan<byte> _own;
    private readonly ReadOnlySpan<byte> _call;
    private readonly HllScratch _scratch;

    /// `own` is empty where the bin has no sketch.
    public HllGroup(ReadOnlySpan<byte> own, ReadOnlySpan<byte> call, HllScratch scratch)
    {
        _own = own;
        _call = call;
        _scratch = scratch;
        Count = scratch.Count + (own.IsEmpty ? 0 : 1);
        Shape = Open(0).Shape;
        HasOneShape = true;
        for (var i = 1; i < Count; i++)
        {
            var shape = Open(i).Shape;
            HasOneShape &= shape == Shape;
            Shape = Shape.Common(shape);
        }
    }

    public int Count { get; }

    /// What all can be brought to.
    public HllShape Shape { get; }

    public bool HasOneShape { get; }

    /// Sketches can be compared register by register.
    public bool HasMinhash => HasOneShape && Shape.MinhashBits != 0;

    public HllSketch Open(int index)
    {
        var own = _own.IsEmpty ? 0 : 1;
        var isSketch = HllSketch.TryOpen(index < own ? _own : _scratch.Read(_call, index - own), out var sketch);
        Invariant.Holds(isSketch);
        return sketch;
    }

    /// Raises the registers of a sketch of the group's shape to those of its members, from `first` on.
    public bool UniteInto(Span<byte> bytes, int first)
    {
        var rose = false;
        for (var i = first; i < Count; i++)
        {
            rose |= Open(i).UniteInto(bytes, Shape);
        }

        return rose;
    }

    /// How many values the members have together, or `only` one of them, or all `without` one.
    public long UnionCount(int only = None, int without = None)
    {
        var ranks = _scratch.Ranks(Shape.Registers);
        for (var i = 0; i < Count; i++)
        {
            if (i != without && (only == None || i == only))
            {
                Open(i).RaiseRanks(ranks);
            }
        }

        return HllEstimate.Count(ranks);
    }

    /// How many values all members have in common, and the share that those are of the values that any of them has. No share is a
    /// number when there are no values at all.
    public (long Count, double Similarity) Intersect()
    {
        if (HasMinhash)
        {
            return CompareRegisters();
        }

        var union = UnionCount();
        var count = UnionCount(only: 0) + UnionCount(only: 1);
        count += Count == 2
            ? -union
            : UnionCount(only: 2) - UnionCount(without: 0) - UnionCount(without: 1) - UnionCount(without: 2) + union;
        count = Math.Clamp(count, 0, union);
        return (count, count / (double)union);
    }

    // HyperMinHash: a register that is the same in all members was most likely set by a value that all of them have.
    private (long Count, double Similarity) CompareRegisters()
    {
        var registers = _scratch.Ranks(Shape.Registers);
        Open(0).RaiseRanks(registers);
        for (var i = 1; i < Count; i++)
        {
            var first = Open(0);
            var other = Open(i);
            for (var index = 0; index < registers.Length; index++)
            {
                var value = other.Register(index);
                var differs = value == first.Register(index) ? 0 : Differs;
                var rank = Math.Max(registers[index] & RankMask, (int)(value >> Shape.MinhashBits));
                registers[index] = (byte)((registers[index] & Differs) | differs | rank);
            }
        }

        var (filled, same) = (0, 0);
        foreach (ref var register in registers)
        {
            filled += (register & RankMask) != 0 ? 1 : 0;
            same += register is > 0 and < Differs ? 1 : 0;
            register &= RankMask;
        }

        var similarity = same / (double)filled;
        return (filled == 0 ? 0 : (long)(similarity * HllEstimate.Count(registers)), similarity);
    }
}

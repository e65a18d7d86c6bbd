using Aerie.Foundation;

namespace Aerie.Storage;

/// Where a record image lies: a 44-bit unit address (block × units per block + unit in block) above a 20-bit size in
/// units. These are the 64 bits that an index entry and a checkpoint store. A size of zero exists for None only.
public readonly record struct RecordLocation(ulong Bits)
{
    public const int SizeBits = 20;

    public const int AddressBits = 44;

    /// 2^25 blocks of 8 MiB: 256 TiB for one log.
    public const int BlockCountMax = 1 << (AddressBits - StorageUnit.PerBlockBits);

    public static readonly RecordLocation None;

    public bool IsNone => Bits == 0;

    public long Address => (long)(Bits >> SizeBits);

    public int Units => (int)(Bits & ((1 << SizeBits) - 1));

    public int Block => (int)(Address >> StorageUnit.PerBlockBits);

    /// First unit inside the block.
    public int Unit => (int)Address & (StorageUnit.PerBlock - 1);

    /// First byte inside the block.
    public int Offset => Unit * StorageUnit.Length;

    /// Bytes of the image, padding included.
    public int Length => Units * StorageUnit.Length;

    public static RecordLocation Of(int block, int unit, int units)
    {
        Invariant.Holds((uint)block < BlockCountMax && unit >= 0 && units > 0 && unit + units <= StorageUnit.PerBlock);
        return new RecordLocation(((((ulong)block << StorageUnit.PerBlockBits) | (uint)unit) << SizeBits) | (uint)units);
    }

    /// The same place, fewer units.
    public RecordLocation Shrunk(int units)
    {
        Invariant.Holds(units > 0 && units <= Units);
        return new RecordLocation((Bits & ~((1UL << SizeBits) - 1)) | (uint)units);
    }

    public override string ToString() => IsNone ? "none" : $"block {Block} unit {Unit} +{Units}";
}

namespace Aerie.Storage;

/// Space inside a block is counted in units of 16 bytes: small enough that rounding costs a small record 8 bytes on
/// average, large enough that 44 bits address 256 TiB.
public static class StorageUnit
{
    public const int Length = 16;

    public const int PerBlockBits = 19;

    /// What a device writes as one piece.
    public const int PerPage = 4096 / Length;

    public const int PerBlock = IBlockBacking.BlockLength / Length;

    /// Units that hold this many bytes.
    public static int CountFor(int bytes) => (int)(((uint)bytes + Length - 1) / Length);

    /// The length rounded up to whole units.
    public static int Padded(int bytes) => CountFor(bytes) * Length;
}

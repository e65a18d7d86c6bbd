namespace Aerie.DataModel.Bins;

/// A bin's value where it lies: in the stored image, in a request, or in bytes written just now. Type Null: there is none.
public readonly ref struct BinValue(ParticleType type, ReadOnlySpan<byte> bytes)
{
    public ParticleType Type { get; } = type;

    public ReadOnlySpan<byte> Bytes { get; } = bytes;

    public bool IsMissing => Type == ParticleType.Null;
}

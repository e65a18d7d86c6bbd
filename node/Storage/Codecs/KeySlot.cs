using Aerie.Foundation;

namespace Aerie.Storage.Codecs;

/// The place for a wrapped data key in the header of a device: KeyRing has the layout. All zeros without encryption.
public readonly struct KeySlot : IEquatable<KeySlot>
{
    private static readonly byte[] Empty = new byte[KeyRing.SlotLength];

    private readonly byte[]? _bytes;

    public KeySlot(ReadOnlySpan<byte> bytes)
    {
        Invariant.Holds(bytes.Length == KeyRing.SlotLength);
        _bytes = bytes.ToArray();
    }

    public ReadOnlySpan<byte> Bytes => _bytes ?? Empty;

    public static bool operator ==(KeySlot left, KeySlot right) => left.Equals(right);

    public static bool operator !=(KeySlot left, KeySlot right) => !left.Equals(right);

    public bool Equals(KeySlot other) => Bytes.SequenceEqual(other.Bytes);

    public override bool Equals(object? obj) => obj is KeySlot other && Equals(other);

    public override int GetHashCode()
    {
        var hash = default(HashCode);
        hash.AddBytes(Bytes);
        return hash.ToHashCode();
    }
}

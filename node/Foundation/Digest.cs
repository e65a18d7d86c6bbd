using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Aerie.Foundation;

/// The 20-byte identity of a record: RIPEMD-160 of set name, key type and key. Compared as bytes; the first two bytes name
/// the partition, the bytes after them order the records of a partition.
[StructLayout(LayoutKind.Sequential, Pack = 1, Size = Length)]
public readonly struct Digest : IEquatable<Digest>, IComparable<Digest>
{
    public const int Length = 20;
    public const int PartitionCount = 4096;

    private readonly ulong _a;
    private readonly ulong _b;
    private readonly uint _c;

    public Digest(ReadOnlySpan<byte> bytes)
    {
        Invariant.Holds(bytes.Length == Length);
        this = MemoryMarshal.Read<Digest>(bytes);
    }

    /// First two bytes little-endian, low 12 bits: the rule of the client protocol.
    public int Partition => (int)(ushort)_a & (PartitionCount - 1);

    /// The bits that order records inside their partition (bytes 2..9, big-endian). Byte 1's high four bits are left
    /// out on purpose: they take part in equality only.
    public ulong Prefix
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => BinaryPrimitives.ReverseEndianness((_a >> 16) | (_b << 48));
    }

    public void CopyTo(Span<byte> target) => MemoryMarshal.Write(target, in this);

    public byte[] ToArray()
    {
        var bytes = new byte[Length];
        CopyTo(bytes);
        return bytes;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Equals(Digest other) => _a == other._a && _b == other._b && _c == other._c;

    public override bool Equals(object? obj) => obj is Digest other && Equals(other);

    public override int GetHashCode() => (int)_b;

    /// The order of queries and migration inside one partition: by prefix, then by the remaining bytes.
    public int CompareTo(Digest other)
    {
        var byPrefix = Prefix.CompareTo(other.Prefix);
        if (byPrefix != 0)
        {
            return byPrefix;
        }

        var left = MemoryMarshal.AsBytes(new ReadOnlySpan<Digest>(in this));
        var right = MemoryMarshal.AsBytes(new ReadOnlySpan<Digest>(in other));
        var byTail = left[10..].SequenceCompareTo(right[10..]);
        return byTail != 0 ? byTail : left[..2].SequenceCompareTo(right[..2]);
    }

    public override string ToString() => Convert.ToHexString(ToArray());

    public static bool operator ==(Digest left, Digest right) => left.Equals(right);

    public static bool operator !=(Digest left, Digest right) => !left.Equals(right);

    public static bool operator <(Digest left, Digest right) => left.CompareTo(right) < 0;

    public static bool operator >(Digest left, Digest right) => left.CompareTo(right) > 0;

    public static bool operator <=(Digest left, Digest right) => left.CompareTo(right) <= 0;

    public static bool operator >=(Digest left, Digest right) => left.CompareTo(right) >= 0;
}

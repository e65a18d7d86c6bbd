using System.Buffers.Binary;
using Aerie.Foundation;

namespace Aerie.Node.Tests.Index;

/// Digests for index tests: random ones, and such as somebody would choose to do harm.
internal static class Digests
{
    public static Digest Random(Random random, int? partition = null)
    {
        Span<byte> bytes = stackalloc byte[Digest.Length];
        random.NextBytes(bytes);
        return InPartition(bytes, partition ?? random.Next(Digest.PartitionCount));
    }

    /// Equal in everything before the byte; the bytes from there on are random.
    public static Digest AlikeUpTo(int firstByte, Random random, int partition)
    {
        Span<byte> bytes = stackalloc byte[Digest.Length];
        bytes.Fill(0xA5);
        random.NextBytes(bytes[firstByte..]);
        return InPartition(bytes, partition);
    }

    /// Differs from its like in the given prefix only.
    public static Digest WithPrefix(ulong prefix, int partition)
    {
        Span<byte> bytes = stackalloc byte[Digest.Length];
        bytes.Clear();
        BinaryPrimitives.WriteUInt64BigEndian(bytes[2..], prefix);
        return InPartition(bytes, partition);
    }

    private static Digest InPartition(Span<byte> bytes, int partition)
    {
        bytes[0] = (byte)partition;
        bytes[1] = (byte)((bytes[1] & 0xF0) | (partition >> 8));
        return new Digest(bytes);
    }
}

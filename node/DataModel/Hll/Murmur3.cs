using System.Buffers.Binary;
using System.Numerics;

namespace Aerie.DataModel.Hll;

/// MurmurHash3 of 128 bits for 64-bit processors, seed zero: Austin Appleby's, in the public domain. Sketches of clients are
/// made with it, so it can never change.
public static class Murmur3
{
    private const int BlockLength = 16;
    private const ulong C1 = 0x87C3_7B91_1142_53D5;
    private const ulong C2 = 0x4CF5_AD43_2745_937F;

    public static (ulong Low, ulong High) Hash(ReadOnlySpan<byte> bytes)
    {
        var (h1, h2) = (0UL, 0UL);
        var rest = bytes;
        for (; rest.Length >= BlockLength; rest = rest[BlockLength..])
        {
            h1 ^= First(BinaryPrimitives.ReadUInt64LittleEndian(rest));
            h1 = (BitOperations.RotateLeft(h1, 27) + h2) * 5 + 0x52DC_E729;
            h2 ^= Second(BinaryPrimitives.ReadUInt64LittleEndian(rest[8..]));
            h2 = (BitOperations.RotateLeft(h2, 31) + h1) * 5 + 0x3849_5AB5;
        }

        Span<byte> padded = stackalloc byte[BlockLength];
        padded.Clear();
        rest.CopyTo(padded);
        h1 ^= First(BinaryPrimitives.ReadUInt64LittleEndian(padded)) ^ (ulong)bytes.Length;
        h2 ^= Second(BinaryPrimitives.ReadUInt64LittleEndian(padded[8..])) ^ (ulong)bytes.Length;
        h1 += h2;
        h2 += h1;
        h1 = Mix(h1);
        h2 = Mix(h2);
        h1 += h2;
        return (h1, h2 + h1);
    }

    private static ulong First(ulong word) => BitOperations.RotateLeft(word * C1, 31) * C2;

    private static ulong Second(ulong word) => BitOperations.RotateLeft(word * C2, 33) * C1;

    private static ulong Mix(ulong word)
    {
        word = (word ^ (word >> 33)) * 0xFF51_AFD7_ED55_8CCD;
        word = (word ^ (word >> 33)) * 0xC4CE_B9FE_1A85_EC53;
        return word ^ (word >> 33);
    }
}

using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Aerie.DataModel.Bits;

/// Runs of up to 64 bits anywhere in bytes. Bits count from the left: bit 0 is the highest of the first byte.
/// Callers see to it that the run lies inside the bytes.
public static class BitSpan
{
    public const int WordBits = 64;

    /// The run as a number: its last bit is the lowest.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Read(ReadOnlySpan<byte> bytes, int bit, int count)
    {
        var at = bit >> 3;
        var skipped = bit & 7;
        if (at + 9 > bytes.Length)
        {
            return ReadNearEnd(bytes, at, skipped, count);
        }

        var word = BinaryPrimitives.ReadUInt64BigEndian(bytes[at..]) << skipped;
        return (word | (uint)(bytes[at + 8] >> (8 - skipped))) >> (WordBits - count);
    }

    /// Overwrites the run with the low bits of the value.
    public static void Write(Span<byte> bytes, int bit, int count, ulong value)
    {
        var at = bit >> 3;
        var skipped = bit & 7;
        if (skipped + count > WordBits || at + 8 > bytes.Length)
        {
            WriteBytewise(bytes, bit, count, value);
            return;
        }

        var right = WordBits - skipped - count;
        var mask = Mask(count) << right;
        var word = BinaryPrimitives.ReadUInt64BigEndian(bytes[at..]);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[at..], (word & ~mask) | ((value << right) & mask));
    }

    /// `count` ones on the right.
    public static ulong Mask(int count) => count == 0 ? 0 : ulong.MaxValue >> (WordBits - count);

    /// The value of a run of `count` bits whose first bit is the sign.
    public static long Signed(ulong run, int count) => (long)(run << (WordBits - count)) >> (WordBits - count);

    private static ulong ReadNearEnd(ReadOnlySpan<byte> bytes, int at, int skipped, int count)
    {
        Span<byte> padded = stackalloc byte[9];
        padded.Clear();
        var left = bytes[at..];
        left[..Math.Min(left.Length, padded.Length)].CopyTo(padded);
        return Read(padded, skipped, count);
    }

    private static void WriteBytewise(Span<byte> bytes, int bit, int count, ulong value)
    {
        while (count > 0)
        {
            var skipped = bit & 7;
            var taken = Math.Min(8 - skipped, count);
            count -= taken;
            var right = 8 - skipped - taken;
            var mask = (byte)(Mask(taken) << right);
            ref var place = ref bytes[bit >> 3];
            place = (byte)((place & ~mask) | ((int)((value >> count) << right) & mask));
            bit += taken;
        }
    }
}

using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Aerie.Foundation;

/// CRC-32C (Castagnoli), the checksum of record images and blocks. Uses the processor's instruction where there is one.
public static class Crc32C
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)] // a start has no time to warm up
    public static uint Of(ReadOnlySpan<byte> bytes, uint seed = 0)
    {
        var crc = ~seed;
        while (bytes.Length >= sizeof(ulong))
        {
            crc = BitOperations.Crc32C(crc, MemoryMarshal.Read<ulong>(bytes));
            bytes = bytes[sizeof(ulong)..];
        }

        foreach (var b in bytes)
        {
            crc = BitOperations.Crc32C(crc, b);
        }

        return ~crc;
    }
}

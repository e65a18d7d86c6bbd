using System.Runtime.InteropServices;
using Aerie.Foundation;

namespace Aerie.Benchmarks;

/// Digests that look random and are found again by number, so that millions need not be stored.
internal static class DigestSource
{
    public static Digest At(ulong number)
    {
        Span<ulong> words = [Mix(number * 3), Mix((number * 3) + 1), Mix((number * 3) + 2)];
        return MemoryMarshal.Read<Digest>(MemoryMarshal.AsBytes(words));
    }

    private static ulong Mix(ulong value)
    {
        value += 0x9E3779B97F4A7C15;
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }
}

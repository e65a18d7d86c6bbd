using System.Runtime.CompilerServices;
using Aerie.DataModel.Packed;

namespace Aerie.Lua.Values;

/// Steps over packed values. Nearly all elements of lists are short scalars, which take no reader.
internal static class PackedSkip
{
    /// The offset behind the value at `offset`, which must lie inside; -1: it is none, or not whole.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Next(ReadOnlySpan<byte> packed, int offset)
    {
        var first = packed[offset];
        if (first is <= 0x7F or >= 0xE0)
        {
            return offset + 1;
        }

        var next = first switch
        {
            >= 0xA0 and <= 0xBF => offset + 1 + (first & 0x1F),
            0xC4 or 0xD9 when offset + 1 < packed.Length => offset + 2 + packed[offset + 1],
            _ => 0,
        };
        return next > 0 && next <= packed.Length ? next : NextByReader(packed, offset);
    }

    private static int NextByReader(ReadOnlySpan<byte> packed, int offset)
    {
        var reader = new PackedReader(packed, offset);
        return reader.TrySkip() ? reader.Offset : -1;
    }
}

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Aerie.Memory;

/// What direct I/O moves: whole pages of the disk, from and to memory that begins at a page.
public static unsafe class Page
{
    public const int Length = 4096;

    public static int RoundUp(int length) => checked(length + Length - 1) & -Length;

    public static bool StartsAt(ReadOnlySpan<byte> memory) =>
        ((nuint)Unsafe.AsPointer(ref MemoryMarshal.GetReference(memory)) & (Length - 1)) == 0;
}

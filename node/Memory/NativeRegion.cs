using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Aerie.Foundation;

namespace Aerie.Memory;

/// A range of address space, reserved at once and filled by the kernel page by page as it is touched, so that what is
/// reserved costs nothing until used. Huge pages are asked for: index and block lookups save 12 to 30 % on them.
/// Threads may touch different parts freely; the region knows nothing of what lies in it.
public sealed unsafe partial class NativeRegion : IDisposable
{
    public const long HugePage = 2L * 1024 * 1024;

    private const int ReadWrite = 3;
    private const int PrivateAnonymousNoReserve = 0x02 | 0x20 | 0x4000;
    private const int AdviseHugePage = 14;
    private const int AdviseDontNeed = 4;
    private static readonly void* Failed = (void*)-1;

    private readonly void* _mapping;
    private readonly long _mapped;
    private byte* _start;

    private NativeRegion(void* mapping, long mapped, byte* start, long length)
    {
        _mapping = mapping;
        _mapped = mapped;
        _start = start;
        Length = length;
    }

    public long Length { get; }

    /// Reserves address space, aligned to a huge page. Throws NativeMemoryException when the system refuses even that.
    public static NativeRegion Reserve(long length, bool hugePages = true)
    {
        Invariant.Holds(length > 0);
        var mapped = length + HugePage;
        var mapping = MemoryMap(null, (nuint)mapped, ReadWrite, PrivateAnonymousNoReserve, -1, 0);
        if (mapping == Failed)
        {
            throw new NativeMemoryException($"the system refuses {length} bytes of address space (ulimit -v, vm.overcommit_memory)");
        }

        var start = (byte*)(((nuint)mapping + (nuint)HugePage - 1) & ~((nuint)HugePage - 1));
        if (hugePages)
        {
            MemoryAdvise(start, (nuint)length, AdviseHugePage); // advice: a kernel that declines is only slower
        }

        return new NativeRegion(mapping, mapped, start, length);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Span<byte> Span(long offset, int length)
    {
        Invariant.Holds((ulong)offset <= (ulong)Length && (uint)length <= (ulong)(Length - offset));
        return new Span<byte>(_start + offset, length);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref T At<T>(long offset)
        where T : unmanaged
    {
        Invariant.Holds((ulong)offset <= (ulong)(Length - sizeof(T)));
        return ref *(T*)(_start + offset);
    }

    /// Starts loading the cache line at the offset; any offset inside the region is allowed.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Prefetch(long offset)
    {
        if (System.Runtime.Intrinsics.X86.Sse.IsSupported)
        {
            System.Runtime.Intrinsics.X86.Sse.Prefetch0(_start + offset);
        }
    }

    /// Gives the pages back to the system; they read as zero when touched again.
    public void Discard(long offset, long length)
    {
        Invariant.Holds(offset >= 0 && length >= 0 && offset + length <= Length);
        MemoryAdvise(_start + offset, (nuint)length, AdviseDontNeed);
    }

    public void Dispose()
    {
        if (_start != null)
        {
            _start = null;
            MemoryUnmap(_mapping, (nuint)_mapped);
        }
    }

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial void* MemoryMap(void* address, nuint length, int protection, int flags, int file, long offset);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int MemoryUnmap(void* address, nuint length);

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int MemoryAdvise(void* address, nuint length, int advice);
}

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Aerie.Lua.Native;

/// The memory of one Lua state, and what native code must find without a managed object: it lies in native memory, and each of
/// the state's threads carries a pointer to it in front of itself.
///
/// Blocks up to 512 bytes come from chunks and return to the list of their size; larger ones come from the system. The limit
/// counts chunks and large blocks, because a chunk never goes back while the state lives.
///
/// Lua answers a refused block with an error, which is a jump. So nothing is refused while a managed frame lies between: the
/// callback may pass the limit, and the next allocation of the script fails. Callbacks ask HasRoom before they make something big.
internal unsafe struct LuaHeap
{
    private const int Granule = 16;
    private const int SmallMax = 512;
    private const int ChunkSize = 32 * 1024;

    /// A large block costs its state time that no instruction count shows.
    private const int BytesPerInstruction = 1024;

    /// The managed state (a GCHandle).
    public nint Owner;

    /// Managed frames above the script that runs; blocks are refused only when it is zero.
    public int ManagedDepth;

    /// Refusals since the call began. Each one costs a full collection, so a script that lives from refusals is ended.
    public int Refusals;

    /// Bytes taken from the system.
    public long Taken;
    public long Limit;

    /// Instructions' worth of time that C functions and callbacks have taken.
    public long Work;

    private byte* _free;
    private byte* _end;
    private byte* _chunks;
    private FreeLists _lists;

    [InlineArray((SmallMax / Granule) + 1)]
    private struct FreeLists
    {
        private nint _first;
    }

    public static LuaHeap* Create(long limit)
    {
        var heap = (LuaHeap*)NativeMemory.AllocZeroed((nuint)sizeof(LuaHeap));
        heap->Limit = limit;
        return heap;
    }

    /// After the state was closed.
    public static void Destroy(LuaHeap* heap)
    {
        for (var chunk = heap->_chunks; chunk != null;)
        {
            var next = *(byte**)chunk;
            NativeMemory.Free(chunk);
            chunk = next;
        }

        NativeMemory.Free(heap);
    }

    public readonly bool HasRoom(long bytes) => Taken + bytes <= Limit;

    /// lua_Alloc.
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static void* Allocate(LuaHeap* heap, void* block, nuint oldSize, nuint newSize)
    {
        if (newSize == 0)
        {
            if (block != null)
            {
                heap->Release(block, oldSize);
            }

            return null;
        }

        if (block == null)
        {
            return heap->Take(newSize);
        }

        if (newSize <= SmallMax && Class(oldSize) == Class(newSize))
        {
            return block;
        }

        return oldSize > SmallMax && newSize > SmallMax
            ? heap->ResizeLarge(block, oldSize, newSize)
            : heap->Replace(block, oldSize, newSize);
    }

    private void* Take(nuint size)
    {
        if (size > SmallMax)
        {
            return Grant((long)size) ? NativeMemory.Alloc(size) : null;
        }

        var list = Class(size);
        var block = (nint*)_lists[list];
        if (block != null)
        {
            _lists[list] = *block;
            return block;
        }

        var rounded = list * Granule;
        if (_end - _free < rounded && !AddChunk())
        {
            return null;
        }

        var fresh = _free;
        _free += rounded;
        return fresh;
    }

    private void Release(void* block, nuint size)
    {
        if (size > SmallMax)
        {
            NativeMemory.Free(block);
            Taken -= (long)size;
            return;
        }

        var list = Class(size);
        *(nint*)block = _lists[list];
        _lists[list] = (nint)block;
    }

    private void* ResizeLarge(void* block, nuint oldSize, nuint newSize) =>
        newSize <= oldSize || Grant((long)(newSize - oldSize)) ? Resized(block, oldSize, newSize) : null;

    private void* Resized(void* block, nuint oldSize, nuint newSize)
    {
        Taken -= newSize < oldSize ? (long)(oldSize - newSize) : 0;
        return NativeMemory.Realloc(block, newSize);
    }

    private void* Replace(void* block, nuint oldSize, nuint newSize)
    {
        // A block that shrinks is never refused: Lua shrinks where it cannot raise.
        ManagedDepth += newSize < oldSize ? 1 : 0;
        var other = Take(newSize);
        ManagedDepth -= newSize < oldSize ? 1 : 0;
        if (other != null)
        {
            NativeMemory.Copy(block, other, Math.Min(oldSize, newSize));
            Release(block, oldSize);
        }

        return other;
    }

    private bool AddChunk()
    {
        if (!Grant(ChunkSize))
        {
            return false;
        }

        var chunk = (byte*)NativeMemory.Alloc(ChunkSize);
        *(byte**)chunk = _chunks;
        _chunks = chunk;
        _free = chunk + Granule;
        _end = chunk + ChunkSize;
        return true;
    }

    private bool Grant(long bytes)
    {
        if (Taken + bytes > Limit && ManagedDepth == 0)
        {
            Refusals++;
            return false;
        }

        Taken += bytes;
        Work += bytes / BytesPerInstruction;
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Class(nuint size) => (int)((size + (Granule - 1)) / Granule);
}

using System.Runtime.InteropServices;

namespace Aerie.Lua.Native;

/// Machine code between Lua and managed callbacks. Lua raises errors by longjmp, which may not cross managed frames: a callback
/// returns a negative number instead, its frame goes, and only then these instructions jump into lua_error.
///
///     push rbx; mov rbx, rdi; mov esi, number; mov rax, callback; call rax
///     test eax, eax; js raise; pop rbx; ret
///     raise: mov rdi, rbx; pop rbx; mov rax, lua_error; jmp rax
///
/// All are emitted before the first is used.
internal sealed class Trampolines : IDisposable
{
    private const int Size = 64;

    private readonly CodePages _pages;

    private Trampolines(CodePages pages) => _pages = pages;

    /// Null: code cannot be made here.
    public static Trampolines? TryEmit(nint callback, int count, nint hook)
    {
        if (CodePages.TryReserve((count + 1) * Size) is not { } pages)
        {
            return null;
        }

        var raise = LuaLibrary.Export("lua_error");
        Emit(pages.Code(0, Size), hook, 0, raise);
        for (var number = 0; number < count; number++)
        {
            Emit(pages.Code((number + 1) * Size, Size), callback, number, raise);
        }

        return pages.TrySeal() ? new Trampolines(pages) : null;
    }

    public nint Hook => _pages.Start;

    public nint Callback(int number) => _pages.Start + ((number + 1) * Size);

    public void Dispose() => _pages.Dispose();

    private static void Emit(Span<byte> code, nint target, int number, nint raise)
    {
        code.Fill(0xCC);
        ReadOnlySpan<byte> enter = [0x53, 0x48, 0x89, 0xFB, 0xBE];
        enter.CopyTo(code);
        MemoryMarshal.Write(code[5..], number);
        code[9] = 0x48;
        code[10] = 0xB8;
        MemoryMarshal.Write(code[11..], (long)target);
        ReadOnlySpan<byte> leave = [0xFF, 0xD0, 0x85, 0xC0, 0x78, 0x02, 0x5B, 0xC3, 0x48, 0x89, 0xDF, 0x5B, 0x48, 0xB8];
        leave.CopyTo(code[19..]);
        MemoryMarshal.Write(code[33..], (long)raise);
        code[41] = 0xFF;
        code[42] = 0xE0;
    }
}

using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Aerie.Lua.Native;

/// Machine code between Lua and managed callbacks. Lua raises errors by longjmp, which may not cross managed frames: a callback
/// returns a negative number instead, its frame goes, and only then these instructions jump into lua_error.
///
///     push rbx; mov rbx, rdi; mov esi, number; mov rax, callback; call rax
///     test eax, eax; js raise; pop rbx; ret
///     raise: mov rdi, rbx; pop rbx; mov rax, lua_error; jmp rax
///
/// All are emitted before the first is used; the page is never writable and executable at once.
internal sealed unsafe partial class Trampolines : IDisposable
{
    private const int Size = 64;
    private const int ReadWrite = 3;
    private const int ReadExecute = 5;
    private const int PrivateAnonymous = 0x22;

    private readonly nint _pages;
    private readonly nuint _length;

    private Trampolines(nint pages, nuint length)
    {
        _pages = pages;
        _length = length;
    }

    /// Null: this machine runs other instructions, or does not let programs make any.
    public static Trampolines? TryEmit(nint callback, int count, nint hook)
    {
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64)
        {
            return null;
        }

        var length = (nuint)((count + 1) * Size);
        var pages = Map(0, length, ReadWrite, PrivateAnonymous, -1, 0);
        if (pages == -1)
        {
            return null;
        }

        var raise = LuaLibrary.Export("lua_error");
        Emit((byte*)pages, hook, 0, raise);
        for (var number = 0; number < count; number++)
        {
            Emit((byte*)pages + ((number + 1) * Size), callback, number, raise);
        }

        if (Protect(pages, length, ReadExecute) != 0)
        {
            Unmap(pages, length);
            return null;
        }

        return new Trampolines(pages, length);
    }

    public nint Hook => _pages;

    public nint Callback(int number) => _pages + ((number + 1) * Size);

    public void Dispose()
    {
        if (Unmap(_pages, _length) != 0)
        {
            throw new Win32Exception(Marshal.GetLastSystemError());
        }
    }

    private static void Emit(byte* at, nint target, int number, nint raise)
    {
        var code = new Span<byte>(at, Size);
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

    [DllImport("libc", EntryPoint = "mmap")]
    private static extern nint Map(nint address, nuint length, int protection, int flags, int file, nint offset);

    [DllImport("libc", EntryPoint = "mprotect")]
    private static extern int Protect(nint address, nuint length, int protection);

    [DllImport("libc", EntryPoint = "munmap")]
    private static extern int Unmap(nint address, nuint length);
}

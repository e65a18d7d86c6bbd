using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Aerie.Lua.Native;

/// Memory for emitted machine instructions: written once, then sealed. It is never writable and executable at once.
internal sealed unsafe partial class CodePages : IDisposable
{
    private const int ReadWrite = 3;
    private const int ReadExecute = 5;
    private const int PrivateAnonymous = 0x22;

    private readonly nuint _length;

    private CodePages(nint start, nuint length)
    {
        Start = start;
        _length = length;
    }

    public nint Start { get; }

    /// Null: this machine runs other instructions than x64, or the system gives no memory.
    public static CodePages? TryReserve(int length)
    {
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64)
        {
            return null;
        }

        var start = Map(0, (nuint)length, ReadWrite, PrivateAnonymous, -1, 0);
        return start == -1 ? null : new CodePages(start, (nuint)length);
    }

    /// Until it is sealed.
    public Span<byte> Code(int offset, int length) => new((byte*)Start + offset, length);

    /// False: the system does not let programs make code; the pages are gone.
    public bool TrySeal()
    {
        if (Protect(Start, _length, ReadExecute) == 0)
        {
            return true;
        }

        Dispose();
        return false;
    }

    public void Dispose()
    {
        if (Unmap(Start, _length) != 0)
        {
            throw new Win32Exception(Marshal.GetLastSystemError());
        }
    }

    [DllImport("libc", EntryPoint = "mmap")]
    private static extern nint Map(nint address, nuint length, int protection, int flags, int file, nint offset);

    [DllImport("libc", EntryPoint = "mprotect")]
    private static extern int Protect(nint address, nuint length, int protection);

    [DllImport("libc", EntryPoint = "munmap")]
    private static extern int Unmap(nint address, nuint length);
}

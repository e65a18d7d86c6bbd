using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

[assembly: DisableRuntimeMarshalling]

namespace Aerie.Lua.Native;

/// The native Lua 5.4 library: the one that lies beside the program, else the system's.
internal static class LuaLibrary
{
    public const string Name = "lua54";

    private const string SystemName = "liblua5.4.so.0";

    /// Asking for it makes Name resolvable: nothing of LuaApi may be called before.
    public static readonly nint Handle = Open();

    public static nint Export(string name) => NativeLibrary.GetExport(Handle, name);

    private static nint Open()
    {
        var handle = Load();
        NativeLibrary.SetDllImportResolver(
            typeof(LuaLibrary).Assembly, (name, _, _) => name == Name ? handle : nint.Zero);
        return handle;
    }

    private static nint Load()
    {
        var ownFile = Path.Combine(
            AppContext.BaseDirectory,
            "runtimes",
            $"linux-{(RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "arm64" : "x64")}",
            "native",
            "liblua54.so");
        if (File.Exists(ownFile) && NativeLibrary.TryLoad(ownFile, out var handle))
        {
            return handle;
        }

        return NativeLibrary.TryLoad(SystemName, out handle)
            ? handle
            : throw new DllNotFoundException($"neither {ownFile} nor {SystemName} can be loaded: users' functions need Lua 5.4");
    }
}

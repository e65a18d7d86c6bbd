using System.Runtime.InteropServices;
using Aerie.Foundation;

namespace Aerie.Memory.Compression;

/// Numbers lie in stored images and never change.
public enum CompressionAlgorithm : byte
{
    None = 0,
    Lz4 = 1,
    Snappy = 2,
    Zstd = 3,
}

/// The compression libraries of the system, looked up once at start. One that is missing matters only to who needs it:
/// Require says so in the operator's words. A library that was found stays loaded until the process ends.
public sealed class CompressionLibraries
{
    private static readonly (string Name, string File, string Package)[] Known =
    [
        ("none", "", ""),
        ("lz4", "liblz4.so.1", "liblz4-1"),
        ("snappy", "libsnappy.so.1", "libsnappy1v5"),
        ("zstd", "libzstd.so.1", "libzstd1"),
    ];

    private readonly nint[] _handles = new nint[Known.Length];

    private CompressionLibraries(Func<string, string> pathOf)
    {
        for (var algorithm = CompressionAlgorithm.Lz4; algorithm <= CompressionAlgorithm.Zstd; algorithm++)
        {
            if (NativeLibrary.TryLoad(pathOf(Known[(int)algorithm].File), out var handle) && IsUsable(algorithm, handle))
            {
                _handles[(int)algorithm] = handle;
            }
        }
    }

    public static CompressionLibraries Load() => new(file => file);

    /// Looks for each file under another name: how tests take a library away.
    internal static CompressionLibraries Load(Func<string, string> pathOf) => new(pathOf);

    public bool Has(CompressionAlgorithm algorithm) => algorithm == CompressionAlgorithm.None || _handles[(int)algorithm] != 0;

    /// Throws when the library is missing, with the package that brings it.
    public void Require(CompressionAlgorithm algorithm)
    {
        if (Lack(algorithm) is { } line)
        {
            throw new MissingLibraryException(line);
        }
    }

    /// What to say when the library is missing; null: it is there.
    public string? Lack(CompressionAlgorithm algorithm)
    {
        if (Has(algorithm))
        {
            return null;
        }

        var (name, file, package) = Known[(int)algorithm];
        return $"compression {name} needs the system's library {file}, which is missing or unusable here: "
            + $"install the Debian package {package}";
    }

    public Compressor Create(CompressionAlgorithm algorithm)
    {
        Require(algorithm);
        return Create(algorithm, _handles[(int)algorithm]);
    }

    /// A file of the right name may be of another make; the first compressor tells.
    private static bool IsUsable(CompressionAlgorithm algorithm, nint handle)
    {
        try
        {
            Create(algorithm, handle).Dispose();
            return true;
        }
        catch (EntryPointNotFoundException)
        {
            return false;
        }
    }

    private static Compressor Create(CompressionAlgorithm algorithm, nint handle)
    {
        Invariant.Holds(algorithm is CompressionAlgorithm.Lz4 or CompressionAlgorithm.Snappy or CompressionAlgorithm.Zstd);
        return algorithm switch
        {
            CompressionAlgorithm.Lz4 => new Lz4Compressor(handle),
            CompressionAlgorithm.Snappy => new SnappyCompressor(handle),
            _ => new ZstdCompressor(handle),
        };
    }
}

/// A library of the system that the configuration or the stored data needs is not there.
public sealed class MissingLibraryException(string message) : Exception(message);

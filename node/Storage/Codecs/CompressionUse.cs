using Aerie.Memory.Compression;

namespace Aerie.Storage.Codecs;

/// A set of algorithms. The numbers lie in the metadata of devices and never change.
[Flags]
public enum CompressionUse : uint
{
    None = 0,
    Lz4 = 1 << CompressionAlgorithm.Lz4,
    Snappy = 1 << CompressionAlgorithm.Snappy,
    Zstd = 1 << CompressionAlgorithm.Zstd,
    All = Lz4 | Snappy | Zstd,
}

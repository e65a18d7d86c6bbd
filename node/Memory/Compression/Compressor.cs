namespace Aerie.Memory.Compression;

/// One algorithm with its working memory: for one thread at a time, no managed allocation per call. What it decompresses
/// may come from a damaged or forged device, so the result is bounded by the target and never trusted.
public abstract class Compressor : IDisposable
{
    /// Returns the compressed length, or 0 when that does not fit into the target. The effort means what the algorithm
    /// takes: zstd its level, lz4 its acceleration (0 is the default of both), snappy nothing.
    public abstract int Compress(ReadOnlySpan<byte> raw, Span<byte> into, int effort);

    /// True when the input is complete and fills the target exactly. Otherwise the target's content is undefined.
    public abstract bool TryDecompress(ReadOnlySpan<byte> compressed, Span<byte> raw);

    public abstract void Dispose();
}

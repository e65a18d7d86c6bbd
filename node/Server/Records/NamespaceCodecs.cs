using Aerie.Storage.Codecs;

namespace Aerie.Server.Records;

/// The codecs of a persistent namespace: each worker has one of its own, made when it is first needed.
internal sealed class NamespaceCodecs(ImageCoding coding, int workers) : IDisposable
{
    private readonly ImageCodec?[] _codecs = new ImageCodec?[workers];

    public ImageCoding Coding => coding;

    /// What images take on the device, against what they would take as they are. At most 1: what encryption adds does not count.
    public double CompressionRatio
    {
        get
        {
            var plain = _codecs.Sum(static codec => codec?.PlainBytes ?? 0);
            return plain == 0 ? 1 : Math.Min(1, _codecs.Sum(static codec => codec?.EncodedBytes ?? 0) / (double)plain);
        }
    }

    /// Returns the length of what is stored. Room for Coding.EncodedLengthMax.
    public int Encode(Worker worker, ReadOnlySpan<byte> plain, Span<byte> into) => Of(worker).Encode(plain, into);

    /// The result lies in the worker's scratch memory until it decodes another one.
    public bool TryDecode(Worker worker, scoped ReadOnlySpan<byte> stored, uint seed, out ReadOnlySpan<byte> plain)
    {
        plain = default;
        var length = ImageCoding.DecodedLength(stored);
        if (length == 0)
        {
            return false;
        }

        var target = worker.Scratch.Read(length);
        if (!Of(worker).TryDecode(stored, target, out length, seed))
        {
            return false;
        }

        plain = target[..length];
        return true;
    }

    public void Dispose()
    {
        foreach (var codec in _codecs)
        {
            codec?.Dispose();
        }
    }

    private ImageCodec Of(Worker worker) => _codecs[worker.Number] ??= new ImageCodec(coding);
}

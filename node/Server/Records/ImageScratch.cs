using Aerie.Memory;
using Aerie.Storage;

namespace Aerie.Server.Records;

/// Where one worker keeps images that pass through a codec: the one that its command reads, and the one that it is about
/// to write instead. Address space for the largest image each, filled as it is touched; nothing until it is needed.
public sealed class ImageScratch : IDisposable
{
    private NativeRegion? _read;
    private NativeRegion? _written;

    public Span<byte> Read(int length) => Area(ref _read, length);

    public Span<byte> Written(int length) => Area(ref _written, length);

    public void Dispose()
    {
        _read?.Dispose();
        _written?.Dispose();
    }

    private static Span<byte> Area(ref NativeRegion? area, int length) =>
        (area ??= NativeRegion.Reserve(RecordImage.LengthMax, hugePages: false)).Span(0, length);
}

using System.Runtime.InteropServices;

namespace Aerie.Memory.Compression;

/// libsnappy by its C functions. They insist on room for the worst case, which a target that must shrink does not have:
/// so the result is made in memory of its own, which grows with the longest input and stays.
internal sealed unsafe class SnappyCompressor(nint library) : Compressor
{
    private readonly delegate* unmanaged<byte*, nuint, byte*, nuint*, int> _compress =
        (delegate* unmanaged<byte*, nuint, byte*, nuint*, int>)NativeLibrary.GetExport(library, "snappy_compress");

    private readonly delegate* unmanaged<byte*, nuint, byte*, nuint*, int> _decompress =
        (delegate* unmanaged<byte*, nuint, byte*, nuint*, int>)NativeLibrary.GetExport(library, "snappy_uncompress");

    private readonly delegate* unmanaged<nuint, nuint> _lengthMax =
        (delegate* unmanaged<nuint, nuint>)NativeLibrary.GetExport(library, "snappy_max_compressed_length");

    private byte* _result;
    private nuint _room;

    public override int Compress(ReadOnlySpan<byte> raw, Span<byte> into, int effort)
    {
        var length = _lengthMax((nuint)raw.Length);
        if (length > _room)
        {
            _result = (byte*)NativeMemory.Realloc(_result, length);
            _room = length;
        }

        fixed (byte* from = raw)
        {
            length = _room;
            if (_compress(from, (nuint)raw.Length, _result, &length) != 0 || length > (nuint)into.Length)
            {
                return 0;
            }
        }

        new ReadOnlySpan<byte>(_result, (int)length).CopyTo(into);
        return (int)length;
    }

    public override bool TryDecompress(ReadOnlySpan<byte> compressed, Span<byte> raw)
    {
        fixed (byte* from = compressed)
        fixed (byte* to = raw)
        {
            var length = (nuint)raw.Length;
            return _decompress(from, (nuint)compressed.Length, to, &length) == 0 && length == (nuint)raw.Length;
        }
    }

    public override void Dispose()
    {
        NativeMemory.Free(_result);
        _result = null;
        _room = 0;
    }
}

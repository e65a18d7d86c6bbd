using System.Runtime.InteropServices;

namespace Aerie.Memory.Compression;

/// liblz4's block format. The stream calls are used for single blocks because they alone can skip clearing the hash table
/// of 16 KiB, which would cost more than compressing a small record.
internal sealed unsafe class Lz4Compressor : Compressor
{
    private readonly delegate* unmanaged<void*, nuint, void*> _initialise;
    private readonly delegate* unmanaged<void*, void> _reset;
    private readonly delegate* unmanaged<void*, byte*, byte*, int, int, int, int> _compress;
    private readonly delegate* unmanaged<byte*, byte*, int, int, int> _decompress;
    private readonly nuint _stateLength;
    private void* _state;

    public Lz4Compressor(nint library)
    {
        _initialise = (delegate* unmanaged<void*, nuint, void*>)NativeLibrary.GetExport(library, "LZ4_initStream");
        _reset = (delegate* unmanaged<void*, void>)NativeLibrary.GetExport(library, "LZ4_resetStream_fast");
        _compress = (delegate* unmanaged<void*, byte*, byte*, int, int, int, int>)
            NativeLibrary.GetExport(library, "LZ4_compress_fast_continue");
        _decompress = (delegate* unmanaged<byte*, byte*, int, int, int>)NativeLibrary.GetExport(library, "LZ4_decompress_safe");
        _stateLength = (nuint)((delegate* unmanaged<int>)NativeLibrary.GetExport(library, "LZ4_sizeofState"))();
        _state = NativeMemory.AlignedAlloc(_stateLength, 64);
        _initialise(_state, _stateLength);
    }

    public override int Compress(ReadOnlySpan<byte> raw, Span<byte> into, int effort)
    {
        ObjectDisposedException.ThrowIf(_state == null, this);
        fixed (byte* from = raw)
        fixed (byte* to = into)
        {
            _reset(_state);
            var length = _compress(_state, from, to, raw.Length, into.Length, effort);
            if (length <= 0)
            {
                _initialise(_state, _stateLength); // a stream that failed must not be reset the quick way
            }

            return Math.Max(length, 0);
        }
    }

    public override bool TryDecompress(ReadOnlySpan<byte> compressed, Span<byte> raw)
    {
        fixed (byte* from = compressed)
        fixed (byte* to = raw)
        {
            return _decompress(from, to, compressed.Length, raw.Length) == raw.Length;
        }
    }

    public override void Dispose()
    {
        NativeMemory.AlignedFree(_state);
        _state = null;
    }
}

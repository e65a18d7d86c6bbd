using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Aerie.Protocol;

/// One bin operation of a request. Code and type are raw bytes: whether they are known is for the command to say.
public readonly ref struct Op
{
    /// Fixed part of an operation: size, code, particle type, flags, name length.
    public const int HeaderLength = 8;

    /// The size on the wire counts what follows it.
    public const int HeaderLengthCounted = 4;

    public byte Code { get; init; }

    public byte ParticleType { get; init; }

    public ReadOnlySpan<byte> Name { get; init; }

    public ReadOnlySpan<byte> Value { get; init; }

    /// Where the name begins, counted from the start of the bytes given to Ops.
    public int NameOffset { get; init; }

    public int ValueOffset { get; init; }
}

/// Walks the operations of a request in order. Stops and says so when a length lies; nothing is read out of bounds.
public ref struct Ops
{
    private const int LastUpdateTimeFlag = 1;
    private const int LastUpdateTimeLength = 8;

    private readonly ReadOnlySpan<byte> _bytes;
    private int _offset;
    private int _left;

    public Ops(ReadOnlySpan<byte> bytes, int count)
    {
        _bytes = bytes;
        _left = count;
    }

    public readonly int Count => _left;

    /// Bytes walked over so far.
    public readonly int Offset => _offset;

    public bool Malformed { get; private set; }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryNext(out Op op)
    {
        if (_left == 0)
        {
            op = default;
            return false;
        }

        _left--;
        var bytes = _bytes[_offset..];
        if (bytes.Length < Op.HeaderLength)
        {
            return Fail(out op);
        }

        var size = BinaryPrimitives.ReadUInt32BigEndian(bytes);
        int nameLength = bytes[7];
        var valueStart = Op.HeaderLength + nameLength + ((bytes[6] & LastUpdateTimeFlag) != 0 ? LastUpdateTimeLength : 0);
        if (size > (uint)(bytes.Length - Op.HeaderLengthCounted) || size + Op.HeaderLengthCounted < (uint)valueStart)
        {
            return Fail(out op);
        }

        var end = (int)size + Op.HeaderLengthCounted;
        op = new Op
        {
            Code = bytes[4],
            ParticleType = bytes[5],
            Name = bytes.Slice(Op.HeaderLength, nameLength),
            Value = bytes[valueStart..end],
            NameOffset = _offset + Op.HeaderLength,
            ValueOffset = _offset + valueStart,
        };
        _offset += end;
        return true;
    }

    /// True when all operations lie inside the bytes; tells how many bytes they take.
    public static bool TryMeasure(ReadOnlySpan<byte> bytes, int count, out int length)
    {
        var ops = new Ops(bytes, count);
        while (ops.TryNext(out _))
        {
        }

        length = ops._offset;
        return !ops.Malformed;
    }

    private bool Fail(out Op op)
    {
        op = default;
        Malformed = true;
        _left = 0;
        return false;
    }
}

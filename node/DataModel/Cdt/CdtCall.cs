using System.Buffers.Binary;
using Aerie.DataModel.Packed;
using Aerie.Foundation;

namespace Aerie.DataModel.Cdt;

/// The arguments of a call, packed as they came, each of the kind that the table asks for.
internal readonly ref struct CdtArguments
{
    public const int Max = 4;

    private readonly ReadOnlySpan<byte> _bytes;
    private readonly int _end0;
    private readonly int _end1;
    private readonly int _end2;
    private readonly int _end3;

    private CdtArguments(ReadOnlySpan<byte> bytes, int count, scoped ReadOnlySpan<int> ends)
    {
        _bytes = bytes;
        Count = count;
        (_end0, _end1, _end2, _end3) = (ends[0], ends[1], ends[2], ends[3]);
    }

    public int Count { get; }

    public ReadOnlySpan<byte> this[int index] => index switch
    {
        0 => _bytes[.._end0],
        1 => _bytes[_end0.._end1],
        2 => _bytes[_end1.._end2],
        _ => _bytes[_end2.._end3],
    };

    public static bool TryRead(ReadOnlySpan<byte> bytes, int count, CdtOperation operation, out CdtArguments arguments)
    {
        arguments = default;
        if (count < operation.Required || count > operation.Shape.Length)
        {
            return false;
        }

        Span<int> ends = stackalloc int[Max];
        var offset = 0;
        for (var i = 0; i < count; i++)
        {
            var start = offset;
            offset = PackedSkip.Skip(bytes, offset);
            if (offset < 0 || !Is(bytes[start..offset], operation.Shape[i]))
            {
                return false;
            }

            ends[i] = offset;
        }

        arguments = new CdtArguments(bytes, count, ends);
        return true;
    }

    /// The same arguments with everything ordered that is called so. False: they do not fit into memory for one record.
    public bool TryClean(CdtOperation operation, CdtScratch scratch, out CdtArguments clean)
    {
        scratch.Clean.Clear();
        for (var i = 0; i < Count; i++)
        {
            CdtWire.Clean(this[i], scratch.Clean, scratch);
        }

        clean = default;
        return !scratch.Clean.Overflowed && TryRead(scratch.Clean.Read(0, scratch.Clean.Length), Count, operation, out clean);
    }

    /// The argument as an integer; the given number where the call ends before it.
    public long Integer(int index, long missing)
    {
        if (index >= Count)
        {
            return missing;
        }

        new PackedReader(this[index]).TryInteger(out var value);
        return value;
    }

    /// A number of elements. Left out, or below zero as clients send it for "all", it has no limit.
    public long Number(int index) => Integer(index, -1) is >= 0 and var number ? number : long.MaxValue;

    private static bool Is(ReadOnlySpan<byte> value, CdtArgument kind)
    {
        if (kind == CdtArgument.Value)
        {
            return true;
        }

        var read = new PackedReader(value).TryRead(out var item);
        return read && item.Kind == kind switch
        {
            CdtArgument.List => PackedKind.List,
            CdtArgument.Map => PackedKind.Map,
            _ => PackedKind.Integer,
        };
    }
}

/// A call read: what to do, where, with what.
internal ref struct CdtCall
{
    public CdtOperation Operation { get; init; }

    /// The elements of the path, two for each item; empty: the bin itself.
    public ReadOnlySpan<byte> Path { get; init; }

    public int PathItems { get; init; }

    public CdtArguments Arguments { get; set; }

    /// [0xFE, …]: these calls are not of the table.
    public static bool IsByPathExpressions(ReadOnlySpan<byte> call) =>
        call.Length > 2 && (call[0] & 0xF0) == 0x90 && call[1] == 0xCC && call[2] == CdtOperations.ByPathExpressions;

    public static bool TryRead(ReadOnlySpan<byte> call, out CdtCall read)
    {
        read = default;
        if (call.Length >= 2 && call[0] == 0)
        {
            return TryReadOld(call, out read);
        }

        var reader = new PackedReader(call);
        if (!TryReadHead(ref reader, out var count, out var code))
        {
            return false;
        }

        ReadOnlySpan<byte> path = default;
        var items = 0;
        if (code == CdtOperations.AtPath)
        {
            if (count != 2 || !TryReadPath(ref reader, out path, out items) || !TryReadHead(ref reader, out count, out code))
            {
                return false;
            }
        }

        var rest = call[reader.Offset..];
        if (CdtOperations.Find(code) is not { } operation || !CdtArguments.TryRead(rest, count, operation, out var arguments))
        {
            return false;
        }

        read = new CdtCall { Operation = operation, Path = path, PathItems = items, Arguments = arguments };
        return true;
    }

    // The first clients sent the code as two bytes, then a list of the arguments, or nothing when there were none.
    private static bool TryReadOld(ReadOnlySpan<byte> call, out CdtCall read)
    {
        read = default;
        var count = 0;
        var reader = new PackedReader(call, 2);
        if (!reader.IsAtEnd)
        {
            if (!reader.TryRead(out var list) || list.Kind != PackedKind.List)
            {
                return false;
            }

            count = list.Count;
        }

        if (CdtOperations.Find(BinaryPrimitives.ReadUInt16BigEndian(call)) is not { } operation
            || !CdtArguments.TryRead(call[reader.Offset..], count, operation, out var arguments))
        {
            return false;
        }

        read = new CdtCall { Operation = operation, Arguments = arguments };
        return true;
    }

    private static bool TryReadHead(ref PackedReader reader, out int count, out long code)
    {
        code = 0;
        count = 0;
        if (!reader.TryRead(out var list) || list.Kind != PackedKind.List || list.Count == 0)
        {
            return false;
        }

        count = list.Count - 1;
        return reader.TryInteger(out code);
    }

    private static bool TryReadPath(scoped ref PackedReader reader, out ReadOnlySpan<byte> path, out int items)
    {
        items = 0;
        return reader.TryTake(out path) && CdtPath.TryOpen(path, out path, out items);
    }
}

using Aerie.DataModel.Bins;
using Aerie.DataModel.Packed;

namespace Aerie.DataModel.Cdt;

/// The children of a list or map, one after the other, as they lie.
public ref struct CdtChildren(PackedContainer container)
{
    private readonly ReadOnlySpan<byte> _bytes = container.Bytes;
    private readonly bool _isMap = container.IsMap;
    private int _left = container.Count;
    private int _offset = container.First;

    /// Children passed so far, less one: the position of the last one.
    public int Position { get; private set; } = -1;

    /// False: there are no more, or they are broken. Children of lists have an empty key.
    public bool TryNext(out ReadOnlySpan<byte> key, out ReadOnlySpan<byte> value)
    {
        key = default;
        value = default;
        var middle = _left == 0 ? -1 : _isMap ? PackedSkip.Skip(_bytes, _offset) : _offset;
        var end = middle < 0 ? -1 : PackedSkip.Skip(_bytes, middle);
        if (end < 0)
        {
            _left = 0;
            return false;
        }

        key = _bytes[_offset..middle];
        value = _bytes[middle..end];
        _offset = end;
        _left--;
        Position++;
        return true;
    }
}

/// Makes a list or map whose children are not known beforehand. Between Begin and End nothing else may be written to the output but
/// children, each begun and ended itself where it is one.
public struct CdtBuilder
{
    private readonly GrowingBytes _output;
    private readonly bool _isMap;
    private readonly byte _flags;
    private readonly int _start;

    private CdtBuilder(GrowingBytes output, bool isMap, byte flags) =>
        (_output, _isMap, _flags, _start) = (output, isMap, flags, output.Length);

    public int Count { get; private set; }

    /// `flags`: of CdtFlags. Children of an ordered list may come in any order, those of an ordered map in order of their keys.
    public static CdtBuilder Begin(GrowingBytes output, bool isMap, byte flags) => new(output, isMap, flags);

    public void Add(ReadOnlySpan<byte> value)
    {
        _output.Append(value);
        Count++;
    }

    public void Add(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        _output.Append(key);
        Add(value);
    }

    /// A child that was written to the output without Add, with its key before it in a map.
    public void Added() => Count++;

    public readonly void End(CdtScratch scratch)
    {
        if (_output.Overflowed)
        {
            return;
        }

        var head = scratch.OtherWork;
        head.Clear();
        CdtHead.Write(head, _isMap, Count, _flags);
        _output.Replace(_start, 0, head.Read(0, head.Length));
        CdtOrder.SortWritten(_output, _start, scratch);
    }
}

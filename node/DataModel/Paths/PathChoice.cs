using Aerie.DataModel.Cdt;
using Aerie.DataModel.Expressions;
using Aerie.DataModel.Packed;
using Aerie.Foundation;

namespace Aerie.DataModel.Paths;

/// Which children of one container a step chooses, before its conditions are asked.
internal ref struct PathChoice
{
    private ReadOnlySpan<byte> _keys;
    private PackedReader _next;
    private ReadOnlySpan<byte> _key;
    private CdtSpot _spot;
    private bool _isOrdered;
    private long _kind;

    /// At most one child, known by its place.
    public readonly bool IsOne => _kind is not (PathStep.Children or PathStep.KeysIn);

    public readonly int Position => _spot.IsFound ? _spot.Position : -1;

    /// False: the step cannot be taken in such a container.
    public static bool TryBegin(
        scoped in ExpNode step, ReadOnlySpan<byte> program, scoped in PackedContainer container, CdtScratch scratch, out PathChoice choice)
    {
        choice = new PathChoice { _kind = step.Bits, _isOrdered = container.IsOrdered };
        if (step.Bits == PathStep.Children)
        {
            return true;
        }

        var argument = program.Slice(step.Offset, step.Length);
        if (step.Bits == PathStep.KeysIn)
        {
            choice._keys = argument;
            choice.Rewind();
            return container.IsMap;
        }

        var item = new CdtPathItem { Type = (int)step.Bits };
        return item.OnMap == container.IsMap
            && CdtFinder.Find(container, item.Selector, argument, scratch, out choice._spot) == ResultCode.Ok;
    }

    /// Asked for one child after the other, as they lie.
    public bool Has(scoped ReadOnlySpan<byte> key, int position) => _kind switch
    {
        PathStep.Children => true,
        PathStep.KeysIn => HasKey(key),
        _ => position == Position,
    };

    /// The one child.
    public readonly bool TryShow(scoped in PackedContainer container, out ReadOnlySpan<byte> key, out ReadOnlySpan<byte> value)
    {
        key = _spot.IsFound ? container.Bytes[_spot.Start.._spot.ValueStart] : default;
        value = _spot.IsFound ? container.Bytes[_spot.ValueStart.._spot.End] : default;
        return _spot.IsFound;
    }

    // The keys asked for are in order. In an ordered map both are walked side by side; elsewhere they are walked for each child.
    private bool HasKey(scoped ReadOnlySpan<byte> key)
    {
        if (!_isOrdered)
        {
            Rewind();
        }

        while (!_key.IsEmpty)
        {
            var order = PackedOrder.Compare(_key, key);
            if (order >= 0)
            {
                return order == 0;
            }

            Advance();
        }

        return false;
    }

    private void Rewind()
    {
        _next = new PackedReader(_keys);
        Advance();
    }

    private void Advance()
    {
        if (_next.IsAtEnd || !_next.TryTake(out _key))
        {
            _key = default;
        }
    }
}

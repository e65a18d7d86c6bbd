using Aerie.DataModel.Packed;
using Aerie.Foundation;

namespace Aerie.DataModel.Cdt;

/// Which elements an operation selects: a mark for each position.
internal ref struct CdtSelection(CdtElements elements, CdtScratch scratch)
{
    /// Values with wildcards must each be compared with each element: more than these in one call are refused.
    private const int PatternsMax = 64;

    private readonly CdtElements _elements = elements;
    private readonly Span<bool> _marks = scratch.Mask(elements.Count);

    public readonly CdtElements Elements => _elements;

    public readonly CdtScratch Scratch => scratch;

    /// Marked elements.
    public int Count { get; private set; }

    /// Selected by value: maps answer such elements by rank, lists their ranks.
    public bool IsByRank { get; private set; }

    /// Ranks in the order of the values that were asked for; empty where that is not the order of the answer.
    public ReadOnlySpan<int> AskedRanks { get; private set; }

    /// The ranks from Start on of a list without order; nothing where the values asked for come in order of their index.
    public (int Start, int Count) RanksOfUnordered { get; private set; }

    public readonly bool Has(int position) => _marks[position];

    public void Invert()
    {
        for (var i = 0; i < _marks.Length; i++)
        {
            _marks[i] = !_marks[i];
        }

        Count = _marks.Length - Count;
        RanksOfUnordered = default;
    }

    public ResultCode Pick(CdtOperation operation, in CdtArguments arguments, bool asksRanks)
    {
        var first = operation.FirstArgument;
        switch (operation.Selector)
        {
            case CdtSelector.IndexRange:
                return PickIndexRange(operation, arguments.Integer(first, 0), arguments.Number(first + 1));
            case CdtSelector.RankRange:
                IsByRank = true;
                MarkRange(CdtSearch.Clip(arguments.Integer(first, 0), arguments.Number(first + 1), _elements.Count), byRank: true);
                return ResultCode.Ok;
            case CdtSelector.AllByValue:
                IsByRank = true;
                PickInterval(arguments[first], arguments[first], hasEnd: true, byKey: false, equal: true);
                return ResultCode.Ok;
            case CdtSelector.ValueInterval or CdtSelector.KeyInterval:
                var byKey = operation.Selector == CdtSelector.KeyInterval;
                var hasEnd = arguments.Count > first + 1;
                IsByRank = !byKey;
                PickInterval(arguments[first], hasEnd ? arguments[first + 1] : default, hasEnd, byKey, equal: false);
                return ResultCode.Ok;
            case CdtSelector.KeyRelativeIndex or CdtSelector.ValueRelativeRank:
                IsByRank = operation.Selector == CdtSelector.ValueRelativeRank;
                PickRelative(arguments[first], arguments.Integer(first + 1, 0), arguments.Number(first + 2));
                return ResultCode.Ok;
            default:
                return PickList(arguments[first], operation.Selector == CdtSelector.KeyList, asksRanks);
        }
    }

    private ResultCode PickIndexRange(CdtOperation operation, long start, long length)
    {
        if (operation.Code == CdtOperations.ListTrim && start >= _elements.Count && _elements.Count > 0)
        {
            return ResultCode.OpNotApplicable; // it would leave nothing, which nobody means
        }

        MarkRange(CdtSearch.Clip(start, length, _elements.Count), byRank: false);
        return ResultCode.Ok;
    }

    private void MarkRange((int Start, int Count) range, bool byRank)
    {
        var isAsStored = _elements.IsOrdered ? !(_elements.IsMap && byRank) : !(_elements.IsMap || byRank);
        if (isAsStored)
        {
            _marks.Slice(range.Start, range.Count).Fill(true);
        }
        else
        {
            var order = byRank ? _elements.ByRank(scratch) : _elements.ByIndex(scratch);
            foreach (var position in order.Slice(range.Start, range.Count))
            {
                _marks[position] = true;
            }

            RanksOfUnordered = byRank && !_elements.IsMap ? range : default;
        }

        Count = range.Count;
    }

    // Elements from `begin` on and before `end`; or those equal to `begin`.
    private void PickInterval(ReadOnlySpan<byte> begin, ReadOnlySpan<byte> end, bool hasEnd, bool byKey, bool equal)
    {
        var isPattern = PackedOrder.HasWildcard(begin) || PackedOrder.HasWildcard(end);
        if (_elements.IsOrdered && byKey == _elements.IsMap && !isPattern)
        {
            var from = _elements.Bound(begin, behindEqual: false);
            var to = equal ? _elements.Bound(begin, behindEqual: true)
                : hasEnd ? Math.Max(from, _elements.Bound(end, behindEqual: false)) : _elements.Count;
            MarkRange((from, to - from), byRank: false);
            return;
        }

        for (var i = 0; i < _elements.Count; i++)
        {
            var element = byKey ? _elements.Key(i) : _elements.Value(i);
            var order = PackedOrder.CompareToPattern(element, begin);
            if (equal ? order == 0 : order >= 0 && (!hasEnd || PackedOrder.CompareToPattern(element, end) < 0))
            {
                Mark(i);
            }
        }
    }

    // A range that begins at the place that the value has, or would have.
    private void PickRelative(ReadOnlySpan<byte> value, long offset, long length)
    {
        var place = 0L;
        for (var i = 0; i < _elements.Count; i++)
        {
            place += PackedOrder.Compare(IsByRank ? _elements.Value(i) : _elements.Key(i), value) < 0 ? 1 : 0;
        }

        var start = place + Math.Clamp(offset, int.MinValue, int.MaxValue);
        MarkRange(CdtSearch.ClipFixed(start, length, _elements.Count), IsByRank);
    }

    private ResultCode PickList(ReadOnlySpan<byte> list, bool byKey, bool asksRanks)
    {
        if (!PackedContainer.TryOpen(list, out var container) || !CdtElements.TryRead(container, scratch.ItemOffsets, out var items))
        {
            return ResultCode.Parameter;
        }

        if (!byKey && asksRanks)
        {
            return PickRanks(items);
        }

        IsByRank = !byKey;
        var patterns = 0;
        var isSearched = _elements.IsOrdered && byKey == _elements.IsMap;
        for (var i = 0; i < items.Count; i++)
        {
            var item = items.Value(i);
            if (PackedOrder.HasWildcard(item))
            {
                if (++patterns > PatternsMax)
                {
                    return ResultCode.Parameter;
                }

                PickPattern(item, byKey);
            }
            else if (isSearched)
            {
                MarkEqual(item);
            }
        }

        if (!isSearched)
        {
            PickThoseIn(items, byKey);
        }

        return ResultCode.Ok;
    }

    // All of them at once: a value that is asked for again costs nothing more.
    private void MarkEqual(scoped ReadOnlySpan<byte> item)
    {
        var from = _elements.Bound(item, behindEqual: false);
        if (from < _elements.Count && !_marks[from])
        {
            var to = _elements.Bound(item, behindEqual: true);
            for (; from < to; from++)
            {
                Mark(from);
            }
        }
    }

    private void PickPattern(scoped ReadOnlySpan<byte> pattern, bool byKey)
    {
        for (var i = 0; i < _elements.Count; i++)
        {
            if (PackedOrder.CompareToPattern(byKey ? _elements.Key(i) : _elements.Value(i), pattern) == 0)
            {
                Mark(i);
            }
        }
    }

    // Each element is looked for among the sorted items.
    private void PickThoseIn(scoped CdtElements items, bool byKey)
    {
        var order = items.InOrder(scratch.ItemOrder, scratch);
        for (var i = 0; i < _elements.Count; i++)
        {
            var element = byKey ? _elements.Key(i) : _elements.Value(i);
            var place = items.Bound(element, behindEqual: false, order);
            if (place < items.Count && PackedOrder.Compare(items.Value(order[place]), element) == 0)
            {
                Mark(i);
            }
        }
    }

    // The answer follows the values that were asked for, each once.
    private ResultCode PickRanks(scoped CdtElements items)
    {
        var ranks = scratch.Picks.Take(_elements.Count);
        var byRank = _elements.ByRank(scratch);
        var patterns = 0;
        for (var i = 0; i < items.Count; i++)
        {
            var item = items.Value(i);
            var isPattern = PackedOrder.HasWildcard(item);
            if (isPattern && ++patterns > PatternsMax)
            {
                return ResultCode.Parameter;
            }

            for (var rank = isPattern ? 0 : FirstRank(byRank, item); rank < byRank.Length; rank++)
            {
                var isEqual = PackedOrder.CompareToPattern(_elements.Value(byRank[rank]), item) == 0;
                if (isEqual && !_marks[byRank[rank]])
                {
                    ranks[Count] = rank;
                    Mark(byRank[rank]);
                }
                else if (!isPattern)
                {
                    break; // the rest is greater, or was found before
                }
            }
        }

        AskedRanks = ranks[..Count];
        return ResultCode.Ok;
    }

    private readonly int FirstRank(ReadOnlySpan<int> byRank, ReadOnlySpan<byte> value)
    {
        var (low, high) = (0, byRank.Length);
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (PackedOrder.Compare(_elements.Value(byRank[middle]), value) < 0)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }

    private void Mark(int position)
    {
        Count += _marks[position] ? 0 : 1;
        _marks[position] = true;
    }
}

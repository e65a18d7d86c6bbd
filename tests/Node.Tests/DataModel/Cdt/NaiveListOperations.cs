using Aerie.Foundation;

namespace Aerie.Node.Tests.DataModel.Cdt;

internal delegate (ResultCode Result, string Answer, HashSet<int> Selected) NaiveSelect(
    string selector, int returns, List<object?> arguments, List<object?>? keys, List<object?> values, bool isOrdered);

/// List operations on a List.
internal sealed class NaiveListOperations(NaiveList? list)
{
    private static readonly string[] Selectors =
        ["index", "value", "rank", "all by value", "value list", "index range", "value interval", "rank range", "rank from value"];

    private readonly List<object?> _items = list == null ? [] : [.. list.Items];

    public object? Result { get; private set; }

    public string Answer { get; private set; } = "-";

    private bool IsOrdered => list is { Flags: 1 };

    public ResultCode Run(int code, List<object?> call, NaiveSelect select)
    {
        var arguments = call[1..];
        var order = code is 1 or 2 ? list?.Flags ?? (int)Integer(arguments, 1) : 0;
        switch (code)
        {
            case 0:
                Result = Make(_items, (int)Integer(arguments, 0));
                return ResultCode.Ok;
            case 1:
                return Add([arguments[0]], _items.Count, (int)Integer(arguments, 2), order);
            case 2:
                return Add(((NaiveList)arguments[0]!).Items, _items.Count, (int)Integer(arguments, 2), order);
            case 3 or 4:
                var added = code == 3 ? [arguments[1]] : ((NaiveList)arguments[1]!).Items;
                var placed = Place(arguments, out var index);
                return placed == ResultCode.Ok ? Add(added, index, (int)Integer(arguments, 2), 0)
                    : Refuse(arguments, placed, $"{_items.Count}");
            case 9:
                return Set(arguments);
            case 11:
                Result = list == null ? null : Make([], list.Flags);
                return ResultCode.Ok;
            case 12:
                return Increment(arguments);
            case 13:
                return Sort((int)Integer(arguments, 0));
            case 16:
                Answer = list == null ? "-" : $"{_items.Count}";
                return ResultCode.Ok;
            default:
                return list == null ? ResultCode.Ok : Select(code, arguments, select);
        }
    }

    private ResultCode Select(int code, List<object?> arguments, NaiveSelect select)
    {
        var (selector, returns, rest) = code switch
        {
            5 or 17 => ("index", 7, arguments),
            6 or 18 => ("index range", 7, arguments),
            7 => ("index", 5, arguments),
            8 => ("index range", 5, arguments),
            10 => ("index range", 0x10005, arguments),
            _ => (Selectors[code < 32 ? code - 19 : code - 32], (int)Integer(arguments, 0), arguments[1..]),
        };
        if (code == 10 && Integer(arguments, 0) >= _items.Count && _items.Count > 0)
        {
            return ResultCode.OpNotApplicable;
        }

        var (result, answer, selected) = select(selector, returns, rest, null, _items, IsOrdered);
        if (result == ResultCode.Ok)
        {
            Answer = answer;
            if (code is < 16 or >= 32 && selected.Count > 0)
            {
                Result = Make([.. _items.Where((_, i) => !selected.Contains(i))], list!.Flags);
            }
        }

        return result;
    }

    private ResultCode Add(List<object?> added, int index, int flags, int order)
    {
        var accepted = new List<object?>();
        var refused = false;
        foreach (var item in added)
        {
            var isKnown = (flags & 1) != 0 && _items.Concat(accepted).Any(other => NaiveValues.Compare(other, item) == 0);
            refused |= isKnown;
            if (!isKnown)
            {
                accepted.Add(item);
            }
        }

        if (refused && (flags & 4) == 0)
        {
            return ResultCode.ElementExists;
        }

        if (refused && (flags & 8) == 0)
        {
            Answer = $"{_items.Count}";
            return ResultCode.Ok;
        }

        while (accepted.Count > 0 && _items.Count < index)
        {
            _items.Add(null);
        }

        _items.InsertRange(Math.Min(index, _items.Count), accepted);
        Result = Make(_items, order);
        Answer = $"{_items.Count}";
        return ResultCode.Ok;
    }

    private ResultCode Set(List<object?> arguments)
    {
        var result = Place(arguments, out var index);
        if (result != ResultCode.Ok)
        {
            return Refuse(arguments, result, "-");
        }

        var isUnique = (Integer(arguments, 2) & 1) != 0;
        if (isUnique && _items.Where((_, i) => i != index).Any(other => NaiveValues.Compare(other, arguments[1]) == 0))
        {
            return Refuse(arguments, ResultCode.ElementExists, "-");
        }

        Put(index, arguments[1]);
        Result = Make(_items, 0);
        return ResultCode.Ok;
    }

    private ResultCode Increment(List<object?> arguments)
    {
        var flags = (int)Integer(arguments, 3);
        var index = Integer(arguments, 0);
        index += index < 0 ? _items.Count : 0;
        if (index < 0 || (index > _items.Count && (flags & 2) != 0))
        {
            return ResultCode.OpNotApplicable;
        }

        var delta = arguments.Count > 1 ? arguments[1] ?? 1L : 1L;
        var old = index < _items.Count ? _items[(int)index] : delta is double ? 0.0 : (object)0L;
        if (delta is not (long or double) || old is not (long or double))
        {
            return ResultCode.Parameter;
        }

        object sum = old is long whole ? (object)(whole + (delta is long step ? step : (long)(double)delta))
            : (double)old + (delta is long more ? more : (double)delta);
        Answer = NaiveValues.Show(sum);
        if ((flags & 1) != 0 && _items.Where((_, i) => i != index).Any(other => NaiveValues.Compare(other, sum) == 0))
        {
            return (flags & 4) != 0 ? ResultCode.Ok : ResultCode.ElementExists;
        }

        var order = list?.Flags ?? (int)Integer(arguments, 2);
        if (order != 0 && index < _items.Count)
        {
            _items.RemoveAt((int)index);
        }

        Put(order != 0 ? _items.Count : (int)index, sum);
        Result = Make(_items, order);
        return ResultCode.Ok;
    }

    private ResultCode Sort(int flags)
    {
        if (list != null)
        {
            IEnumerable<object?> sorted = _items.Order(Comparer<object?>.Create(NaiveValues.Compare));
            if ((flags & 2) != 0)
            {
                sorted = sorted.Aggregate(new List<object?>(), (kept, item) =>
                    kept.Count > 0 && NaiveValues.Compare(kept[^1], item) == 0 ? kept : [.. kept, item]);
            }

            Result = Make([.. (flags & 1) != 0 && !IsOrdered ? sorted.Reverse() : sorted], list.Flags);
        }

        return ResultCode.Ok;
    }

    private ResultCode Place(List<object?> arguments, out int index)
    {
        var asked = Integer(arguments, 0);
        asked += asked < 0 ? _items.Count : 0;
        index = (int)asked;
        var isBounded = (Integer(arguments, 2) & 2) != 0;
        return IsOrdered || asked < 0 || (asked > _items.Count && isBounded) ? ResultCode.OpNotApplicable : ResultCode.Ok;
    }

    private ResultCode Refuse(List<object?> arguments, ResultCode result, string answer)
    {
        Answer = answer;
        return (Integer(arguments, 2) & 4) != 0 ? ResultCode.Ok : result;
    }

    private void Put(int index, object? value)
    {
        while (_items.Count <= index)
        {
            _items.Add(null);
        }

        _items[index] = value;
    }

    private static NaiveList Make(List<object?> items, int flags) =>
        new((flags & 1) != 0 ? [.. items.Order(Comparer<object?>.Create(NaiveValues.Compare))] : items, flags);

    private static long Integer(List<object?> arguments, int index) => arguments.Count > index ? (long)arguments[index]! : 0;
}

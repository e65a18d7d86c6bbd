namespace Aerie.Node.Tests.DataModel.Cdt;

/// Elements chosen among `values`, of maps with their `keys`.
internal sealed class NaiveSelection
{
    private readonly List<object?>? _keys;
    private readonly List<object?> _values;
    private readonly List<int> _byIndex;
    private readonly List<int> _byRank;
    private readonly bool _isOrdered;
    private List<int> _asked = [];

    public NaiveSelection(List<object?>? keys, List<object?> values, bool isOrdered)
    {
        (_keys, _values, _isOrdered) = (keys, values, isOrdered);
        var all = Enumerable.Range(0, values.Count).ToList();
        _byIndex = keys == null || isOrdered ? all : [.. all.OrderBy(i => keys[i], Comparer<object?>.Create(NaiveValues.Compare))];
        _byRank = [.. _byIndex.OrderBy(i => values[i], Comparer<object?>.Create(NaiveValues.Compare))];
    }

    public HashSet<int> Selected { get; private set; } = [];

    public void Invert() => Selected = [.. _byIndex.Except(Selected)];

    /// False: there is no such index or rank.
    public bool TryPick(string selector, List<object?> arguments)
    {
        var first = arguments[0];
        var count = _values.Count;
        switch (selector)
        {
            case "index" or "rank":
                var place = (long)first! < 0 ? (long)first + count : (long)first;
                if (place < 0 || place >= count)
                {
                    return false;
                }

                Selected = [(selector == "rank" ? _byRank : _byIndex)[(int)place]];
                return true;
            case "key":
                Selected = [.. _byIndex.Where(i => NaiveValues.Compare(_keys![i], first) == 0)];
                return true;
            case "value":
                Selected = [.. _byIndex.Where(i => NaiveValues.Match(_values[i], first) == 0).Take(1)];
                return true;
            case "index range" or "rank range":
                var start = (long)first! < 0 ? (long)first + count : (long)first;
                Range(selector == "rank range" ? _byRank : _byIndex, start, Number(arguments, 1));
                return true;
            case "all by value":
                Selected = [.. _byIndex.Where(i => NaiveValues.Match(_values[i], first) == 0)];
                return true;
            case "value interval" or "key interval":
                var of = selector == "key interval" ? _keys! : _values;
                Selected = [.. _byIndex.Where(i => NaiveValues.Match(of[i], first) >= 0
                    && (arguments.Count < 2 || NaiveValues.Match(of[i], arguments[1]) < 0))];
                return true;
            case "key list" or "value list":
                PickList(((NaiveList)first!).Items, selector == "key list" ? _keys! : _values);
                return true;
            case "rank from value":
                Range(_byRank, _values.Count(value => NaiveValues.Compare(value, first) < 0) + (long)arguments[1]!, Number(arguments, 2));
                return true;
            default:
                Range(_byIndex, _keys!.Count(key => NaiveValues.Compare(key, first) < 0) + (long)arguments[1]!, Number(arguments, 2));
                return true;
        }
    }

    public string AnswerOne(int returns)
    {
        var found = Selected.Count > 0;
        var position = found ? Selected.First() : -1;
        return returns switch
        {
            0 => "-",
            1 or 2 or 3 or 4 => found ? $"{PlaceOf(position, returns)}" : "-1",
            5 => found ? "1" : "0",
            6 => found ? Plain(_keys![position]) : "-",
            7 => found ? Plain(_values[position]) : "-",
            13 => found ? "true" : "false",
            _ => Pairs(found ? [position] : [], returns),
        };
    }

    public string AnswerAll(string selector, int returns, bool isInverted)
    {
        var byValue = selector is "rank range" or "value interval" or "all by value" or "value list" or "rank from value";
        var ofRank = returns is 3 or 4;
        var order = byValue && (_keys != null ? returns is not (16 or 17) : ofRank) ? _byRank : _byIndex;
        if (selector == "value list" && ofRank && !isInverted)
        {
            order = _asked;
        }

        var isUnorderedByRank = _keys == null && !_isOrdered && !isInverted && selector is "rank range" or "rank from value";
        if (isUnorderedByRank && returns == 7)
        {
            order = _byRank;
        }

        var chosen = order.Where(Selected.Contains).ToList();
        if (isUnorderedByRank && returns == 7 && chosen.Count > 0
            && order.IndexOf(chosen[0]) <= order.Count - 1 - order.IndexOf(chosen[^1]))
        {
            chosen.Reverse();
        }

        return returns switch
        {
            0 => "-",
            1 or 2 or 3 or 4 => $"[{string.Join(", ", chosen.Select(i => PlaceOf(i, returns)))}]",
            5 => $"{chosen.Count}",
            6 => $"[{string.Join(", ", chosen.Select(i => NaiveValues.Show(_keys![i])))}]",
            7 => $"[{string.Join(", ", chosen.Select(i => NaiveValues.Show(_values[i])))}]",
            13 => chosen.Count > 0 ? "true" : "false",
            _ => Pairs(chosen, returns),
        };
    }

    private static long Number(List<object?> arguments, int index) =>
        arguments.Count > index && (long)arguments[index]! >= 0 ? (long)arguments[index]! : long.MaxValue / 2;

    private static string Plain(object? value) => value == null ? "-" : NaiveValues.Show(value);

    private void Range(List<int> order, long start, long count) =>
        Selected = [.. order.Where((_, place) => place >= start && place < start + count)];

    private void PickList(List<object?> items, List<object?> of)
    {
        foreach (var item in items)
        {
            var equal = _byRank.Where(i => NaiveValues.Match(of[i], item) == 0 && !Selected.Contains(i)).ToList();
            _asked = [.. _asked, .. equal];
            Selected.UnionWith(equal);
        }
    }

    private int PlaceOf(int position, int returns)
    {
        var place = (returns is 3 or 4 ? _byRank : _byIndex).IndexOf(position);
        return returns is 2 or 4 ? _values.Count - 1 - place : place;
    }

    private string Pairs(List<int> positions, int returns)
    {
        var pairs = positions.Select(i => $"{NaiveValues.Show(_keys![i])}: {NaiveValues.Show(_values[i])}");
        return (returns == 8 ? "m8" : returns == 17 ? "k" : "") + $"{{{string.Join(", ", pairs)}}}";
    }
}

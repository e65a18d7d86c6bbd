using Aerie.Foundation;

namespace Aerie.Node.Tests.DataModel.Cdt;

/// Map operations on a list of pairs.
internal sealed class NaiveMapOperations(NaiveMap? map)
{
    private static readonly Dictionary<int, string> Selectors = new()
    {
        [76] = "key", [77] = "index", [78] = "value", [79] = "rank", [81] = "key list", [82] = "all by value", [83] = "value list",
        [84] = "key interval", [85] = "index range", [86] = "value interval", [87] = "rank range", [88] = "index from key",
        [89] = "rank from value", [97] = "key", [98] = "index", [99] = "value", [100] = "rank", [102] = "all by value",
        [103] = "key interval", [104] = "index range", [105] = "value interval", [106] = "rank range", [107] = "key list",
        [108] = "value list", [109] = "index from key", [110] = "rank from value",
    };

    private readonly List<(object? Key, object? Value)> _pairs = map == null ? [] : [.. map.Pairs];

    public object? Result { get; private set; }

    public string Answer { get; private set; } = "-";

    public ResultCode Run(int code, List<object?> call, NaiveSelect select)
    {
        var arguments = call[1..];
        switch (code)
        {
            case 64:
                Result = Make(_pairs, (int)Integer(arguments, 0));
                return ResultCode.Ok;
            case 65:
                return Put([(arguments[0], arguments[1])], (int)Integer(arguments, 2), 1);
            case 66:
                return Put(((NaiveMap)arguments[0]!).Pairs, (int)Integer(arguments, 1), 1);
            case 67:
                return Put([(arguments[0], arguments[1])], (int)Integer(arguments, 2), (int)Integer(arguments, 3));
            case 68:
                return Put(((NaiveMap)arguments[0]!).Pairs, (int)Integer(arguments, 1), (int)Integer(arguments, 2));
            case 69:
                return Put([(arguments[0], arguments[1])], 0, 2);
            case 70:
                return Put(((NaiveMap)arguments[0]!).Pairs, 0, 2);
            case 73 or 74:
                return Increment(arguments, code == 74);
            case 75:
                Result = map == null ? null : Make([], map.Flags);
                return ResultCode.Ok;
            case 96:
                Answer = map == null ? "-" : $"{_pairs.Count}";
                return ResultCode.Ok;
            default:
                return map == null ? ResultCode.Ok : Select(code, arguments, select);
        }
    }

    private ResultCode Select(int code, List<object?> arguments, NaiveSelect select)
    {
        var keys = _pairs.Select(pair => pair.Key).ToList();
        var values = _pairs.Select(pair => pair.Value).ToList();
        var (result, answer, selected) = select(Selectors[code], (int)Integer(arguments, 0), arguments[1..], keys, values, map!.Flags != 0);
        if (result == ResultCode.Ok)
        {
            Answer = answer;
            if (code < 96)
            {
                Result = Make([.. _pairs.Where((_, i) => !selected.Contains(i))], map.Flags);
            }
        }

        return result;
    }

    private ResultCode Put(List<(object? Key, object? Value)> added, int order, int flags)
    {
        var distinct = added.Where((pair, i) => !added.Skip(i + 1).Any(later => NaiveValues.Compare(later.Key, pair.Key) == 0)).ToList();
        if (distinct.Any(pair => pair.Key == null))
        {
            return ResultCode.Parameter;
        }

        var failures = distinct.Select(pair => Check(IndexOf(pair.Key) >= 0, flags)).ToList();
        var first = distinct.Select((pair, i) => (pair.Key, Failure: failures[i])).Where(entry => entry.Failure != ResultCode.Ok)
            .OrderBy(entry => entry.Key, Comparer<object?>.Create(NaiveValues.Compare)).Select(entry => entry.Failure).FirstOrDefault();
        if (first != ResultCode.Ok && (flags & 4) == 0)
        {
            return first;
        }

        var written = false;
        for (var i = 0; i < distinct.Count && (first == ResultCode.Ok || (flags & 8) != 0); i++)
        {
            if (failures[i] == ResultCode.Ok)
            {
                PutOne(distinct[i]);
                written = true;
            }
        }

        Result = written || (map == null && first == ResultCode.Ok) ? Make(_pairs, map?.Flags ?? order) : null;
        Answer = $"{_pairs.Count}";
        return ResultCode.Ok;
    }

    private ResultCode Increment(List<object?> arguments, bool isNegative)
    {
        var delta = arguments.Count > 1 ? arguments[1] ?? 1L : 1L;
        if (arguments[0] == null || delta is not (long or double))
        {
            return ResultCode.Parameter;
        }

        var index = IndexOf(arguments[0]);
        var old = index >= 0 ? _pairs[index].Value : delta is double ? 0.0 : (object)0L;
        if (old is not (long or double))
        {
            return ResultCode.Parameter;
        }

        var sign = isNegative ? -1 : 1;
        object sum = old is long whole ? (object)(whole + sign * (delta is long step ? step : (long)(double)delta))
            : (double)old + sign * (delta is long more ? more : (double)delta);
        PutOne((arguments[0], sum));
        Result = Make(_pairs, map?.Flags ?? (int)Integer(arguments, 2));
        Answer = NaiveValues.Show(sum);
        return ResultCode.Ok;
    }

    private void PutOne((object? Key, object? Value) pair)
    {
        var index = IndexOf(pair.Key);
        if (index >= 0)
        {
            _pairs[index] = (_pairs[index].Key, pair.Value);
        }
        else
        {
            _pairs.Add(pair);
        }
    }

    private int IndexOf(object? key) => _pairs.FindIndex(pair => NaiveValues.Compare(pair.Key, key) == 0);

    private static ResultCode Check(bool exists, int flags) => exists && (flags & 1) != 0 ? ResultCode.ElementExists
        : !exists && (flags & 2) != 0 ? ResultCode.ElementNotFound : ResultCode.Ok;

    private static NaiveMap Make(List<(object? Key, object? Value)> pairs, int flags) =>
        new((flags & 1) != 0 ? [.. pairs.OrderBy(pair => pair.Key, Comparer<object?>.Create(NaiveValues.Compare))] : pairs, flags);

    private static long Integer(List<object?> arguments, int index) => arguments.Count > index ? (long)arguments[index]! : 0;
}

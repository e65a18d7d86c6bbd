using Aerie.Foundation;

namespace Aerie.Node.Tests.DataModel.Cdt;

/// Operations on lists and maps without any thought of cost. Bins are values as text shows them; null is no bin.
internal sealed class NaiveCdt
{
    private const int Inverted = 0x10000;

    public object? Bin { get; set; }

    public bool IsMissing { get; set; } = true;

    public string Answer { get; private set; } = "-";

    public string Text => IsMissing ? "-" : NaiveValues.Show(Bin);

    /// An operation on the bin itself, or one level down with [0xFF, [step, argument], operation].
    public ResultCode Run(object? call)
    {
        Answer = "-";
        var list = ((NaiveList)call!).Items;
        return list[0] is 0xFFL ? RunInside(((NaiveList)list[1]!).Items, ((NaiveList)list[2]!).Items) : RunOn(list);
    }

    private ResultCode RunInside(List<object?> path, List<object?> call)
    {
        var outer = (NaiveList)Bin!;
        var index = (int)(long)path[1]!;
        var inner = new NaiveCdt { Bin = outer.Items[index], IsMissing = false };
        var result = inner.RunOn(call);
        Answer = inner.Answer;
        if (result == ResultCode.Ok)
        {
            outer.Items[index] = inner.Bin;
            var moves = outer.Flags == 1
                && ((index > 0 && NaiveValues.Compare(outer.Items[index - 1], inner.Bin) > 0)
                || (index + 1 < outer.Items.Count && NaiveValues.Compare(inner.Bin, outer.Items[index + 1]) > 0));
            if (moves)
            {
                Bin = Sorted(outer with { Items = [.. outer.Items] }, index);
            }
        }

        return result;
    }

    // A child that is no longer in order goes behind those that equal it.
    private static NaiveList Sorted(NaiveList list, int changed)
    {
        var child = list.Items[changed];
        list.Items.RemoveAt(changed);
        var place = list.Items.Count(other => NaiveValues.Compare(other, child) <= 0);
        list.Items.Insert(place, child);
        return list;
    }

    private ResultCode RunOn(List<object?> call)
    {
        var code = (int)(long)call[0]!;
        if (!IsMissing && (Bin is NaiveList) != (code < 64))
        {
            return ResultCode.IncompatibleType;
        }

        if (code < 64)
        {
            return RunOnList(code, call);
        }

        var map = new NaiveMapOperations(IsMissing ? null : (NaiveMap)Bin!);
        return Take(map.Run(code, call, Select), map.Result, map.Answer);
    }

    private ResultCode Take(ResultCode result, object? bin, string answer)
    {
        if (result == ResultCode.Ok)
        {
            Answer = answer;
            if (bin != null)
            {
                (Bin, IsMissing) = (bin, false);
            }
        }

        return result;
    }

    private ResultCode RunOnList(int code, List<object?> call)
    {
        var list = new NaiveListOperations(IsMissing ? null : (NaiveList)Bin!);
        return Take(list.Run(code, call, Select), list.Result, list.Answer);
    }

    /// What a selection answers, and the positions that it selects. `keys` is null for lists.
    private static (ResultCode Result, string Answer, HashSet<int> Selected) Select(
        string selector, int returns, List<object?> arguments, List<object?>? keys, List<object?> values, bool isOrdered)
    {
        var isInverted = (returns & Inverted) != 0;
        returns &= ~Inverted;
        var picks = new NaiveSelection(keys, values, isOrdered);
        var isSingle = selector is "index" or "rank" or "key" or "value";
        if (isSingle && isInverted)
        {
            return (ResultCode.Parameter, "-", []);
        }

        if (!picks.TryPick(selector, arguments))
        {
            return (ResultCode.OpNotApplicable, "-", []);
        }

        if (isInverted)
        {
            picks.Invert();
        }

        return (ResultCode.Ok, isSingle ? picks.AnswerOne(returns) : picks.AnswerAll(selector, returns, isInverted), picks.Selected);
    }
}

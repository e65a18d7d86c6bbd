using Aerie.DataModel.Expressions;
using Aerie.Node.Tests.DataModel.Expressions;
using static Aerie.Node.Tests.DataModel.Expressions.Exp;

namespace Aerie.Node.Tests.DataModel.Paths;

/// Takes paths over ordinary objects: first all that a step chooses, then whatever is to be done with it.
internal sealed class NaivePath(NaiveExp expressions, IReadOnlyList<NaivePath.Step> steps, int mode, bool noFail, object? becomes)
{
    public const int Children = 0x04;
    public const int KeysIn = 0x2A;
    public const int ListIndex = 0x10;
    public const int MapKey = 0x22;
    public const int AndFilter = 0x204;

    private readonly List<object?> _list = [];

    internal sealed record Step(int Kind, object? Argument, object?[] Filters);

    /// The path ends in an error.
    internal sealed class Refused : Exception;

    public object? Take(object? value)
    {
        var tree = Visit(value, 0);
        return mode is 0 or 4 ? tree : _list.ToArray();
    }

    private object? Visit(object? value, int level)
    {
        var inMap = value is Pairs;
        var all = inMap
            ? ((Pairs)value!).Items.Select(item => ((object?)item.Key, item.Value)).ToArray()
            : ((object?[])value!).Select((item, index) => ((object?)(long)index, item)).ToArray();
        if (steps[level].Kind != Children && inMap == (steps[level].Kind == ListIndex))
        {
            return !noFail ? throw new Refused() : mode == 4 ? value : inMap ? new Pairs() : Array.Empty<object?>();
        }

        var kept = new List<(object?, object?)>();
        for (var i = 0; i < all.Length; i++)
        {
            var (key, child) = all[i];
            var isChosen = IsChosen(steps[level], key, child, i, all.Length);
            if (!isChosen && mode == 4)
            {
                kept.Add((key, child));
            }

            if (isChosen)
            {
                Follow(key, child, i, inMap, level, kept);
            }
        }

        return inMap ? new Pairs([.. kept.Select(pair => (pair.Item1!, pair.Item2))]) : kept.Select(pair => pair.Item2).ToArray();
    }

    private bool IsChosen(Step step, object? key, object? value, int index, int count)
    {
        var isChosen = step.Kind switch
        {
            Children => true,
            KeysIn => ((object?[])step.Argument!).Any(asked => NaiveExp.Order(asked, key) == 0),
            MapKey => NaiveExp.Order(step.Argument, key) == 0,
            _ => index == ((long)step.Argument! < 0 ? (long)step.Argument + count : (long)step.Argument),
        };
        foreach (var filter in isChosen ? step.Filters : [])
        {
            expressions.Loop = (key, value, index);
            var truth = expressions.Evaluate(filter);
            if (truth == NaiveExp.UnknownValue && !noFail)
            {
                throw new Refused();
            }

            if (truth is not true)
            {
                return false;
            }
        }

        return isChosen;
    }

    private void Follow(object? key, object? child, int index, bool inMap, int level, List<(object?, object?)> kept)
    {
        var isContainer = child is Pairs or object?[];
        if (level + 1 < steps.Count)
        {
            if (isContainer)
            {
                kept.Add((key, Visit(child, level + 1)));
            }
            else if (!noFail)
            {
                throw new Refused();
            }
            else if (mode == 4)
            {
                kept.Add((key, child));
            }

            return;
        }

        if (mode == 4)
        {
            Modify(key, child, index, kept);
            return;
        }

        kept.Add((key, child));
        _list.AddRange((mode & 2) != 0 && inMap ? [key] : []);
        _list.AddRange((mode & 1) != 0 ? [child] : []);
    }

    private void Modify(object? key, object? child, int index, List<(object?, object?)> kept)
    {
        expressions.Loop = (key, child, index);
        if (becomes is object?[] code && (ExpCode)(long)code[0]! == ExpCode.ResultRemove)
        {
            return;
        }

        var changed = expressions.Evaluate(becomes);
        if (changed == NaiveExp.UnknownValue && !noFail)
        {
            throw new Refused();
        }

        kept.Add((key, changed == NaiveExp.UnknownValue ? child : changed));
    }
}

using Aerie.DataModel.Bins;
using Aerie.DataModel.Cdt;
using Aerie.DataModel.Packed;
using Aerie.DataModel.Paths;
using Aerie.Foundation;

namespace Aerie.DataModel.Expressions;

/// Takes paths: at each level the children that the step and its conditions choose, down to the last step. What is answered grows
/// in one buffer, in one pass; conditions are evaluated between its pieces and leave nothing there.
internal ref partial struct ExpEvaluator<TRecord>
{
    /// The element that conditions and the modification of a path look at.
    private ref struct LoopElement
    {
        public ReadOnlySpan<byte> Key;
        public ReadOnlySpan<byte> Value;
        public long Index;
        public bool IsInMap;
    }

    /// One path being taken.
    private ref struct PathRun
    {
        public GrowingBytes Output;
        public CdtBuilder List;
        public long Mode;
        public bool NoFail;

        /// The expression that says what elements become.
        public int Modification;

        /// Elements that the path has led to.
        public int Found;

        public readonly bool BuildsTree => Mode is PathMode.Tree or PathMode.Modify;
    }

    /// What the path comes to is written behind what scratch.Paths holds; the caller takes it away. `found`: how many elements
    /// the path led to.
    public ResultCode TakePath(int path, ReadOnlySpan<byte> target, out int found)
    {
        ref readonly var node = ref _nodes[path];
        var run = new PathRun { Output = _scratch.Paths, Mode = node.Bits & ~PathMode.NoFail, NoFail = (node.Bits & PathMode.NoFail) != 0 };
        run.Modification = run.Mode == PathMode.Modify ? LastChild(path) + 1 : 0;
        found = 0;
        if (!PackedContainer.TryOpen(target, out var container))
        {
            return ResultCode.OpNotApplicable;
        }

        if (!run.BuildsTree)
        {
            run.List = CdtBuilder.Begin(run.Output, isMap: false, 0);
        }

        var result = Visit(path + 1, container, ref run);
        if (!run.BuildsTree)
        {
            run.List.End(_scratch.Cdt);
        }

        found = run.Found;
        return run.Output.Overflowed ? ResultCode.RecordTooBig : result;
    }

    /// A path inside an expression. Its conditions have loop variables of their own; those around it come back.
    private bool CallPath(int at, out ExpValue value)
    {
        value = default;
        var path = at + 1;
        if (!Evaluate(_nodes[path].End, out var target) || target.Type is not (ExpType.List or ExpType.Map))
        {
            return false;
        }

        var paths = _scratch.Paths;
        if (paths.Overflowed)
        {
            return false; // the path around this one has not fitted, and must come to know it
        }

        var start = paths.Length;
        var around = _loop;
        var result = TakePath(path, target.Bytes, out _);
        _loop = around;
        var type = (_nodes[path].Bits & ~PathMode.NoFail) is PathMode.Tree or PathMode.Modify ? target.Type : ExpType.List;
        var length = paths.Length - start;
        var isKept = _scratch.TryKeep(paths.Read(start, length), out var offset);
        paths.WindBack(start);
        if (result != ResultCode.Ok || !isKept)
        {
            return false;
        }

        value = ExpValue.Of(type, _scratch.Kept(offset, length));
        return type == _nodes[at].Type;
    }

    private readonly bool ReadLoopVariable(in ExpNode node, out ExpValue value)
    {
        var isKnown = true;
        if (node.Bits == LoopPart.Index || (node.Bits == LoopPart.Key && !_loop.IsInMap))
        {
            value = ExpValue.Of(_loop.Index);
        }
        else
        {
            isKnown = ExpValue.TryOf(node.Bits == LoopPart.Key ? _loop.Key : _loop.Value, out value);
        }

        return isKnown && value.Type == node.Type;
    }

    private readonly int LastChild(int at)
    {
        var child = at + 1;
        while (_nodes[child].End < _nodes[at].End)
        {
            child = _nodes[child].End;
        }

        return child;
    }

    private ResultCode Visit(int step, PackedContainer container, ref PathRun run)
    {
        if (!_scratch.Spend(container.Bytes.Length))
        {
            return ResultCode.OpNotApplicable;
        }

        var tree = run.BuildsTree ? CdtBuilder.Begin(run.Output, container.IsMap, container.Flags) : default;
        ResultCode result;
        if (!PathChoice.TryBegin(_nodes[step], _bytes, container, _scratch.Cdt, out var choice))
        {
            result = run.NoFail ? KeepAll(container, ref tree, run) : ResultCode.OpNotApplicable;
        }
        else if (choice.IsOne && run.Mode != PathMode.Modify)
        {
            result = VisitOne(step, container, choice, ref tree, ref run);
        }
        else
        {
            result = VisitChildren(step, container, choice, ref tree, ref run);
        }

        if (run.BuildsTree)
        {
            tree.End(_scratch.Cdt);
        }

        return result;
    }

    private ResultCode VisitOne(int step, PackedContainer container, PathChoice choice, ref CdtBuilder tree, ref PathRun run)
    {
        if (!choice.TryShow(container, out var key, out var value))
        {
            return ResultCode.Ok; // nothing is there: the path leads nowhere
        }

        var result = Choose(step, ref choice, key, value, choice.Position, container.IsMap, run.NoFail, out var isChosen);
        return result == ResultCode.Ok && isChosen ? Follow(step, key, value, ref tree, ref run) : result;
    }

    private ResultCode VisitChildren(int step, PackedContainer container, PathChoice choice, ref CdtBuilder tree, ref PathRun run)
    {
        var children = new CdtChildren(container);
        while (children.TryNext(out var key, out var value))
        {
            var result = Choose(step, ref choice, key, value, children.Position, container.IsMap, run.NoFail, out var isChosen);
            if (result == ResultCode.Ok)
            {
                result = isChosen ? Follow(step, key, value, ref tree, ref run) : Keep(key, value, ref tree, run);
            }

            if (result != ResultCode.Ok)
            {
                return result;
            }
        }

        return children.Position + 1 == container.Count ? ResultCode.Ok : CdtCommand.Broken;
    }

    /// What was not chosen stays where elements are modified, and goes everywhere else.
    private static ResultCode Keep(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, ref CdtBuilder tree, in PathRun run)
    {
        if (run.Mode == PathMode.Modify)
        {
            tree.Add(key, value);
        }

        return ResultCode.Ok;
    }

    private static ResultCode KeepAll(PackedContainer container, ref CdtBuilder tree, in PathRun run)
    {
        var children = new CdtChildren(container);
        while (children.TryNext(out var key, out var value))
        {
            Keep(key, value, ref tree, run);
        }

        return ResultCode.Ok;
    }

    private ResultCode Choose(
        int step, ref PathChoice choice, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, int position, bool inMap, bool noFail,
        out bool isChosen)
    {
        isChosen = choice.Has(key, position);
        if (!isChosen)
        {
            return ResultCode.Ok;
        }

        _loop = new LoopElement { Key = key, Value = value, Index = position, IsInMap = inMap };
        var end = _nodes[step].End;
        if (step + 1 == end)
        {
            return ResultCode.Ok;
        }

        if (!_scratch.Spend(end - step))
        {
            return ResultCode.OpNotApplicable;
        }

        var mark = _scratch.Mark();
        var truth = TestFilters(step + 1, end);
        _scratch.Release(mark);
        isChosen = truth == Trilean.True;
        return truth == Trilean.Unknown && !noFail ? ResultCode.OpNotApplicable : ResultCode.Ok;
    }

    private Trilean TestFilters(int filter, int end)
    {
        for (; filter < end; filter = _nodes[filter].End)
        {
            var truth = Test(filter);
            if (truth != Trilean.True)
            {
                return truth;
            }
        }

        return Trilean.True;
    }

    /// A chosen child: through it to the next step, or to the end of the path.
    private ResultCode Follow(int step, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, ref CdtBuilder tree, ref PathRun run)
    {
        var next = _nodes[step].End;
        if (next == _nodes.Length || _nodes[next].Code != ExpCode.PathStep)
        {
            run.Found++;
            return Arrive(key, value, ref tree, ref run);
        }

        if (!PackedContainer.TryOpen(value, out var child))
        {
            return run.NoFail ? Keep(key, value, ref tree, run) : ResultCode.OpNotApplicable;
        }

        if (!run.BuildsTree)
        {
            return Visit(next, child, ref run);
        }

        run.Output.Append(key);
        var result = Visit(next, child, ref run);
        tree.Added();
        return result;
    }

    private ResultCode Arrive(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, ref CdtBuilder tree, ref PathRun run)
    {
        switch (run.Mode)
        {
            case PathMode.Tree:
                tree.Add(key, value);
                return ResultCode.Ok;
            case PathMode.Modify:
                return Modify(key, value, ref tree, run);
        }

        if ((run.Mode & PathMode.Keys) != 0 && !key.IsEmpty)
        {
            run.List.Add(key);
        }

        if ((run.Mode & PathMode.Values) != 0)
        {
            run.List.Add(value);
        }

        return ResultCode.Ok;
    }

    /// The loop variables show the element: it was chosen just now.
    private ResultCode Modify(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, ref CdtBuilder tree, in PathRun run)
    {
        var expression = run.Modification;
        if (!_scratch.Spend(_nodes[expression].End - expression))
        {
            return ResultCode.OpNotApplicable;
        }

        var mark = _scratch.Mark();
        if (!Evaluate(expression, out var changed))
        {
            _scratch.Release(mark);
            return run.NoFail ? Keep(key, value, ref tree, run) : ResultCode.OpNotApplicable;
        }

        if (changed.Type != ExpType.Remove)
        {
            run.Output.Append(key);
            changed.Pack(run.Output);
            tree.Added();
        }

        _scratch.Release(mark);
        return ResultCode.Ok;
    }
}

using Aerie.DataModel.Bins;
using Aerie.DataModel.Cdt;
using Aerie.DataModel.Packed;
using Aerie.DataModel.Paths;

namespace Aerie.DataModel.Expressions;

/// Paths with expressions: `[0xFE, [kind, argument, …], flags, modification?]`.
public ref partial struct ExpCompiler
{
    private bool TryPathOperation(bool modifies) =>
        TryCallHead(out var arguments, out var code) && code == PathCode && TryPath(arguments, modifies);

    /// From behind the code to the end of the operation.
    private bool TryPath(int arguments, bool modifies)
    {
        if (arguments != (modifies ? 3 : 2) || !_reader.TryListHead(out var elements) || elements == 0 || elements % 2 != 0)
        {
            return false;
        }

        var path = _program.Add(new ExpNode { Code = ExpCode.Path });
        var (inPath, inModification, depth) = (_inPath, _inModification, _depth);
        (_inPath, _inModification) = (true, false);
        if (!TrySteps(elements / 2) || !_reader.TryInteger(out var flags) || (flags & ~PathMode.NoFail) is < 0 or > PathMode.Last
            || ((flags & ~PathMode.NoFail) == PathMode.Modify) != modifies || (modifies && !TryModification()))
        {
            return false;
        }

        (_inPath, _inModification, _depth) = (inPath, inModification, depth);
        _program[path].Bits = flags;
        Close(path, ExpType.Any);
        return true;
    }

    /// Steps recurse when they are taken: they count as depth.
    private bool TrySteps(int count)
    {
        var step = -1;
        for (var i = 0; i < count; i++)
        {
            if (!_reader.TryInteger(out var kind) || _program.NodeCount >= ExpProgram.NodesMax - 2)
            {
                return false;
            }

            if (kind == PathStep.AndFilter ? step < 0 : ++_depth >= ExpProgram.DepthMax)
            {
                return false;
            }

            step = kind == PathStep.AndFilter ? step : _program.Add(new ExpNode { Code = ExpCode.PathStep, Bits = kind });
            if (!(kind is PathStep.Children or PathStep.AndFilter ? TryFilter() : TryStepArgument(step)))
            {
                return false;
            }

            Close(step, ExpType.Any);
        }

        return true;
    }

    /// A condition that always holds is left out.
    private bool TryFilter()
    {
        var filter = _program.NodeCount;
        if (!TryCompile(out var type) || !ExpTypes.Fits(type, ExpType.Bool))
        {
            return false;
        }

        if (_program[filter] is { Code: ExpCode.Literal, Bits: 1 })
        {
            _program.DropFrom(filter);
        }

        return true;
    }

    private bool TryStepArgument(int step)
    {
        var start = _reader.Offset;
        if (!_reader.TrySkip())
        {
            return false;
        }

        ref var node = ref _program[step];
        node.Offset = start;
        node.Length = _reader.Offset - start;
        return node.Bits == PathStep.KeysIn ? TryKeys(ref node) : node.Bits <= CdtPath.KindMask && CdtPath.IsKnown(node.Bits);
    }

    /// The keys are put in order, each once, so that they can be met side by side with those of an ordered map.
    private readonly bool TryKeys(ref ExpNode step)
    {
        var scratch = _program.Sorting;
        if (!PackedContainer.TryOpen(_program.Bytes.Slice(step.Offset, step.Length), out var list) || list.IsMap
            || !CdtElements.TryRead(list, scratch.Offsets, out var keys))
        {
            return false;
        }

        step.Offset = _program.ByteCount;
        var last = -1;
        foreach (var key in keys.InOrder(scratch.ItemOrder, scratch))
        {
            if (last < 0 || PackedOrder.Compare(keys.Value(last), keys.Value(key)) != 0)
            {
                _program.Append(keys.Value(key));
                last = key;
            }
        }

        step.Length = _program.ByteCount - step.Offset;
        return true;
    }

    private bool TryModification()
    {
        var node = _program.Add(new ExpNode { Code = ExpCode.PathModification });
        _inModification = true;
        var compiled = TryCompile(out var type);
        Close(node, type);
        return compiled;
    }
}

using Aerie.DataModel.Bins;
using Aerie.DataModel.Cdt;
using Aerie.DataModel.Packed;
using Aerie.Foundation;

namespace Aerie.DataModel.Expressions;

/// Calls of operations on values, and the lists that are made of maps.
internal ref partial struct ExpEvaluator<TRecord>
{
    private bool Call(int at, out ExpValue value)
    {
        if (_nodes[at + 1].Code == ExpCode.Path)
        {
            return CallPath(at, out value);
        }

        var calls = _scratch.Calls;
        var mark = calls.Length;
        var isRun = RunCall(at, mark, out value);
        calls.WindBack(mark);
        return isRun;
    }

    private bool RunCall(int at, int mark, out ExpValue value)
    {
        value = default;
        ref readonly var node = ref _nodes[at];
        if (!WriteCall(at, out var targetNode) || !Evaluate(targetNode, out var target) || !_scratch.TryStore(target, out var bin))
        {
            return false;
        }

        var calls = _scratch.Calls;
        var call = calls.Length == mark ? _bytes.Slice(node.Offset, node.Length) : calls.Read(mark, calls.Length - mark);
        return _scratch.Spend(bin.Bytes.Length + call.Length) && ExpModules.TryRun(node.Bits, bin, call, _scratch, out var result)
            && ExpValue.TryOf(result, out value) && value.Type == node.Type;
    }

    /// Joins the packed operation with the values of the expressions in it; nothing is written if it stands ready in the program.
    /// Calls among those expressions write behind what is written here and wind back.
    private bool WriteCall(int at, out int target)
    {
        var end = _nodes[at].End;
        var child = at + 1;
        while (_nodes[child].End < end)
        {
            ref readonly var part = ref _nodes[child];
            if (part.Code == ExpCode.CallBytes)
            {
                _scratch.Calls.Append(_bytes.Slice(part.Offset, part.Length));
            }
            else if (Evaluate(child, out var argument) && argument.Type != ExpType.Remove)
            {
                argument.Pack(_scratch.Calls);
            }
            else
            {
                target = 0;
                return false;
            }

            child = part.End;
        }

        target = child;
        return !_scratch.Calls.Overflowed;
    }

    private bool ListOfMap(int at, out ExpValue value)
    {
        value = default;
        if (!Evaluate(at + 1, out var map) || map.Type != ExpType.Map || !_scratch.Spend(2L * map.Bytes.Length))
        {
            return false;
        }

        var results = _scratch.Results;
        var mark = results.Length;
        if (!TryWriteHalf(map.Bytes, keys: _nodes[at].Code == ExpCode.MapKeys, results) || !_scratch.IsWhole(mark))
        {
            return false;
        }

        value = ExpValue.Of(ExpType.List, results.Read(mark, results.Length - mark));
        return true;
    }

    /// Writes the keys or the values of a map as a list, in the order in which they are stored.
    private static bool TryWriteHalf(ReadOnlySpan<byte> map, bool keys, GrowingBytes target)
    {
        if (!PackedContainer.TryOpen(map, out var container) || !container.IsMap)
        {
            return false;
        }

        new PackedWriter(target).List(container.Count);
        var children = new CdtChildren(container);
        while (children.TryNext(out var key, out var value))
        {
            target.Append(keys ? key : value);
        }

        return children.Position + 1 == container.Count;
    }
}

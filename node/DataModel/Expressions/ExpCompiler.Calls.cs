using Aerie.DataModel.Packed;

namespace Aerie.DataModel.Expressions;

/// `[call, type, module, [code, argument…], target]`: an operation of lists, maps, bits or HLLs on a value. Arguments that are
/// lists are expressions; quoted lists and everything else are handed on as they stand. A call without expressions among its
/// arguments is made ready here, once.
public ref partial struct ExpCompiler
{
    internal const long ContextCode = 0xFF;
    internal const long PathCode = 0xFE;

    private bool TryCall(out ExpType type)
    {
        if (!TryType(out type) || !_reader.TryInteger(out var module) || !ExpModules.IsKnown(module))
        {
            return false;
        }

        var node = _program.Add(new ExpNode { Code = ExpCode.Call, Bits = module });
        var start = _reader.Offset;
        if (!TryCallHead(out var arguments, out var code))
        {
            return false;
        }

        var isWhole = code == PathCode
            ? ExpModules.TakesPaths(module) && TryPath(arguments, (module & ExpModules.ModifyLocal) != 0)
            : TryArguments(node, start, arguments);
        if (!isWhole || !TryCompile(out var target) || target == ExpType.Remove)
        {
            return false;
        }

        Close(node, type);
        return true;
    }

    /// Reads up to the first argument, over a context that stands around the operation.
    private bool TryCallHead(out int arguments, out long code)
    {
        arguments = 0;
        code = 0;
        if (!_reader.TryRead(out var list) || list.Kind != PackedKind.List || list.Count == 0 || !_reader.TryInteger(out code))
        {
            return false;
        }

        if (code == ContextCode)
        {
            if (list.Count != 3 || !_reader.TrySkip() || !_reader.TryRead(out list) || list.Kind != PackedKind.List || list.Count == 0
                || !_reader.TryInteger(out code) || code is ContextCode or PathCode)
            {
                return false;
            }
        }

        arguments = list.Count - 1;
        return true;
    }

    private bool TryArguments(int call, int start, int arguments)
    {
        var run = start; // where the bytes begin that have not been taken into a node yet
        var isConstant = true;
        for (var i = 0; i < arguments; i++)
        {
            var argument = _reader.Offset;
            if (!_reader.TryRead(out var item))
            {
                return false;
            }

            if (item.Kind != PackedKind.List)
            {
                _reader = new PackedReader(_reader.All, argument);
                if (!_reader.TrySkip())
                {
                    return false;
                }

                continue;
            }

            AddCallBytes(run, argument);
            if (item.Count == 2 && _reader.TryInteger(out var code) && code == (long)ExpCode.Quote)
            {
                run = _reader.Offset;
                if (_program.NodeCount >= ExpProgram.NodesMax - 2 || !_reader.TrySkip())
                {
                    return false;
                }

                continue;
            }

            isConstant = false;
            _reader = new PackedReader(_reader.All, argument);
            if (!TryCompile(out var type) || type == ExpType.Remove)
            {
                return false;
            }

            run = _reader.Offset;
        }

        AddCallBytes(run, _reader.Offset);
        if (isConstant)
        {
            Fold(call);
        }

        return _program.NodeCount < ExpProgram.NodesMax - 2;
    }

    private readonly void AddCallBytes(int from, int to)
    {
        if (to > from)
        {
            _program.Add(new ExpNode { Code = ExpCode.CallBytes, Offset = from, Length = to - from });
        }
    }

    /// Nothing of the call is known only at evaluation: its bytes are joined and kept in the node of the call itself.
    private readonly void Fold(int call)
    {
        ref var node = ref _program[call];
        if (_program.NodeCount == call + 2)
        {
            node.Offset = _program[call + 1].Offset;
        }
        else
        {
            node.Offset = _program.ByteCount;
            for (var i = call + 1; i < _program.NodeCount; i++)
            {
                _program.Append(_program.Bytes.Slice(_program[i].Offset, _program[i].Length));
            }
        }

        for (var i = call + 1; i < _program.NodeCount; i++)
        {
            node.Length += _program[i].Length;
        }

        _program.DropFrom(call + 1);
    }
}

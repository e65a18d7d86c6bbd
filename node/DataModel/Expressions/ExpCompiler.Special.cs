using Aerie.DataModel.Bins;
using Aerie.DataModel.Packed;
using Aerie.DataModel.Paths;

namespace Aerie.DataModel.Expressions;

/// The codes whose arguments have forms of their own.
public ref partial struct ExpCompiler
{
    private bool TrySpecial(ExpRule rule, int arguments, out ExpType type)
    {
        type = rule.Result;
        switch (rule.Code)
        {
            case ExpCode.Unknown:
                return arguments == 0 && TryLeaf(new ExpNode { Code = ExpCode.Unknown, Type = type });
            case ExpCode.ResultRemove:
                return arguments == 0 && _inModification && TryLeaf(new ExpNode { Code = ExpCode.ResultRemove, Type = type });
            case ExpCode.DigestModulo:
                return arguments == 1 && _reader.TryInteger(out var modulus) && modulus is > 0 and <= int.MaxValue
                    && TryLeaf(new ExpNode { Code = ExpCode.DigestModulo, Type = type, Bits = modulus });
            case ExpCode.Key:
                return arguments == 1 && TryType(out type) && type is ExpType.Integer or ExpType.String or ExpType.Blob
                    && TryLeaf(new ExpNode { Code = ExpCode.Key, Type = type });
            case ExpCode.Bin:
                return arguments == 2 && TryType(out type) && type != ExpType.Nil && TryBinName(ExpCode.Bin, type);
            case ExpCode.BinType:
                return arguments == 1 && TryBinName(ExpCode.BinType, type);
            case ExpCode.LoopVariable:
                return arguments == 2 && TryLoopVariable(out type);
            case ExpCode.Regex:
                return arguments == 3 && TryRegex();
            case ExpCode.Condition:
                return TryCondition(arguments, out type);
            case ExpCode.Variable:
                return arguments == 1 && TryVariable(out type);
            case ExpCode.Let:
                return TryLet(arguments, out type);
            case ExpCode.Quote:
                return arguments == 1 && TryQuote(out type);
            default:
                return arguments == 4 && TryCall(out type);
        }
    }

    private readonly bool TryLeaf(in ExpNode node)
    {
        _program.Add(node);
        return true;
    }

    private bool TryType(out ExpType type)
    {
        type = ExpType.Any;
        return _reader.TryInteger(out var wire) && ExpTypes.TryRead(wire, out type);
    }

    /// A name: a text without a particle type in front.
    private bool TryName(out int offset, out int length)
    {
        offset = length = 0;
        if (!_reader.TryRead(out var item) || item.Kind is not (PackedKind.Text or PackedKind.Bytes or PackedKind.GeoJson))
        {
            return false;
        }

        length = item.Raw.Length;
        offset = _reader.Offset - length;
        return true;
    }

    private bool TryBinName(ExpCode code, ExpType type)
    {
        if (!TryName(out var offset, out var length) || length is 0 or > RecordDraft.NameLengthMax)
        {
            return false;
        }

        return TryLeaf(new ExpNode { Code = code, Type = type, Offset = offset, Length = length });
    }

    private bool TryLoopVariable(out ExpType type)
    {
        return TryType(out type) && _reader.TryInteger(out var part) && part is >= LoopPart.Key and <= LoopPart.Index && _inPath
            && TryLeaf(new ExpNode { Code = ExpCode.LoopVariable, Type = type, Bits = part });
    }

    private bool TryRegex()
    {
        if (!_reader.TryInteger(out var flags) || !TryName(out var offset, out var length))
        {
            return false;
        }

        var number = _program.AddPattern(out var pattern);
        if (!pattern.TryCompile(_program.Bytes.Slice(offset, length), flags))
        {
            return false;
        }

        var node = _program.Add(new ExpNode { Code = ExpCode.Regex, Type = ExpType.Bool, Bits = number });
        var compiled = TryCompile(out var type) && ExpTypes.Fits(type, ExpType.String);
        Close(node, ExpType.Bool);
        return compiled;
    }

    /// `[test, value]…, otherwise`: all values of one type.
    private bool TryCondition(int arguments, out ExpType type)
    {
        type = ExpType.Any;
        if (arguments < 3 || arguments % 2 == 0)
        {
            return false;
        }

        var node = _program.Add(new ExpNode { Code = ExpCode.Condition });
        for (var i = 0; i < arguments; i++)
        {
            var isTest = i % 2 == 0 && i < arguments - 1;
            if (!TryCompile(out var argument) || !(isTest ? ExpTypes.Fits(argument, ExpType.Bool) : JoinValue(argument, ref type)))
            {
                return false;
            }
        }

        Close(node, type);
        return true;
    }

    // An element that goes has no type that it could disagree with.
    private static bool JoinValue(ExpType type, ref ExpType common) => type == ExpType.Remove || Join(type, ref common);

    private bool TryQuote(out ExpType type)
    {
        type = ExpType.Any;
        var start = _reader.Offset;
        if (!_reader.TryRead(out var item) || !item.IsContainer)
        {
            return false;
        }

        var literal = new ExpNode { Code = ExpCode.Literal, Type = item.Kind == PackedKind.List ? ExpType.List : ExpType.Map };
        return TryContainer(start, literal, out type);
    }

    /// `[name, value]…, body`. Each value sees the variables before it, the body sees all.
    private bool TryLet(int arguments, out ExpType type)
    {
        type = ExpType.Any;
        if (arguments % 2 == 0)
        {
            return false;
        }

        var node = _program.Add(new ExpNode { Code = ExpCode.Let });
        var before = _variables;
        for (var i = 0; i < arguments / 2; i++)
        {
            if (!TryDefinition())
            {
                return false;
            }
        }

        if (!TryCompile(out type))
        {
            return false;
        }

        _variables = before;
        Close(node, type);
        return true;
    }

    private bool TryDefinition()
    {
        if (_variables == ExpProgram.VariablesMax || !TryName(out var offset, out var length) || length == 0)
        {
            return false;
        }

        var node = _program.Add(new ExpNode { Code = ExpCode.Definition, Bits = _variables });
        if (!TryCompile(out var type) || type == ExpType.Remove)
        {
            return false;
        }

        Close(node, type);
        var variable = new ExpVariable { NameOffset = offset, NameLength = length, Type = type };
        ref readonly var value = ref _program[node + 1];
        if (IsRepeatable(value.Code))
        {
            variable.Stands = value;
            variable.IsStandIn = true;
            _program.DropFrom(node);
        }

        _program.Scope[_variables++] = variable;
        return true;
    }

    /// Values that are there for the taking: a variable that is only another name for one is replaced by it, so that
    /// a large bin is not copied to be kept.
    private static bool IsRepeatable(ExpCode code) =>
        code is ExpCode.Literal or ExpCode.Bin or ExpCode.BinType or ExpCode.Key or (>= ExpCode.DigestModulo and <= ExpCode.RecordSize);

    private bool TryVariable(out ExpType type)
    {
        type = ExpType.Any;
        if (!TryName(out var offset, out var length))
        {
            return false;
        }

        var name = _program.Bytes.Slice(offset, length);
        for (var i = _variables - 1; i >= 0; i--)
        {
            ref readonly var variable = ref _program.Scope[i];
            if (_program.Bytes.Slice(variable.NameOffset, variable.NameLength).SequenceEqual(name))
            {
                type = variable.Type;
                return TryLeaf(variable.IsStandIn
                    ? variable.Stands
                    : new ExpNode { Code = ExpCode.Variable, Type = type, Bits = i });
            }
        }

        return false;
    }
}

/// A variable that can be seen while the body of its `let` is compiled.
internal struct ExpVariable
{
    public int NameOffset;
    public int NameLength;
    public ExpType Type;

    /// The variable is another name for this node.
    public bool IsStandIn;
    public ExpNode Stands;
}

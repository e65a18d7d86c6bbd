using Aerie.DataModel.Packed;
using Aerie.Foundation;

namespace Aerie.DataModel.Expressions;

/// Turns packed expressions into programs: `[code, argument…]` becomes a node followed by the nodes of its arguments. Whatever
/// can be known to be wrong before a record is seen (codes, numbers and types of arguments, names, patterns) is refused here,
/// with Parameter.
public ref partial struct ExpCompiler
{
    private readonly ExpProgram _program;
    private PackedReader _reader;
    private int _depth;
    private int _variables;
    private bool _inPath;
    private bool _inModification;

    private ExpCompiler(ExpProgram program)
    {
        _program = program;
        _reader = new PackedReader(program.Bytes);
    }

    /// A program that was compiled from the same bytes before is left as it is: many requests bring the same filter.
    public static ResultCode Compile(scoped ReadOnlySpan<byte> packed, ExpProgram program) =>
        Compile(packed, program, ExpKind.Expression);

    /// A path as an operation of its own: `[0xFE, steps, flags]`, with an expression behind it where it modifies.
    public static ResultCode CompilePath(scoped ReadOnlySpan<byte> packed, bool modifies, ExpProgram program) =>
        Compile(packed, program, modifies ? ExpKind.ModifyingPath : ExpKind.Path);

    private static ResultCode Compile(scoped ReadOnlySpan<byte> packed, ExpProgram program, ExpKind kind)
    {
        if (program.IsOf(packed, kind))
        {
            return ResultCode.Ok;
        }

        program.Clear();
        if (packed.Length > ExpProgram.LengthMax)
        {
            return ResultCode.Parameter;
        }

        program.Begin(packed);
        var compiler = new ExpCompiler(program);
        var isSound = kind == ExpKind.Expression ? compiler.TryCompile(out _) : compiler.TryPathOperation(kind == ExpKind.ModifyingPath);
        program.Kind = isSound && compiler._reader.Offset == packed.Length ? kind : ExpKind.None;
        return program.IsCompiled ? ResultCode.Ok : ResultCode.Parameter;
    }

    /// A filter must come to true, false or unknown.
    public static ResultCode CompileFilter(scoped ReadOnlySpan<byte> packed, ExpProgram program)
    {
        var result = Compile(packed, program);
        if (result == ResultCode.Ok && !ExpTypes.Fits(program.Type, ExpType.Bool))
        {
            program.Clear();
            return ResultCode.Parameter;
        }

        return result;
    }

    /// One expression from where the reader stands. Its first node is the one that is added next.
    private bool TryCompile(out ExpType type)
    {
        type = ExpType.Any;
        if (_depth == ExpProgram.DepthMax || _program.NodeCount >= ExpProgram.NodesMax - 1)
        {
            return false;
        }

        _depth++;
        var start = _reader.Offset;
        var compiled = _reader.TryListHead(out var elements)
            ? TryCode(elements, out type)
            : _reader.Offset == start && _reader.TryRead(out var item) && TryLiteral(item, start, out type);
        _depth--;
        return compiled;
    }

    private bool TryLiteral(scoped in PackedItem item, int start, out ExpType type)
    {
        var node = new ExpNode { Code = ExpCode.Literal, Bits = item.Bits };
        switch (item.Kind)
        {
            case PackedKind.Nil:
                node.Type = ExpType.Nil;
                break;
            case PackedKind.False or PackedKind.True:
                node.Type = ExpType.Bool;
                break;
            case PackedKind.Integer:
                node.Type = ExpType.Integer;
                break;
            case PackedKind.Double:
                node.Type = ExpType.Float;
                break;
            case PackedKind.Text or PackedKind.Bytes or PackedKind.GeoJson:
                node.Type = ExpTypes.Of((ParticleType)item.Tag);
                node.Length = item.Bytes.Length;
                node.Offset = _reader.Offset - node.Length;
                break;
            case PackedKind.Map:
                node.Type = ExpType.Map;
                return TryContainer(start, node, out type);
            default:
                type = ExpType.Any;
                return false;
        }

        type = node.Type;
        _program.Add(node);
        return type != ExpType.Any;
    }

    private bool TryContainer(int start, ExpNode node, out ExpType type)
    {
        type = node.Type;
        _reader = new PackedReader(_reader.All, start);
        if (!_reader.TrySkip())
        {
            return false;
        }

        node.Offset = start;
        node.Length = _reader.Offset - start;
        _program.Add(node);
        return true;
    }

    private bool TryCode(int elements, out ExpType type)
    {
        type = ExpType.Any;
        if (elements == 0 || !_reader.TryInteger(out var wire) || ExpRule.Find(wire) is not { } rule)
        {
            return false;
        }

        var arguments = elements - 1;
        if (rule.Shape == ExpShape.Special)
        {
            return TrySpecial(rule, arguments, out type);
        }

        if (arguments > rule.ArgumentsMax || (rule.Shape == ExpShape.Fixed ? arguments < rule.ArgumentsMax : arguments == 0))
        {
            return false;
        }

        var node = _program.Add(new ExpNode { Code = rule.Code, Type = rule.Result });
        var common = ExpType.Any;
        for (var i = 0; i < arguments; i++)
        {
            var place = _program.NodeCount;
            if (!TryCompile(out var argument) || !TakesArgument(rule, i, argument, ref common)
                || (rule.Code == ExpCode.Geo && !TryShape(place)))
            {
                return false;
            }
        }

        if (rule.Shape == ExpShape.Comparison && arguments != 2)
        {
            return false;
        }

        type = rule.Shape == ExpShape.Numbers ? common : rule.Result;
        Close(node, type);
        return true;
    }

    /// A place that is written in the expression is read once, not for each record.
    private readonly bool TryShape(int at)
    {
        ref var node = ref _program[at];
        if (node.Code != ExpCode.Literal)
        {
            return true;
        }

        node.Bits = _program.AddShape(out var shape);
        return shape.TryRead(_program.Bytes.Slice(node.Offset, node.Length));
    }

    private static bool TakesArgument(ExpRule rule, int index, ExpType type, ref ExpType common)
    {
        switch (rule.Shape)
        {
            case ExpShape.Fixed:
                return ExpTypes.Fits(type, rule.Arguments[index]) && type != ExpType.Remove;
            case ExpShape.Many:
                return ExpTypes.Fits(type, rule.Arguments[0]);
        }

        if (rule.Shape == ExpShape.Comparison ? !ExpTypes.IsComparable(type) : type != ExpType.Any && !ExpTypes.IsNumber(type))
        {
            return false;
        }

        return Join(type, ref common);
    }

    /// The one type of several arguments, as far as they tell theirs.
    private static bool Join(ExpType type, ref ExpType common)
    {
        if (!ExpTypes.Fits(type, common))
        {
            return false;
        }

        common = common == ExpType.Any ? type : common;
        return true;
    }

    private readonly void Close(int node, ExpType type)
    {
        _program[node].Type = type;
        _program[node].End = _program.NodeCount;
    }
}

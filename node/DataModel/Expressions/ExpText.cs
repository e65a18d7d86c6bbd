using System.Globalization;
using System.Text;
using Aerie.DataModel.Packed;

namespace Aerie.DataModel.Expressions;

/// Packed expressions as text for people, in the words of the clients: `and(eq(bin_int("a"), 5), not(key_exists()))`. It shows
/// whatever can be read, sensible or not, and says where it cannot go on.
public ref struct ExpText
{
    private const long ModifyLocal = ExpModules.ModifyLocal;
    private const int DepthMax = PackedReader.DepthMax;

    private readonly StringBuilder _text = new();
    private PackedReader _reader;
    private int _depth;

    private ExpText(ReadOnlySpan<byte> packed) => _reader = new PackedReader(packed);

    public static string Of(ReadOnlySpan<byte> packed)
    {
        var text = new ExpText(packed);
        if (!text.TryExpression())
        {
            text._text.Append(CultureInfo.InvariantCulture, $" …broken at byte {text._reader.Offset}");
        }
        else if (!text._reader.IsAtEnd)
        {
            text._text.Append(CultureInfo.InvariantCulture, $" …and {packed.Length - text._reader.Offset} bytes more");
        }

        return text._text.ToString();
    }

    private bool TryExpression()
    {
        if (!_reader.TryListHead(out var elements))
        {
            return TryValue();
        }

        if (elements == 0 || ++_depth > DepthMax || !_reader.TryInteger(out var code))
        {
            return false;
        }

        var shown = ExpRule.Find(code) is { } rule ? TryRule(rule, elements - 1) : TryArguments($"code_{code}", elements - 1);
        _depth--;
        return shown;
    }

    private bool TryRule(ExpRule rule, int arguments)
    {
        switch (rule.Code)
        {
            case ExpCode.Quote when arguments == 1:
                return TryValue();
            case ExpCode.Key when arguments == 1:
                return TryTyped("key_") && Add("()");
            case ExpCode.Bin when arguments == 2:
                return TryTyped("bin_") && Add("(") && TryName() && Add(")");
            case ExpCode.LoopVariable when arguments == 2:
                return TryTyped("loop_var_") && Add("(") && TryPart() && Add(")");
            case ExpCode.BinType when arguments == 1:
                return Add("bin_type(") && TryName() && Add(")");
            case ExpCode.Variable when arguments == 1:
                return Add("var(") && TryName() && Add(")");
            case ExpCode.Regex when arguments == 3:
                return Add("regex(") && TryValue() && Add(", ") && TryName() && Add(", ") && TryExpression() && Add(")");
            case ExpCode.Let when arguments % 2 == 1:
                return TryLet(arguments / 2);
            case ExpCode.Call when arguments == 4:
                return TryCall();
            default:
                return TryArguments(rule.Name, arguments);
        }
    }

    private bool TryArguments(string name, int arguments)
    {
        Add(name);
        Add("(");
        for (var i = 0; i < arguments; i++)
        {
            if ((i > 0 && !Add(", ")) || !TryExpression())
            {
                return false;
            }
        }

        return Add(")");
    }

    private bool TryLet(int definitions)
    {
        Add("let(");
        for (var i = 0; i < definitions; i++)
        {
            if (!TryName() || !Add(" = ") || !TryExpression() || !Add(", "))
            {
                return false;
            }
        }

        return TryExpression() && Add(")");
    }

    /// `cdt_modify_list([1, 5], bin_list("a"))`: family, result, operation with its code in front, target.
    private bool TryCall()
    {
        if (!_reader.TryInteger(out var type) || !_reader.TryInteger(out var module))
        {
            return false;
        }

        Add(ExpModules.NameOf(module & ~ModifyLocal) + ((module & ModifyLocal) != 0 ? "_modify_" : "_") + TypeName(type) + "(");
        return TryOperation() && Add(", ") && TryExpression() && Add(")");
    }

    private bool TryOperation()
    {
        if (!_reader.TryListHead(out var elements) || elements == 0 || !_reader.TryInteger(out var code))
        {
            return false;
        }

        if (code is ExpCompiler.ContextCode && elements == 3)
        {
            return Add("at ") && TryValue() && Add(" ") && TryOperation();
        }

        Add(string.Create(CultureInfo.InvariantCulture, $"[{code}"));
        for (var i = 1; i < elements; i++)
        {
            if (!Add(", ") || !(code == ExpCompiler.PathCode && i == 1 ? TryPath() : TryExpression()))
            {
                return false;
            }
        }

        return Add("]");
    }

    /// The steps of a path: kinds as hexadecimal numbers, each with its value or expression.
    private bool TryPath()
    {
        if (!_reader.TryListHead(out var elements) || elements % 2 != 0)
        {
            return false;
        }

        Add("path(");
        for (var i = 0; i < elements; i += 2)
        {
            if (!_reader.TryInteger(out var kind))
            {
                return false;
            }

            Add(string.Create(CultureInfo.InvariantCulture, $"{(i > 0 ? ", " : "")}0x{kind:X2}: "));
            if (!((kind & 0x0F) == 0x04 ? TryExpression() : TryValue()))
            {
                return false;
            }
        }

        return Add(")");
    }

    private bool TryTyped(string prefix) => _reader.TryInteger(out var type) && Add(prefix + TypeName(type));

    private bool TryPart()
    {
        if (!_reader.TryInteger(out var part))
        {
            return false;
        }

        return Add(part switch
        {
            0 => "key",
            1 => "value",
            2 => "index",
            _ => part.ToString(CultureInfo.InvariantCulture),
        });
    }

    private bool TryName() => _reader.TryRead(out var item) && item.Kind is PackedKind.Text or PackedKind.Bytes or PackedKind.GeoJson
        && Quoted("\"", item.Raw);

    private bool TryValue()
    {
        if (!_reader.TryRead(out var item))
        {
            return false;
        }

        return item.Kind switch
        {
            PackedKind.Nil => Add("nil"),
            PackedKind.False => Add("false"),
            PackedKind.True => Add("true"),
            PackedKind.Integer => Add(item.Bits.ToString(CultureInfo.InvariantCulture)),
            PackedKind.Double => Add(item.Double.ToString("R", CultureInfo.InvariantCulture) + (double.IsInteger(item.Double) ? ".0" : "")),
            PackedKind.Text => Quoted("\"", item.Bytes),
            PackedKind.GeoJson => Quoted("geo\"", item.Bytes),
            PackedKind.Bytes => Add($"{TypeName((long)ExpTypes.Of((ParticleType)item.Tag))}'{Convert.ToHexString(item.Bytes)}'"),
            PackedKind.List => TryItems(item.Count, isMap: false),
            PackedKind.Map => TryItems(item.Count, isMap: true),
            PackedKind.Wildcard => Add("wildcard"),
            PackedKind.Infinity => Add("inf"),
            _ => Add(string.Create(CultureInfo.InvariantCulture, $"mark({item.Tag})")),
        };
    }

    private bool TryItems(int count, bool isMap)
    {
        if (++_depth > DepthMax)
        {
            return false;
        }

        Add(isMap ? "{" : "[");
        for (var i = 0; i < count; i++)
        {
            if ((i > 0 && !Add(", ")) || !TryValue() || (isMap && !(Add(": ") && TryValue())))
            {
                return false;
            }
        }

        _depth--;
        return Add(isMap ? "}" : "]");
    }

    private readonly bool Quoted(string opening, ReadOnlySpan<byte> bytes)
    {
        _text.Append(opening);
        foreach (var rune in Encoding.UTF8.GetString(bytes))
        {
            _text.Append(rune switch
            {
                '"' or '\\' => $"\\{rune}",
                _ when char.IsControl(rune) => $"\\u{(int)rune:X4}",
                _ => rune.ToString(),
            });
        }

        return Add("\"");
    }

    private static string TypeName(long type) => type switch
    {
        (long)ExpType.Nil => "nil",
        (long)ExpType.Bool => "bool",
        (long)ExpType.Integer => "int",
        (long)ExpType.String => "str",
        (long)ExpType.List => "list",
        (long)ExpType.Map => "map",
        (long)ExpType.Blob => "blob",
        (long)ExpType.Float => "float",
        (long)ExpType.Geo => "geo",
        (long)ExpType.Hll => "hll",
        _ => "any",
    };

    private readonly bool Add(string text)
    {
        _text.Append(text);
        return true;
    }
}

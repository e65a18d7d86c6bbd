using System.Buffers.Text;

namespace Aerie.DataModel.Geo;

/// Walks JSON text (RFC 8259). Every Try answers false where the text is something else; the walk is then over. Texts keep
/// their escapes: names that matter here have none.
public ref struct JsonText(ReadOnlySpan<byte> text, int offset = 0)
{
    /// Levels of objects and arrays inside each other that may be skipped.
    private const int DepthMax = 64;

    private readonly ReadOnlySpan<byte> _text = text;

    public int Offset { get; private set; } = offset;

    /// Nothing but space is left.
    public bool IsAtEnd => Peek() < 0;

    public bool Take(byte symbol)
    {
        if (Peek() != symbol)
        {
            return false;
        }

        Offset++;
        return true;
    }

    /// What stands between the quotes.
    public bool TryText(out ReadOnlySpan<byte> raw)
    {
        raw = default;
        if (!Take((byte)'"'))
        {
            return false;
        }

        for (var at = Offset; at < _text.Length; at++)
        {
            switch (_text[at])
            {
                case (byte)'"':
                    raw = _text[Offset..at];
                    Offset = at + 1;
                    return true;
                case (byte)'\\':
                    at++;
                    if (at >= _text.Length || !IsEscape(ref at))
                    {
                        return false;
                    }

                    break;
                case < 0x20:
                    return false;
            }
        }

        return false;
    }

    public bool TryNumber(out double number)
    {
        number = 0;
        _ = Peek();
        var start = Offset;
        if (!TrySkipNumber())
        {
            return false;
        }

        var digits = _text[start..Offset];
        return Utf8Parser.TryParse(digits, out number, out var used) && used == digits.Length && double.IsFinite(number);
    }

    /// Walks over one value of any kind.
    public bool TrySkip()
    {
        var depth = 0;
        ulong objects = 0; // one bit for each open level: it is an object
        while (true)
        {
            switch (Peek())
            {
                case '{' or '[' when depth == DepthMax:
                    return false;
                case '{':
                    Offset++;
                    if (Take((byte)'}'))
                    {
                        break;
                    }

                    objects = (objects << 1) | 1;
                    depth++;
                    if (!TrySkipName())
                    {
                        return false;
                    }

                    continue;
                case '[':
                    Offset++;
                    if (Take((byte)']'))
                    {
                        break;
                    }

                    objects <<= 1;
                    depth++;
                    continue;
                default:
                    if (!TrySkipScalar())
                    {
                        return false;
                    }

                    break;
            }

            while (depth > 0 && Take((objects & 1) != 0 ? (byte)'}' : (byte)']'))
            {
                objects >>= 1;
                depth--;
            }

            if (depth == 0)
            {
                return true;
            }

            if (!Take((byte)',') || ((objects & 1) != 0 && !TrySkipName()))
            {
                return false;
            }
        }
    }

    private bool TrySkipName() => TryText(out _) && Take((byte)':');

    private bool TrySkipScalar() => Peek() switch
    {
        '"' => TryText(out _),
        't' => TakeWord("true"u8),
        'f' => TakeWord("false"u8),
        'n' => TakeWord("null"u8),
        _ => TrySkipNumber(),
    };

    private bool TakeWord(ReadOnlySpan<byte> word)
    {
        if (!_text[Offset..].StartsWith(word))
        {
            return false;
        }

        Offset += word.Length;
        return true;
    }

    // -? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?
    private bool TrySkipNumber()
    {
        _ = TakeAt('-');
        if (!TakeAt('0') && SkipDigits() == 0)
        {
            return false;
        }

        if (TakeAt('.') && SkipDigits() == 0)
        {
            return false;
        }

        if (TakeAt('e') || TakeAt('E'))
        {
            _ = TakeAt('+') || TakeAt('-');
            return SkipDigits() > 0;
        }

        return true;
    }

    private bool TakeAt(char symbol)
    {
        if (Offset >= _text.Length || _text[Offset] != symbol)
        {
            return false;
        }

        Offset++;
        return true;
    }

    private int SkipDigits()
    {
        var start = Offset;
        while (Offset < _text.Length && char.IsAsciiDigit((char)_text[Offset]))
        {
            Offset++;
        }

        return Offset - start;
    }

    private readonly bool IsEscape(ref int at)
    {
        if (_text[at] != 'u')
        {
            return "\"\\/bfnrt"u8.Contains(_text[at]);
        }

        for (var i = 0; i < 4; i++)
        {
            at++;
            if (at >= _text.Length || !char.IsAsciiHexDigit((char)_text[at]))
            {
                return false;
            }
        }

        return true;
    }

    // The next byte behind space, or -1.
    private int Peek()
    {
        while (Offset < _text.Length && _text[Offset] is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n')
        {
            Offset++;
        }

        return Offset < _text.Length ? _text[Offset] : -1;
    }
}

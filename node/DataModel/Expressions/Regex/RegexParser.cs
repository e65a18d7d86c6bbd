namespace Aerie.DataModel.Expressions.Regex;

/// Reads a pattern and writes its machine as it goes: each piece leaves the states of itself at the end of the program, and
/// whatever repeats it puts states around them.
internal ref struct RegexParser(RegexProgram program, ReadOnlySpan<byte> pattern, RegexFlags flags)
{
    private const int DepthMax = 64;

    /// Copies that a counted repetition may ask for, the reference's limit. The number of states ends it long before.
    private const int RepeatMax = 32_767;

    private readonly ReadOnlySpan<byte> _pattern = pattern;
    private readonly bool _extended = (flags & RegexFlags.Extended) != 0;
    private readonly bool _ignoreCase = (flags & RegexFlags.IgnoreCase) != 0;
    private int _at;
    private int _depth;

    private enum Token
    {
        End,
        Byte,
        Any,
        Set,
        Star,
        Plus,
        Question,
        OpenCount,
        OpenGroup,
        CloseGroup,
        Or,
        LineBegin,
        LineEnd,
        Escape,
        Bad,
    }

    public bool TryParse() => TryAlternatives() && _at == _pattern.Length;

    private bool TryAlternatives()
    {
        var start = program.Count;
        if (!TryBranch())
        {
            return false;
        }

        if (Peek(out var length, atStart: false) != Token.Or)
        {
            return true;
        }

        // A split before the first one, a jump behind it; the rest follows. Each takes states, so this does not go deep.
        _at += length;
        var jump = program.Count + 1;
        if (!program.TryInsert(start, new RegexStep { Op = RegexOp.Split, A = 1, B = jump + 1 - start })
            || !program.TryAdd(new RegexStep { Op = RegexOp.Jump })
            || !TryAlternatives())
        {
            return false;
        }

        program[jump].A = program.Count - jump;
        return true;
    }

    private bool TryBranch()
    {
        for (var atStart = true; ; atStart = false)
        {
            switch (Peek(out _, atStart))
            {
                case Token.End or Token.Or:
                    return true;
                case Token.CloseGroup when _depth > 0:
                    return true;
                case Token.Bad:
                    return false;
            }

            var start = program.Count;
            if (!TryAtom(atStart, out var isAnchor) || !TryRepeats(start, isAnchor))
            {
                return false;
            }
        }
    }

    private bool TryAtom(bool atStart, out bool isAnchor)
    {
        isAnchor = false;
        var token = Peek(out var length, atStart);
        var value = _pattern[_at + length - 1];
        _at += length;
        switch (token)
        {
            case Token.Any:
                return TryAny();
            case Token.Set:
                return TrySet();
            case Token.LineBegin or Token.LineEnd:
                isAnchor = true;
                return program.TryAdd(new RegexStep { Op = token == Token.LineBegin ? RegexOp.LineBegin : RegexOp.LineEnd });
            case Token.OpenGroup:
                return TryGroup();
            case Token.Escape:
                return TryEscape(value);
            case Token.Byte or Token.CloseGroup:
                return TryByte(value);
            default:
                return TryOperatorAsAtom(value);
        }
    }

    // An operator with nothing before it: itself in basic patterns, a mistake in extended ones.
    private readonly bool TryOperatorAsAtom(byte value) => !_extended && TryByte(value);

    private bool TryGroup()
    {
        if (++_depth > DepthMax || !TryAlternatives() || Peek(out var length, atStart: false) != Token.CloseGroup)
        {
            return false;
        }

        _at += length;
        _depth--;
        return true;
    }

    private readonly bool TryByte(byte value)
    {
        if (!_ignoreCase || !char.IsAsciiLetter((char)value))
        {
            return program.TryAdd(new RegexStep { Op = RegexOp.Byte, A = value });
        }

        var set = default(RegexSet);
        set.Add(value);
        return TryAddSet(set);
    }

    private readonly bool TryAny()
    {
        var set = default(RegexSet);
        set.Add(0);
        if (program.ByLines)
        {
            set.Add('\n');
        }

        set.Invert();
        return TryAddSet(set);
    }

    private readonly bool TryAddSet(RegexSet set)
    {
        if (_ignoreCase)
        {
            set.IgnoreCase();
        }

        return program.TryAdd(new RegexStep { Op = RegexOp.Set, A = program.AddSet(set) });
    }

    private readonly bool TryEscape(byte name)
    {
        var op = name switch
        {
            (byte)'<' => RegexOp.WordBegin,
            (byte)'>' => RegexOp.WordEnd,
            (byte)'b' => RegexOp.WordEdge,
            (byte)'B' => RegexOp.NoWordEdge,
            (byte)'`' => RegexOp.TextBegin,
            (byte)'\'' => RegexOp.TextEnd,
            _ => RegexOp.Set,
        };
        if (op != RegexOp.Set)
        {
            return program.TryAdd(new RegexStep { Op = op });
        }

        var set = default(RegexSet);
        for (var value = 0; value < 256; value++)
        {
            var isIn = name is (byte)'w' or (byte)'W' ? IsWord((byte)value) : RegexSets.IsIn("space"u8, value);
            if (isIn != char.IsAsciiLetterUpper((char)name))
            {
                set.Add(value);
            }
        }

        return TryAddSet(set);
    }

    public static bool IsWord(byte value) => char.IsAsciiLetterOrDigit((char)value) || value == '_';

    private bool TrySet()
    {
        if (!RegexSets.TryRead(_pattern, ref _at, out var set, out var isInverted))
        {
            return false;
        }

        if (_ignoreCase)
        {
            set.IgnoreCase(); // before it is inverted: what is left out is left out in both cases
        }

        if (isInverted)
        {
            set.Invert();
            if (program.ByLines)
            {
                set.Remove('\n');
            }
        }

        return program.TryAdd(new RegexStep { Op = RegexOp.Set, A = program.AddSet(set) });
    }

    /// What stands behind an atom: any number of operators, each around all before it.
    private bool TryRepeats(int start, bool isAnchor)
    {
        while (true)
        {
            var token = Peek(out var length, atStart: isAnchor);
            int least = 0, most = -1;
            switch (token)
            {
                case Token.Star:
                    break;
                case Token.Plus:
                    least = 1;
                    break;
                case Token.Question:
                    most = 1;
                    break;
                case Token.OpenCount:
                    _at += length;
                    if (!TryCounts(out least, out most))
                    {
                        return false;
                    }

                    length = 0;
                    break;
                default:
                    return true;
            }

            _at += length;
            if (!TryRepeat(start, least, most))
            {
                return false;
            }
        }
    }

    /// `m}`, `m,}`, `,n}` or `m,n}`; in basic patterns the brace has its backslash.
    private bool TryCounts(out int least, out int most)
    {
        most = -1;
        var hasLeast = TryNumber(out least);
        if (_at < _pattern.Length && _pattern[_at] == ',')
        {
            _at++;
            most = TryNumber(out var upper) ? upper : -1;
        }
        else
        {
            most = least;
            if (!hasLeast)
            {
                return false;
            }
        }

        var close = _extended ? "}"u8 : "\\}"u8;
        if (!_pattern[_at..].StartsWith(close) || (most >= 0 && most < least))
        {
            return false;
        }

        _at += close.Length;
        return least <= RepeatMax && most <= RepeatMax;
    }

    private bool TryNumber(out int number)
    {
        number = 0;
        var start = _at;
        while (_at < _pattern.Length && char.IsAsciiDigit((char)_pattern[_at]))
        {
            number = Math.Min((number * 10) + _pattern[_at++] - '0', RepeatMax + 1);
        }

        return _at > start;
    }

    /// The states from `start` on, `least` to `most` times; `most` -1: without end.
    private readonly bool TryRepeat(int start, int least, int most)
    {
        var length = program.Count - start;
        if (most == 0)
        {
            program.CutTo(start);
            return true;
        }

        if (length == 0)
        {
            return true; // nothing, however often
        }

        for (var copy = 1; copy < least; copy++)
        {
            if (!program.TryRepeat(start, start + length))
            {
                return false;
            }
        }

        if (most < 0)
        {
            return TryRepeatWithoutEnd(start, length, least);
        }

        return TryRepeatOptionally(start, length, least, most);
    }

    private readonly bool TryRepeatWithoutEnd(int start, int length, int least)
    {
        if (least > 0)
        {
            // behind the last copy: once more, or on
            return program.TryAdd(new RegexStep { Op = RegexOp.Split, A = -length, B = 1 });
        }

        return program.TryInsert(start, new RegexStep { Op = RegexOp.Split, A = 1, B = length + 2 })
            && program.TryAdd(new RegexStep { Op = RegexOp.Jump, A = -length - 1 });
    }

    private readonly bool TryRepeatOptionally(int start, int length, int least, int most)
    {
        var origin = start;
        if (least == 0)
        {
            if (!program.TryInsert(start, new RegexStep { Op = RegexOp.Split, A = 1, B = length + 1 }))
            {
                return false;
            }

            origin = start + 1;
        }

        for (var copy = Math.Max(least, 1); copy < most; copy++)
        {
            if (!program.TryAdd(new RegexStep { Op = RegexOp.Split, A = 1, B = length + 1 }) || !program.TryRepeat(origin, origin + length))
            {
                return false;
            }
        }

        return true;
    }

    /// What stands next, and how many bytes it takes up to its last that matters.
    private readonly Token Peek(out int length, bool atStart)
    {
        length = 1;
        if (_at >= _pattern.Length)
        {
            return Token.End;
        }

        var value = _pattern[_at];
        if (value == '\\')
        {
            length = 2;
            return _at + 1 < _pattern.Length ? PeekEscaped(_pattern[_at + 1]) : Token.Bad;
        }

        return value switch
        {
            (byte)'.' => Token.Any,
            (byte)'[' => Token.Set,
            (byte)'*' => !_extended && atStart ? Token.Byte : Token.Star,
            (byte)'^' => _extended || atStart ? Token.LineBegin : Token.Byte,
            (byte)'$' => _extended || IsBasicEnd() ? Token.LineEnd : Token.Byte,
            _ => _extended ? PeekOperator(value) : Token.Byte,
        };
    }

    private static Token PeekOperator(byte value) => value switch
    {
        (byte)'+' => Token.Plus,
        (byte)'?' => Token.Question,
        (byte)'{' => Token.OpenCount,
        (byte)'(' => Token.OpenGroup,
        (byte)')' => Token.CloseGroup,
        (byte)'|' => Token.Or,
        _ => Token.Byte,
    };

    private readonly Token PeekEscaped(byte value)
    {
        if (value is (byte)'w' or (byte)'W' or (byte)'s' or (byte)'S' or (byte)'<' or (byte)'>' or (byte)'b' or (byte)'B' or (byte)'`'
            or (byte)'\'')
        {
            return Token.Escape;
        }

        if (value is >= (byte)'1' and <= (byte)'9')
        {
            return Token.Bad;
        }

        var token = _extended ? Token.Byte : PeekOperator(value);
        return token == Token.CloseGroup && _depth == 0 ? Token.Bad : token;
    }

    /// In basic patterns the dollar is an anchor only where a pattern, a group or an alternative ends.
    private readonly bool IsBasicEnd()
    {
        var rest = _pattern[(_at + 1)..];
        return rest.IsEmpty || rest.StartsWith("\\)"u8) || rest.StartsWith("\\|"u8);
    }
}

namespace Aerie.Lua.Library;

/// Matches Lua patterns with a bound on its steps: Lua's own matcher runs for hours on some patterns, and nothing can interrupt
/// it. Follows the reference manual of Lua 5.4, §6.4.1.
internal ref struct LuaPattern(ReadOnlySpan<byte> subject, ReadOnlySpan<byte> pattern, long stepsMax)
{
    public const int CapturesMax = 32;

    /// Levels of what a pattern may keep open at once.
    private const int DepthMax = 200;
    private const int Open = -1;
    private const int PositionOnly = -2;
    private const byte Escape = (byte)'%';

    private readonly ReadOnlySpan<byte> _subject = subject;
    private readonly ReadOnlySpan<byte> _pattern = pattern;
    private readonly long _stepsMax = stepsMax;
    private Captures _captures;
    private int _depth;

    [System.Runtime.CompilerServices.InlineArray(2 * CapturesMax)]
    private struct Captures
    {
        private int _first;
    }

    /// How far the work went, for all calls of TryMatch together.
    public long Steps { get; private set; }

    /// What is wrong with the pattern, or that it takes too long; null: nothing.
    public string? Problem { get; private set; }

    public int CaptureCount { get; private set; }

    /// Start of a capture in the subject.
    public readonly int Start(int capture) => _captures[2 * capture];

    /// Length of a capture; negative for one that stands for a position only.
    public readonly int Length(int capture) => _captures[(2 * capture) + 1];

    /// Whether the pattern, from `at` on, matches the subject from `start` on; and then where that ends.
    public int Match(int start, int at)
    {
        CaptureCount = 0;
        _depth = 0;
        var end = Run(start, at);
        for (var capture = 0; end >= 0 && capture < CaptureCount; capture++)
        {
            if (Length(capture) == Open)
            {
                Problem = "unfinished capture";
                return -1;
            }
        }

        return end;
    }

    // The end of the match, or -1. Tails of the pattern are followed in the loop; only what may have to be taken back recurses.
    private int Run(int s, int p)
    {
        if (++_depth > DepthMax)
        {
            Problem = "pattern too complex";
        }

        var end = -1;
        while (Problem is null)
        {
            if (++Steps > _stepsMax)
            {
                Problem = "pattern takes too many steps";
                break;
            }

            if (p == _pattern.Length)
            {
                end = s;
                break;
            }

            if (!Step(ref s, ref p, out end))
            {
                break;
            }
        }

        _depth--;
        return Problem is null ? end : -1;
    }

    // False: the rest was matched here, and `end` says with what result.
    private bool Step(ref int s, ref int p, out int end)
    {
        end = -1;
        switch (_pattern[p])
        {
            case (byte)'(':
                end = At(p + 1) == ')' ? BeginCapture(s, p + 2, PositionOnly) : BeginCapture(s, p + 1, Open);
                return false;
            case (byte)')':
                end = EndCapture(s, p + 1);
                return false;
            case (byte)'$' when p + 1 == _pattern.Length:
                end = s == _subject.Length ? s : -1;
                return false;
            case Escape when At(p + 1) == 'b':
                s = Balanced(s, p + 2);
                p += 4;
                return s >= 0;
            case Escape when At(p + 1) == 'f':
                return Frontier(s, ref p);
            case Escape when At(p + 1) is >= '0' and <= '9':
                s = Back(s, _pattern[p + 1]);
                p += 2;
                return s >= 0;
            default:
                return Single(ref s, ref p, out end);
        }
    }

    // One class, and how often it may come.
    private bool Single(ref int s, ref int p, out int end)
    {
        end = -1;
        var next = ClassEnd(p);
        if (Problem is not null)
        {
            return false;
        }

        switch (At(next))
        {
            case '?':
                if (Fits(s, p, next) && (end = Run(s + 1, next + 1)) >= 0)
                {
                    return false;
                }

                p = next + 1;
                return Problem is null;
            case '+':
                end = Fits(s, p, next) ? Most(s + 1, p, next) : -1;
                return false;
            case '*':
                end = Most(s, p, next);
                return false;
            case '-':
                end = Least(s, p, next);
                return false;
            default:
                var fits = Fits(s, p, next);
                s++;
                p = next;
                return fits;
        }
    }

    private int Most(int s, int p, int next)
    {
        var count = 0;
        while (Fits(s + count, p, next))
        {
            count++;
        }

        Steps += count;
        for (; count >= 0 && Problem is null; count--)
        {
            var end = Run(s + count, next + 1);
            if (end >= 0)
            {
                return end;
            }
        }

        return -1;
    }

    private int Least(int s, int p, int next)
    {
        while (Problem is null)
        {
            var end = Run(s, next + 1);
            if (end >= 0)
            {
                return end;
            }

            if (!Fits(s, p, next))
            {
                return -1;
            }

            s++;
        }

        return -1;
    }

    private int BeginCapture(int s, int p, int length)
    {
        if (CaptureCount >= CapturesMax)
        {
            Problem = "too many captures";
            return -1;
        }

        _captures[2 * CaptureCount] = s;
        _captures[(2 * CaptureCount) + 1] = length;
        CaptureCount++;
        var end = Run(s, p);
        CaptureCount -= end < 0 ? 1 : 0;
        return end;
    }

    private int EndCapture(int s, int p)
    {
        var capture = CaptureCount - 1;
        while (capture >= 0 && _captures[(2 * capture) + 1] != Open)
        {
            capture--;
        }

        if (capture < 0)
        {
            Problem = "invalid pattern capture";
            return -1;
        }

        _captures[(2 * capture) + 1] = s - _captures[2 * capture];
        var end = Run(s, p);
        if (end < 0)
        {
            _captures[(2 * capture) + 1] = Open;
        }

        return end;
    }

    private int Back(int s, byte digit)
    {
        var capture = digit - '1';
        if (capture < 0 || capture >= CaptureCount || Length(capture) == Open)
        {
            Problem = $"invalid capture index %{capture + 1}";
            return -1;
        }

        var length = Math.Max(Length(capture), 0);
        Steps += length / 16;
        return _subject.Length - s >= length && _subject.Slice(s, length).SequenceEqual(_subject.Slice(Start(capture), length))
            ? s + length
            : -1;
    }

    private int Balanced(int s, int p)
    {
        if (p + 1 >= _pattern.Length)
        {
            Problem = "malformed pattern (missing arguments to '%b')";
            return -1;
        }

        if (s >= _subject.Length || _subject[s] != _pattern[p])
        {
            return -1;
        }

        var open = 1;
        for (var at = s + 1; at < _subject.Length; at++, Steps++)
        {
            if (_subject[at] == _pattern[p + 1])
            {
                if (--open == 0)
                {
                    return at + 1;
                }
            }
            else if (_subject[at] == _pattern[p])
            {
                open++;
            }
        }

        return -1;
    }

    private bool Frontier(int s, ref int p)
    {
        p += 2;
        if (At(p) != '[')
        {
            Problem = "missing '[' after '%f' in pattern";
            return false;
        }

        var next = ClassEnd(p);
        if (Problem is not null)
        {
            return false;
        }

        var before = s == 0 ? (byte)0 : _subject[s - 1];
        var after = s < _subject.Length ? _subject[s] : (byte)0;
        var isFrontier = !InSet(before, p, next - 1) && InSet(after, p, next - 1);
        p = next;
        return isFrontier;
    }

    // Where the class that begins at p ends.
    private int ClassEnd(int p)
    {
        switch (_pattern[p++])
        {
            case Escape:
                if (p == _pattern.Length)
                {
                    Problem = "malformed pattern (ends with '%')";
                }

                return p + 1;
            case (byte)'[':
                return SetEnd(p);
            default:
                return p;
        }
    }

    private int SetEnd(int p)
    {
        p += At(p) == '^' ? 1 : 0;
        do
        {
            if (p >= _pattern.Length)
            {
                Problem = "malformed pattern (missing ']')";
                return p;
            }

            p += _pattern[p] == Escape ? 2 : 1;
            Steps++;
        }
        while (At(p) != ']');

        return p + 1;
    }

    private bool Fits(int s, int p, int next)
    {
        if (s >= _subject.Length)
        {
            return false;
        }

        var c = _subject[s];
        return _pattern[p] switch
        {
            (byte)'.' => true,
            Escape => PatternClass.Contains(_pattern[p + 1], c),
            (byte)'[' => InSet(c, p, next - 1),
            var literal => literal == c,
        };
    }

    // The set from '[' at p to ']' at last.
    private bool InSet(byte c, int p, int last)
    {
        var found = true;
        p++;
        if (_pattern[p] == '^')
        {
            found = false;
            p++;
        }

        for (; p < last; p++, Steps++)
        {
            if (_pattern[p] == Escape)
            {
                if (PatternClass.Contains(_pattern[++p], c))
                {
                    return found;
                }
            }
            else if (_pattern[p + 1] == '-' && p + 2 < last)
            {
                if (_pattern[p] <= c && c <= _pattern[p + 2])
                {
                    return found;
                }

                p += 2;
            }
            else if (_pattern[p] == c)
            {
                return found;
            }
        }

        return !found;
    }

    // Beyond the pattern there is nothing that means anything.
    private readonly int At(int p) => p < _pattern.Length ? _pattern[p] : 0;
}

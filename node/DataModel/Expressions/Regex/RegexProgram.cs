namespace Aerie.DataModel.Expressions.Regex;

/// A POSIX pattern, basic or extended, as a machine of states over bytes (the C locale: a character is a byte). Back references
/// are refused: no machine of bounded size can follow them. One object serves one pattern after the other.
internal sealed class RegexProgram
{
    /// States of a machine. A text costs at most that many steps per byte; counted repetition multiplies states.
    public const int StatesMax = 2048;

    private const int PatternMax = 4 * StatesMax;

    private RegexStep[] _steps = new RegexStep[32];
    private RegexSet[] _sets = new RegexSet[4];
    private int _setCount;

    public int Count { get; private set; }

    /// `^` and `$` stand at lines, and neither the dot nor an inverted set takes the end of a line.
    public bool ByLines { get; private set; }

    /// A match begins where the text does, or nowhere.
    public bool IsAnchored { get; private set; }

    /// The byte that every match begins with, or -1.
    public int FirstByte { get; private set; }

    public ReadOnlySpan<RegexStep> Steps => _steps.AsSpan(0, Count);

    public bool Matches(int set, byte value) => _sets[set].Has(value);

    public bool TryCompile(scoped ReadOnlySpan<byte> pattern, long flags)
    {
        Count = 0;
        _setCount = 0;
        ByLines = (flags & (long)RegexFlags.NewLine) != 0;
        var parser = new RegexParser(this, pattern, (RegexFlags)flags);
        if (pattern.Length > PatternMax || !parser.TryParse() || !TryAdd(new RegexStep { Op = RegexOp.Match }))
        {
            return false;
        }

        IsAnchored = !ByLines && _steps[0].Op == RegexOp.LineBegin;
        FirstByte = _steps[0].Op == RegexOp.Byte ? _steps[0].A : -1;
        return true;
    }

    public bool TryAdd(in RegexStep step)
    {
        if (Count >= StatesMax)
        {
            return false;
        }

        Reserve(1);
        _steps[Count++] = step;
        return true;
    }

    /// Puts a state in front of those from `at` on.
    public bool TryInsert(int at, in RegexStep step)
    {
        if (Count >= StatesMax)
        {
            return false;
        }

        Reserve(1);
        _steps.AsSpan(at, Count - at).CopyTo(_steps.AsSpan(at + 1));
        _steps[at] = step;
        Count++;
        return true;
    }

    /// Writes the states from `at` to `end` once more, behind all others.
    public bool TryRepeat(int at, int end)
    {
        if (Count + end - at > StatesMax)
        {
            return false;
        }

        Reserve(end - at);
        _steps.AsSpan(at, end - at).CopyTo(_steps.AsSpan(Count));
        Count += end - at;
        return true;
    }

    public void CutTo(int count) => Count = count;

    public int AddSet(in RegexSet set)
    {
        if (_setCount == _sets.Length)
        {
            Array.Resize(ref _sets, _sets.Length * 2);
        }

        _sets[_setCount] = set;
        return _setCount++;
    }

    public ref RegexStep this[int step] => ref _steps[step];

    private void Reserve(int count)
    {
        if (_steps.Length - Count < count)
        {
            Array.Resize(ref _steps, Math.Max(_steps.Length * 2, Count + count));
        }
    }
}

/// The wire's numbers, which are those of regcomp on the reference's platform. Whether groups are wanted makes no difference here.
[Flags]
internal enum RegexFlags
{
    Extended = 1,
    IgnoreCase = 2,
    NewLine = 4,
    NoGroups = 8,
}

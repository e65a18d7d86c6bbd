namespace Aerie.DataModel.Expressions.Regex;

/// Runs a pattern's machine over a text, all its threads side by side, one byte after the other: time is bounded by states times
/// bytes whatever the pattern, and nothing is ever tried again. Only whether there is a match is asked.
internal sealed class RegexMatcher
{
    private readonly RegexThreads _threads1 = new();
    private readonly RegexThreads _threads2 = new();
    private readonly int[] _pending = new int[(2 * RegexProgram.StatesMax) + 2];

    /// Unknown: `work` was used up before the end.
    public Trilean Run(RegexProgram program, ReadOnlySpan<byte> text, ref long work)
    {
        var (current, next) = (_threads1, _threads2);
        current.Clear();
        for (var at = 0; ; at++)
        {
            if (current.Count == 0 && !SkipTo(program, text, ref at))
            {
                return Trilean.False;
            }

            var mayBegin = !program.IsAnchored || at == 0;
            if (mayBegin && Enter(program, text, at, 0, current))
            {
                return Trilean.True;
            }

            if (at == text.Length)
            {
                return Trilean.False;
            }

            work -= current.Count + 1;
            if (work < 0)
            {
                return Trilean.Unknown;
            }

            next.Clear();
            if (Step(program, text, at, current, next))
            {
                return Trilean.True;
            }

            (current, next) = (next, current);
        }
    }

    /// With no thread alive: to where a match may begin. False: nowhere any more.
    private static bool SkipTo(RegexProgram program, ReadOnlySpan<byte> text, ref int at)
    {
        if (program.IsAnchored)
        {
            return at == 0;
        }

        if (program.FirstByte < 0)
        {
            return true;
        }

        var found = text[at..].IndexOf((byte)program.FirstByte);
        at += Math.Max(found, 0);
        return found >= 0;
    }

    private bool Step(RegexProgram program, ReadOnlySpan<byte> text, int at, RegexThreads current, RegexThreads next)
    {
        var value = text[at];
        var steps = program.Steps;
        for (var i = 0; i < current.Count; i++)
        {
            var state = current[i];
            ref readonly var step = ref steps[state];
            var takes = step.Op == RegexOp.Byte ? step.A == value : step.Op == RegexOp.Set && program.Matches(step.A, value);
            if (takes && Enter(program, text, at + 1, state + 1, next))
            {
                return true;
            }
        }

        return false;
    }

    /// Adds a state and all that can be reached from it without taking a byte. True: the end is among them.
    private bool Enter(RegexProgram program, ReadOnlySpan<byte> text, int at, int state, RegexThreads threads)
    {
        var steps = program.Steps;
        var count = 0;
        _pending[count++] = state;
        while (count > 0)
        {
            state = _pending[--count];
            if (!threads.TryAdd(state))
            {
                continue;
            }

            ref readonly var step = ref steps[state];
            switch (step.Op)
            {
                case RegexOp.Match:
                    return true;
                case RegexOp.Byte or RegexOp.Set:
                    break;
                case RegexOp.Jump:
                    _pending[count++] = state + step.A;
                    break;
                case RegexOp.Split:
                    _pending[count++] = state + step.B;
                    _pending[count++] = state + step.A;
                    break;
                default:
                    if (Holds(program, step.Op, text, at))
                    {
                        _pending[count++] = state + 1;
                    }

                    break;
            }
        }

        return false;
    }

    private static bool Holds(RegexProgram program, RegexOp op, ReadOnlySpan<byte> text, int at)
    {
        var afterWord = at > 0 && RegexParser.IsWord(text[at - 1]);
        var beforeWord = at < text.Length && RegexParser.IsWord(text[at]);
        return op switch
        {
            RegexOp.LineBegin => at == 0 || (program.ByLines && text[at - 1] == '\n'),
            RegexOp.LineEnd => at == text.Length || (program.ByLines && text[at] == '\n'),
            RegexOp.WordBegin => !afterWord && beforeWord,
            RegexOp.WordEnd => afterWord && !beforeWord,
            RegexOp.WordEdge => afterWord != beforeWord,
            RegexOp.NoWordEdge => afterWord == beforeWord,
            RegexOp.TextBegin => at == 0,
            _ => at == text.Length,
        };
    }
}

/// The states of the living threads, each once: a set that is emptied at no cost.
internal sealed class RegexThreads
{
    private readonly int[] _states = new int[RegexProgram.StatesMax + 1];
    private readonly int[] _places = new int[RegexProgram.StatesMax + 1];

    public int Count { get; private set; }

    public int this[int index] => _states[index];

    public void Clear() => Count = 0;

    public bool TryAdd(int state)
    {
        var place = _places[state];
        if (place < Count && _states[place] == state)
        {
            return false;
        }

        _places[state] = Count;
        _states[Count++] = state;
        return true;
    }
}

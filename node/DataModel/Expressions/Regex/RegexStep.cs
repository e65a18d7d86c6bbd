namespace Aerie.DataModel.Expressions.Regex;

internal enum RegexOp : byte
{
    /// One byte, given as a number.
    Byte,

    /// One byte out of a set.
    Set,

    /// Goes on at both places.
    Split,
    Jump,
    LineBegin,
    LineEnd,
    WordBegin,
    WordEnd,
    WordEdge,
    NoWordEdge,
    TextBegin,
    TextEnd,
    Match,
}

/// One state of a pattern's machine. Places are relative to the state itself: a run of states can be moved and repeated as it is.
internal struct RegexStep
{
    public RegexOp Op;

    /// The byte; the number of the set; where a jump leads; the first place of a split.
    public int A;

    /// The second place of a split.
    public int B;
}

/// A set of bytes.
internal struct RegexSet
{
    private ulong _a;
    private ulong _b;
    private ulong _c;
    private ulong _d;

    public readonly bool Has(byte value)
    {
        var word = value < 128 ? (value < 64 ? _a : _b) : value < 192 ? _c : _d;
        return ((word >> (value & 63)) & 1) != 0;
    }

    public void Add(int value)
    {
        var bit = 1UL << (value & 63);
        switch (value >> 6)
        {
            case 0:
                _a |= bit;
                break;
            case 1:
                _b |= bit;
                break;
            case 2:
                _c |= bit;
                break;
            default:
                _d |= bit;
                break;
        }
    }

    public void Remove(int value)
    {
        var only = default(RegexSet);
        only.Add(value);
        _a &= ~only._a;
        _b &= ~only._b;
        _c &= ~only._c;
        _d &= ~only._d;
    }

    public void Invert()
    {
        _a = ~_a;
        _b = ~_b;
        _c = ~_c;
        _d = ~_d;
    }

    public void IgnoreCase()
    {
        for (int lower = 'a', upper = 'A'; lower <= 'z'; lower++, upper++)
        {
            if (Has((byte)lower) || Has((byte)upper))
            {
                Add(lower);
                Add(upper);
            }
        }
    }
}

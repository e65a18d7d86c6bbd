using System.Buffers.Binary;
using Aerie.DataModel.Bins;
using Aerie.DataModel.Cdt;
using Aerie.DataModel.Expressions.Regex;
using Aerie.DataModel.Geo;
using Aerie.DataModel.Hll;
using Aerie.DataModel.Packed;

namespace Aerie.DataModel.Expressions;

/// What evaluation writes into: variables, arguments of calls, results. One per thread. A result handed out stays readable until
/// the next evaluation with the same scratch.
public sealed class ExpScratch
{
    /// Bytes that one evaluation may look at inside calls, comparisons of lists, patterns and copies. A request of a few bytes can
    /// ask for any amount of work on a large record; above this the rest of it is unknown.
    public const long WorkMax = 64L * 1024 * 1024;

    private const int BytesMax = 16 * 1024 * 1024;

    private readonly ExpVariableValue[] _variables = new ExpVariableValue[ExpProgram.VariablesMax];
    private readonly Stack<ExpProgram> _programs = new();
    private long _workLeft;

    /// Texts and lists that evaluation makes itself.
    internal GrowingBytes Results { get; } = new(BytesMax);

    /// Calls with arguments that were evaluated, one inside the other.
    internal GrowingBytes Calls { get; } = new(BytesMax);

    /// What paths come to, while they are taken, one inside the other.
    internal GrowingBytes Paths { get; } = new(BytesMax);

    internal OpOutcome Outcome { get; } = new(new GrowingBytes(BytesMax), new GrowingBytes(BytesMax));

    internal CdtScratch Cdt => field ??= new CdtScratch();

    internal GeoScratch Geo => field ??= new GeoScratch();

    internal HllScratch Hll => field ??= new HllScratch();

    private RegexMatcher Matcher => field ??= new RegexMatcher();


    /// A program to compile into, of which there may be several at once; given back when its command is done.
    public ExpProgram Rent() => _programs.TryPop(out var program) ? program : new ExpProgram();

    /// How regions that are written into bins are covered: the namespace's setting.
    public CoveringOptions Covering { get; set; } = CoveringOptions.Default;

    /// What it was compiled from stays: the next to rent it may bring the same.
    public void Return(ExpProgram program)
    {
        program.Trim();
        _programs.Push(program);
    }

    internal ref ExpVariableValue Variable(long number) => ref _variables[number];

    internal void Begin()
    {
        Results.Clear();
        Calls.Clear();
        Paths.Clear();
        Outcome.Value.Clear();
        Outcome.Reply.Clear();
        _workLeft = WorkMax;
    }

    /// Where the memory of results stands, for a loop that evaluates one expression again and again.
    internal ExpMark Mark() => new(Results.Length, Outcome.Value.Length, Outcome.Reply.Length);

    internal void Release(ExpMark mark)
    {
        Results.WindBack(mark.Results);
        Outcome.Value.WindBack(mark.Values);
        Outcome.Reply.WindBack(mark.Replies);
    }

    /// False: there has been too much of it already.
    internal bool Spend(long work)
    {
        _workLeft -= work;
        return _workLeft >= 0;
    }

    /// Keeps bytes for the rest of the evaluation. False: no room, or too much work.
    internal bool TryKeep(scoped ReadOnlySpan<byte> bytes, out int offset)
    {
        offset = Results.Length;
        if (!Spend(bytes.Length))
        {
            return false;
        }

        Results.Append(bytes);
        return IsWhole(offset);
    }

    internal ReadOnlySpan<byte> Kept(int offset, int length) => Results.Read(offset, length);

    /// Whether all that was written from `offset` on did fit; if not, it is taken back.
    internal bool IsWhole(int offset)
    {
        var isWhole = !Results.Overflowed;
        if (!isWhole)
        {
            Results.WindBack(offset);
        }

        return isWhole;
    }

    internal Trilean Match(RegexProgram pattern, ReadOnlySpan<byte> text) => Matcher.Run(pattern, text, ref _workLeft);

    /// The value as bins keep it: integers and floats as eight bytes, GeoJSON with an empty head. False: no room, or no value
    /// that a bin can have.
    internal bool TryStore(ExpValue value, out BinValue bin)
    {
        var offset = Results.Length;
        switch (value.Type)
        {
            case ExpType.Nil:
                bin = default;
                return true;
            case ExpType.Bool:
                Results.Append((byte)value.Bits);
                break;
            case ExpType.Integer or ExpType.Float:
                BinaryPrimitives.WriteInt64BigEndian(Results.Reserve(sizeof(long)), value.Bits);
                Results.Commit(sizeof(long));
                break;
            case ExpType.Geo:
                Results.Append([0, 0, 0]);
                Results.Append(value.Bytes);
                break;
            case ExpType.Remove:
                bin = default;
                return false;
            default:
                bin = new BinValue(ExpTypes.Particle(value.Type), value.Bytes);
                return true;
        }

        var isWhole = IsWhole(offset);
        bin = isWhole ? new BinValue(ExpTypes.Particle(value.Type), Results.Read(offset, Results.Length - offset)) : default;
        return isWhole;
    }
}

internal readonly record struct ExpMark(int Results, int Values, int Replies);

/// What a variable of `let` holds: a scalar, or bytes kept in the results.
internal struct ExpVariableValue
{
    public bool IsKnown;
    public ExpType Type;
    public long Bits;
    public int Offset;
    public int Length;
}

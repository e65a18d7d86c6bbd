using System.Numerics;
using Aerie.DataModel;
using Aerie.DataModel.Hll;
using Aerie.Foundation;
using Aerie.Node.Tests.DataModel.Operations;

namespace Aerie.Node.Tests.DataModel.Hll;

/// A sketch to be made: its shape and its values.
internal sealed record SketchPlan(int IndexBits, int MinhashBits, string[] Values)
{
    public NaiveHll Make() => new NaiveHll(IndexBits, MinhashBits).With(Values);

    public override string ToString() => $"({IndexBits}, {MinhashBits}: {string.Join(' ', Values)})";
}

/// One operation on a sketch. Clients leave bits unsaid as -1.
internal sealed record HllStep(int Code)
{
    public string[] Values { get; init; } = [];

    public SketchPlan[] Sketches { get; init; } = [];

    public int IndexBits { get; init; } = -1;

    public int MinhashBits { get; init; } = -1;

    public int Flags { get; init; }

    public object[] Call => Code switch
    {
        0 => [Code, IndexBits, MinhashBits, Flags],
        1 => [Code, Values.ToArray<object>(), IndexBits, MinhashBits, Flags],
        2 => [Code, Packed, Flags],
        4 => [Code, IndexBits],
        >= 51 and <= 54 => [Code, Packed],
        56 => [Code, Values.ToArray<object>()],
        _ => [Code],
    };

    private object[] Packed => [.. Sketches.Select(plan => new Tagged(ParticleType.Hll, plan.Make().Bytes(0)))];

    public override string ToString() => $"{Code}: values {string.Join(' ', Values)}, " +
        $"sketches {string.Join<SketchPlan>(' ', Sketches)}, bits {IndexBits} {MinhashBits}, flags {Flags}";
}

/// A sketch by definition: for each register all that ever came to it, as numbers of any size.
internal sealed class NaiveHll(int indexBits, int minhashBits)
{
    private readonly List<BigInteger>[] _came = [.. Enumerable.Range(0, 1 << indexBits).Select(_ => new List<BigInteger>())];

    public int IndexBits => indexBits;

    public int MinhashBits => minhashBits;

    public BigInteger[] Registers => [.. _came.Select(came => came.Count == 0 ? 0 : came.Max())];

    public NaiveHll With(IEnumerable<string> values)
    {
        foreach (var value in values)
        {
            _ = Add(value);
        }

        return this;
    }

    public bool Add(string value)
    {
        var (register, number) = Place(value);
        var rises = number > Registers[register];
        _came[register].Add(number);
        return rises;
    }

    public bool MayContain(string value)
    {
        var (register, number) = Place(value);
        return Registers[register] >= number;
    }

    public static NaiveHll Unite(IReadOnlyList<NaiveHll> sketches)
    {
        var isOneShape = sketches.All(sketch => (sketch.IndexBits, sketch.MinhashBits) == (sketches[0].IndexBits, sketches[0].MinhashBits));
        var union = new NaiveHll(sketches.Min(sketch => sketch.IndexBits), isOneShape ? sketches[0].MinhashBits : 0);
        foreach (var sketch in sketches)
        {
            var dropped = sketch.MinhashBits - union.MinhashBits;
            for (var i = 0; i < sketch._came.Length; i++)
            {
                union._came[i % union._came.Length].AddRange(sketch._came[i].Select(number => number >> dropped));
            }
        }

        return union;
    }

    public NaiveHll Folded(int bits) => Unite([this, new NaiveHll(bits, minhashBits)]);

    public byte[] Bytes(long count)
    {
        var header = $"{0:b8}{indexBits:b8}{minhashBits:b8}{count:b64}";
        var bits = header + string.Concat(Registers.Select(register => ((ulong)register).ToString("b" + (6 + minhashBits))));
        return [.. bits.Chunk(8).Select(chunk => Convert.ToByte(new string(chunk), 2))];
    }

    /// Ertl's estimator as its definition puts it: sums of infinite series, cut where nothing is added any more.
    public double Estimate()
    {
        var m = (double)_came.Length;
        var ranks = Registers.Select(register => (int)(register >> minhashBits)).ToList();
        double Share(Func<int, bool> of) => ranks.Count(of) / m;
        var empty = Share(rank => rank == 0);
        var notFull = 1 - Share(rank => rank == 63);
        var sigma = empty == 1 ? double.PositiveInfinity
            : empty + Enumerable.Range(1, 60).Sum(k => Math.Pow(empty, Math.Pow(2, k)) * Math.Pow(2, k - 1));
        double Term(int k) => Math.Pow(1 - Math.Pow(notFull, Math.Pow(2, -k)), 2) * Math.Pow(2, -k);
        var tau = (1 - notFull - Enumerable.Range(1, 60).Sum(Term)) / 3;
        var sum = sigma * m + Enumerable.Range(1, 62).Sum(k => m * Share(rank => rank == k) * Math.Pow(2, -k)) + m * tau * Math.Pow(2, -62);
        return m * m / (2 * Math.Log(2) * sum);
    }

    private (int Register, BigInteger Number) Place(string value)
    {
        var (low, high) = Murmur3.Hash(PackedCall.Of(value).AsSpan(1)); // without the list around it
        var zeros = 0;
        while (zeros < 62 && ((high >> zeros) & 1) == 0)
        {
            zeros++;
        }

        var minhash = (low >> indexBits) % (BigInteger)Math.Pow(2, minhashBits);
        return ((int)(low % (ulong)(1 << indexBits)), ((BigInteger)(zeros + 1) << minhashBits) + minhash);
    }
}

/// A bin that holds such a sketch. What the wire forbids is said here a second time.
internal sealed class NaiveHllBin
{
    private const int CreateOnly = 1, UpdateOnly = 2, NoFail = 4, AllowFold = 8;

    private bool _isCounted;

    public NaiveHll? Sketch { get; private set; }

    public double? Reply { get; private set; }

    /// A reply that has been cut to a whole number after arithmetic that may end just below or above one.
    public bool IsEstimate { get; private set; }

    public NaiveHll? ReplySketch { get; private set; }

    public byte[] Bytes => Sketch?.Bytes(_isCounted ? (long)Sketch.Estimate() : 0) ?? [];

    public ResultCode Take(HllStep step)
    {
        (Reply, IsEstimate, ReplySketch) = (null, false, null);
        if (IsMalformed(step))
        {
            return ResultCode.Parameter;
        }

        var result = step.Code >= 50 ? Read(step) : Modify(step);
        return (step.Flags & NoFail) != 0 && step.Code <= 2 ? ResultCode.Ok : result;
    }

    private static bool IsMalformed(HllStep step)
    {
        var isIndex = step.IndexBits is >= 4 and <= 16 || (step.IndexBits == -1 && step.Code != 4);
        var isMinhash = step.MinhashBits is -1 or 0 or (>= 4 and <= 51);
        var allowed = step.Code switch { 0 => 7, 1 => 5, 2 => 15, _ => 0 };
        return (step.Code is 0 or 1 or 4 && !isIndex)
            || (step.Code is 0 or 1 && (!isMinhash || step.IndexBits + step.MinhashBits > 64))
            || (step.Code <= 2 && ((step.Flags & ~allowed) != 0 || (step.Flags & 3) == 3))
            || (step.Code is 2 or (>= 51 and <= 54) && step.Sketches.Length == 0);
    }

    private ResultCode Modify(HllStep step)
    {
        if (Sketch is null && (step.Code > 2 || (step.Flags & UpdateOnly) != 0))
        {
            return ResultCode.BinNotFound;
        }

        if (Sketch is not null && (step.Flags & CreateOnly) != 0 && step.Code <= 2)
        {
            return ResultCode.BinExists;
        }

        switch (step.Code)
        {
            case 0:
                var index = step.IndexBits >= 0 ? step.IndexBits : Sketch?.IndexBits ?? -1;
                var minhash = step.MinhashBits >= 0 ? step.MinhashBits : Sketch?.MinhashBits ?? 0;
                return index < 0 || index + minhash > 64 ? ResultCode.OpNotApplicable : Change(new NaiveHll(index, minhash));
            case 1:
                return Add(step);
            case 2:
                return Unite(step);
            case 3:
                (Reply, IsEstimate) = (Sketch!.Estimate(), true);
                _isCounted = Reply >= 1;
                return ResultCode.Ok;
            default:
                return Sketch!.MinhashBits > 0 || step.IndexBits > Sketch.IndexBits ? ResultCode.OpNotApplicable
                    : step.IndexBits == Sketch.IndexBits ? ResultCode.Ok
                    : Change(Sketch.Folded(step.IndexBits));
        }
    }

    private ResultCode Add(HllStep step)
    {
        if (Sketch is null && step.IndexBits < 0)
        {
            return ResultCode.OpNotApplicable;
        }

        Sketch ??= new NaiveHll(step.IndexBits, Math.Max(0, step.MinhashBits));
        var raised = step.Values.Count(Sketch.Add);
        _isCounted &= raised == 0;
        Reply = raised;
        return ResultCode.Ok;
    }

    private ResultCode Unite(HllStep step)
    {
        var others = step.Sketches.Select(plan => plan.Make()).ToList();
        if (Sketch is null)
        {
            return Change(NaiveHll.Unite(others));
        }

        var union = NaiveHll.Unite([Sketch, .. others]);
        var keepsShape = (union.IndexBits, union.MinhashBits) == (Sketch.IndexBits, Sketch.MinhashBits);
        if (!keepsShape && (step.Flags & AllowFold) == 0)
        {
            return ResultCode.OpNotApplicable;
        }

        _isCounted &= keepsShape && union.Registers.SequenceEqual(Sketch.Registers);
        Sketch = union;
        return ResultCode.Ok;
    }

    private ResultCode Change(NaiveHll sketch)
    {
        (Sketch, _isCounted) = (sketch, false);
        return ResultCode.Ok;
    }

    private ResultCode Read(HllStep step)
    {
        if (Sketch is null)
        {
            return ResultCode.Ok;
        }

        var all = step.Sketches.Where(_ => step.Code != 50).Select(plan => plan.Make()).Prepend(Sketch).ToList();
        switch (step.Code)
        {
            case 50 or 52:
                (Reply, IsEstimate) = (NaiveHll.Unite(all).Estimate(), true);
                return ResultCode.Ok;
            case 51:
                ReplySketch = NaiveHll.Unite(all);
                return ResultCode.Ok;
            case 53 or 54:
                return Intersect(step, all);
            case 56:
                Reply = step.Values.All(Sketch.MayContain) ? 1 : 0;
                return ResultCode.Ok;
            default:
                return ResultCode.Ok;
        }
    }

    private ResultCode Intersect(HllStep step, List<NaiveHll> all)
    {
        static bool Comparable(IReadOnlyList<NaiveHll> sketches) => sketches.All(sketch =>
            sketch.MinhashBits > 0 && (sketch.IndexBits, sketch.MinhashBits) == (sketches[0].IndexBits, sketches[0].MinhashBits));
        var union = NaiveHll.Unite(all);
        if (Comparable(all))
        {
            var filled = Enumerable.Range(0, 1 << union.IndexBits).Where(i => union.Registers[i] > 0).ToList();
            var share = filled.Count(i => all.All(sketch => sketch.Registers[i] == union.Registers[i])) / (double)filled.Count;
            (Reply, IsEstimate) = (step.Code == 54 ? share : filled.Count == 0 ? 0 : share * Math.Floor(union.Estimate()), step.Code == 53);
            return ResultCode.Ok;
        }

        if (all.Count > 3)
        {
            return Comparable(all[1..]) ? ResultCode.OpNotApplicable : ResultCode.Parameter;
        }

        // Inclusion and exclusion over every choice of members, each brought to the common shape.
        var plain = all.Select(sketch => Plain(sketch, union)).ToList();
        double Together(int choice) => Math.Floor(NaiveHll.Unite([.. plain.Where((_, i) => (choice >> i & 1) == 1)]).Estimate());
        var count = Enumerable.Range(1, (1 << all.Count) - 1)
            .Sum(choice => (BitOperations.PopCount((uint)choice) % 2 == 1 ? 1 : -1) * Together(choice));
        var whole = Together((1 << all.Count) - 1);
        count = Math.Clamp(count, 0, whole);
        (Reply, IsEstimate) = (step.Code == 54 ? count / whole : count, false);
        return ResultCode.Ok;
    }

    private static NaiveHll Plain(NaiveHll sketch, NaiveHll common) =>
        NaiveHll.Unite([sketch, new NaiveHll(common.IndexBits, common.MinhashBits)]);
}

using Aerie.DataModel;
using Aerie.DataModel.Bins;
using Aerie.DataModel.Expressions;
using Aerie.Foundation;

namespace Aerie.Fuzz;

/// Any bytes as an expression on a record that has a bin of each type: shown as text, compiled, evaluated as a filter, with and
/// without the record, and as a value.
internal static class ExpFuzz
{
    // A service thread keeps its own, too.
    [ThreadStatic]
    private static ExpScratch? _keptScratch;

    public static void Run(ReadOnlySpan<byte> input)
    {
        var scratch = _keptScratch ??= new ExpScratch();
        var program = scratch.Rent();
        Invariant.Holds(ExpText.Of(input).Length <= (64L * input.Length) + 256);
        if (ExpCompiler.Compile(input, program) == ResultCode.Ok)
        {
            var early = ExpEvaluation.EvaluateMetadata(program, scratch, default(OneOfEach));
            var late = ExpEvaluation.EvaluateFilter(program, scratch, default(OneOfEach));
            Invariant.Holds(early == Trilean.Unknown || early == late);
            var code = ExpEvaluation.EvaluateValue(program, scratch, default(OneOfEach), out var value);
            Invariant.Holds(code is ResultCode.Ok or ResultCode.OpNotApplicable or ResultCode.RecordTooBig);
            Invariant.Holds(code != ResultCode.Ok || value.IsMissing || ParticleTypes.IsStorable((byte)value.Type, value.Bytes));
        }

        scratch.Return(program);
    }

    private readonly struct OneOfEach : IRecordView
    {
        public ReadOnlySpan<byte> SetName => "set"u8;

        public Digest Digest => default;

        public long LastUpdateTime => CitrusTime.EpochUnixMilliseconds;

        public uint VoidTime => 1000;

        public bool IsTombstone => false;

        public long Now => CitrusTime.EpochUnixMilliseconds + 1;

        public BinValue Key => new(ParticleType.String, "key"u8);

        public long RecordSize => 100;

        /// By the first letter of the name.
        public bool TryBin(scoped ReadOnlySpan<byte> name, out BinValue value)
        {
            value = name[0] switch
            {
                (byte)'i' => new BinValue(ParticleType.Integer, [0, 0, 0, 0, 0, 0, 0, 9]),
                (byte)'f' => new BinValue(ParticleType.Double, [0x40, 0, 0, 0, 0, 0, 0, 0]),
                (byte)'s' => new BinValue(ParticleType.String, "abcbc"u8),
                (byte)'b' => new BinValue(ParticleType.Bytes, [1, 2, 3, 4]),
                (byte)'l' => new BinValue(ParticleType.List, [0x94, 10, 0x92, 1, 2, 30, 0xA2, 3, (byte)'x']),
                (byte)'m' => new BinValue(ParticleType.Map, [0x82, 0xA2, 3, (byte)'a', 1, 0xA2, 3, (byte)'b', 0x81, 1, 2]),
                (byte)'g' => new BinValue(ParticleType.GeoJson, "\0\0\0{\"type\":\"Point\",\"coordinates\":[1,2]}"u8),
                (byte)'y' => new BinValue(ParticleType.Bool, [1]),
                _ => default,
            };
            return !value.IsMissing;
        }
    }
}

namespace Aerie.Fuzz;

/// Feeds one input to a parser. It must return for every input: what the parser reports as bad input is fine, an
/// exception is a finding.
internal delegate void FuzzTarget(ReadOnlySpan<byte> input);

/// All parsers that meet bytes of strangers. The key is also the folder of seeds in corpus/.
internal static class FuzzTargets
{
    public static IReadOnlyDictionary<string, FuzzTarget> All { get; } = new SortedDictionary<string, FuzzTarget>(StringComparer.Ordinal)
    {
        ["bits"] = BitsFuzz.Run,
        ["cdt"] = CdtFuzz.Run,
        ["config"] = ConfigFuzz.Run,
        ["expressions"] = ExpFuzz.Run,
        ["geo"] = GeoFuzz.Run,
        ["hll"] = HllFuzz.Run,
        ["info"] = InfoFuzz.Run,
        ["message"] = MessageFuzz.Run,
        ["packed"] = PackedFuzz.Run,
        ["storage"] = StorageFuzz.Run,
        ["udf"] = UdfFuzz.Run,
    };
}

using Aerie.Client;

namespace Aerie.Soak.Mixed;

/// What a record must look like. One bin per particle type, each under a name of its own, so that no operation meets a
/// bin of the wrong type.
internal sealed class ModelRecord
{
    public const string Number = "n";
    public const string Fraction = "d";
    public const string Text = "s";
    public const string Blob = "b";
    public const string Flag = "t";

    private const int GenerationMax = ushort.MaxValue;

    public uint Generation { get; private set; }

    public SortedDictionary<string, Value> Bins { get; } = new(StringComparer.Ordinal);

    public void Written() => Generation = Generation == GenerationMax ? 1 : Generation + 1;

    public void Put(IEnumerable<Bin> bins)
    {
        foreach (var bin in bins)
        {
            Bins[bin.Name] = bin.Value;
        }
    }

    public long LongOf(string bin) => Bins.TryGetValue(bin, out var value) ? value.AsLong() : 0;

    public string TextOf(string bin) => Bins.TryGetValue(bin, out var value) ? value.AsString() : "";

    /// Null: as it must be. Otherwise what is wrong with it.
    public static string? Difference(ModelRecord? expected, Record? found, IReadOnlyList<string>? names = null)
    {
        if (expected is null || found is null)
        {
            return expected is null && found is null
                ? null
                : $"expected {(expected is null ? "none" : "one")}, found {(found is null ? "none" : "one")}";
        }

        if (found.Generation != expected.Generation)
        {
            return $"generation {found.Generation}, not {expected.Generation}";
        }

        var wanted = expected.Bins.Where(bin => names is null || names.Contains(bin.Key)).ToList();
        if (wanted.Count != found.Bins.Count)
        {
            return $"bins {string.Join(',', found.Bins.Select(bin => bin.Name))}, not {string.Join(',', wanted.Select(bin => bin.Key))}";
        }

        return wanted.Where(bin => found[bin.Key] != bin.Value)
            .Select(bin => $"bin {bin.Key} is {found[bin.Key]}, not {bin.Value}")
            .FirstOrDefault();
    }
}

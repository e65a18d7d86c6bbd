using System.Globalization;

namespace Aerie.Fuzz;

/// What the command line says; null when it makes no sense.
internal sealed record Options(string Target, long Inputs, int Seed, string Corpus, string? Replay)
{
    public IReadOnlyList<string> Targets => Target == "all" ? [.. FuzzTargets.All.Keys] : [Target];

    public static Options? Parse(string[] args)
    {
        if (args.Length == 0 || args.Length % 2 == 0 || (args[0] != "all" && !FuzzTargets.All.ContainsKey(args[0])))
        {
            return null;
        }

        var options = new Options(args[0], 100_000, 1, "tests/Fuzz/corpus", null);
        foreach (var pair in args.Skip(1).Chunk(2))
        {
            switch (pair[0])
            {
                case "--inputs": options = options with { Inputs = long.Parse(pair[1], CultureInfo.InvariantCulture) }; break;
                case "--seed": options = options with { Seed = int.Parse(pair[1], CultureInfo.InvariantCulture) }; break;
                case "--corpus": options = options with { Corpus = pair[1] }; break;
                case "--replay": options = options with { Replay = pair[1] }; break;
                default: return null;
            }
        }

        return options.Replay is not null && options.Target == "all" ? null : options;
    }
}

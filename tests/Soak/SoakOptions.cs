using System.Globalization;

namespace Aerie.Soak;

/// What a run was started with: `--name value`, over and over. Each run says which names it knows; all know --port and
/// --node-bin.
internal sealed class SoakOptions
{
    private static readonly string[] Texts = ["--mode", "--node-bin", "--file"];

    private static readonly Dictionary<string, string[]> KnownBy = new(StringComparer.Ordinal)
    {
        ["mixed"] = ["--minutes", "--connections", "--seed"],
        ["udf"] = ["--minutes", "--errors", "--connections", "--seed"],
        ["idle"] = ["--connections"],
        ["crash"] = ["--kills", "--mode", "--connections", "--seed"],
        ["memory"] = ["--records", "--value-size", "--cycle-records"],
        ["steady"] = ["--minutes", "--connections", "--value-size", "--file-mb", "--used-pct", "--rate", "--file"],
        ["restart"] = ["--records", "--value-size", "--file"],
    };

    private readonly Dictionary<string, string> _given = new(StringComparer.Ordinal);

    private SoakOptions(string run) => Run = run;

    public string Run { get; }

    public string? Text(string name) => _given.GetValueOrDefault(name);

    public double Number(string name, double otherwise) =>
        _given.TryGetValue(name, out var value) ? double.Parse(value, CultureInfo.InvariantCulture) : otherwise;

    public int Int(string name, int otherwise) => (int)Number(name, otherwise);

    /// Null and one line that says what is wrong.
    public static SoakOptions? Parse(IReadOnlyList<string> arguments, out string complaint)
    {
        complaint = $"usage: Aerie.Soak {string.Join('|', KnownBy.Keys)} [--name value]…";
        if (arguments.Count == 0 || !KnownBy.TryGetValue(arguments[0], out var known))
        {
            return null;
        }

        var options = new SoakOptions(arguments[0]);
        known = [.. known, "--port", "--node-bin"];
        for (var at = 1; at < arguments.Count; at += 2)
        {
            var name = arguments[at];
            if (!known.Contains(name))
            {
                complaint = $"{options.Run} knows {string.Join(", ", known)}; not {name}";
                return null;
            }

            if (at + 1 == arguments.Count
                || !(Texts.Contains(name) || double.TryParse(arguments[at + 1], CultureInfo.InvariantCulture, out _)))
            {
                complaint = $"{name} needs a {(Texts.Contains(name) ? "value" : "number")} behind it";
                return null;
            }

            options._given[name] = arguments[at + 1];
        }

        return options;
    }
}

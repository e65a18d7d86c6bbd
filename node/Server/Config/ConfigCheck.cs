using System.Reflection;
using Aerie.Foundation;

namespace Aerie.Server.Config;

public enum ConfigKind
{
    Conf,
    Yaml,
}

/// From the text of a file to options, or to everything that is wrong with it. The start of the node and --check-config both come
/// through here, so a file that passes the check is a file that starts.
public static class ConfigCheck
{
    private const string DefaultResource = "Aerie.Server.Config.default.conf";

    /// Pure: what it needs of the world is in the arguments.
    public static ConfigReport Run(
        string text,
        ConfigKind kind,
        string fileName,
        ParameterTable table,
        IReadOnlyDictionary<string, string> environment,
        MachineFacts machine)
    {
        Findings findings = new();
        ConfigNode tree = kind == ConfigKind.Yaml
            ? YamlConfig.Parse(text, table, environment, findings)
            : ConfigParser.Parse(text, environment, findings);
        Settings settings = SettingsReader.Read(tree, table, findings);
        OldParameters.Apply(settings, table);
        EffectiveDefaults.Fill(settings, machine);
        ConsistencyChecks.Run(settings, machine, findings);
        Unsupported.Tell(settings, findings);
        return new ConfigReport(fileName, findings.InOrder(), settings, findings.HasProblems ? null : NodeOptions.From(settings));
    }

    public static ConfigKind KindOf(string fileName) =>
        Path.GetExtension(fileName).ToLowerInvariant() is ".yaml" or ".yml" ? ConfigKind.Yaml : ConfigKind.Conf;

    /// The text of the configuration that a node without a file runs with.
    public static string DefaultText()
    {
        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(DefaultResource)
            ?? throw new InvariantException($"resource {DefaultResource} is missing");
        using StreamReader reader = new(stream);
        return reader.ReadToEnd();
    }
}

/// What came out of a check. `Options` is null exactly when there are problems: a node cannot start from such a report.
public sealed record ConfigReport(string FileName, IReadOnlyList<Finding> Findings, Settings Settings, NodeOptions? Options)
{
    public bool HasProblems => Options == null;

    public int ExitCode => HasProblems ? 1 : 0;

    /// `file:line: problem: text`, one for each finding that matters at least as much as asked for.
    public IEnumerable<string> Lines(FindingKind least = FindingKind.Info) => Findings
        .Where(finding => finding.Kind <= least)
        .Select(Print);

    public string Print(Finding finding)
    {
        string place = finding.Line > 0 ? $"{FileName}:{finding.Line}" : FileName;
        return $"{place}: {finding.Kind.ToString().ToLowerInvariant()}: {finding.Text}";
    }
}

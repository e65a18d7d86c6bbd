using Aerie.Server.Config;

namespace Aerie.Node.Tests.Config;

/// A configuration in one line of a test.
internal static class ConfigHarness
{
    public static readonly ParameterTable Table = ParameterTable.Load();

    public static readonly MachineFacts Machine = new(Cores: 6, MemoryLimitBytes: null);

    private static readonly Dictionary<string, string> NoEnvironment = [];

    public static ConfigReport Conf(string text, IReadOnlyDictionary<string, string>? environment = null, MachineFacts? machine = null) =>
        ConfigCheck.Run(text, ConfigKind.Conf, "aerospike.conf", Table, environment ?? NoEnvironment, machine ?? Machine);

    public static ConfigReport Yaml(string text, IReadOnlyDictionary<string, string>? environment = null) =>
        ConfigCheck.Run(text, ConfigKind.Yaml, "aerospike.yaml", Table, environment ?? NoEnvironment, Machine);

    /// Parsed and held against the table, without the checks across parameters.
    public static (Settings Settings, IReadOnlyList<Finding> Findings) Read(string text)
    {
        Findings findings = new();
        Settings settings = SettingsReader.Read(ConfigParser.Parse(text, NoEnvironment, findings), Table, findings);
        return (settings, findings.InOrder());
    }

    public static IEnumerable<string> Problems(this IEnumerable<Finding> findings) => Texts(findings, FindingKind.Problem);

    public static IEnumerable<string> Warnings(this IEnumerable<Finding> findings) => Texts(findings, FindingKind.Warning);

    /// One statement inside the sections that its path names. Ten lines at most; the statement stands alone on its line.
    public static string Wrap(Parameter row, string value)
    {
        List<string> sections = [];
        string path = "";
        foreach (string part in row.Section.Split('.'))
        {
            string yamlName = part.Split(':')[0];
            if (part == "sink")
            {
                sections.Add(row.Name is "facility" or "path" or "tag" ? "syslog" : "console");
                continue;
            }

            SectionRule rule = SectionRules.ByYamlName(path, yamlName)!;
            string word = rule.Naming switch
            {
                SectionNaming.None => rule.Keyword,
                SectionNaming.Named => $"{rule.Keyword} one",
                _ => $"{rule.Keyword} {part.Split(':')[1]}",
            };
            sections.Add(word);
            path = rule.PathOf(part.Contains(':', StringComparison.Ordinal) ? part.Split(':')[1] : "");
        }

        string statement = row.Type == ParameterType.Level ? $"context {row.Name} {value}" : $"{row.ConfName} {value}";
        return string.Concat(sections.Select(section => $"{section} {{\n")) + $"{statement}\n" + string.Concat(sections.Select(_ => "}\n"));
    }

    /// The section that Wrap put the statement into.
    public static Settings Innermost(Settings settings) => settings.Children.Count == 0 ? settings : Innermost(settings.Children[0]);

    private static IEnumerable<string> Texts(IEnumerable<Finding> findings, FindingKind kind) =>
        findings.Where(finding => finding.Kind == kind).Select(finding => $"{finding.Line}: {finding.Text}");
}

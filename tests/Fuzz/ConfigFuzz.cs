using System.Text;
using Aerie.Server.Config;

namespace Aerie.Fuzz;

/// Any bytes as a configuration file in both grammars and as a set-config request. Nothing may throw, hang or grow; a file without
/// problems must give options.
public static class ConfigFuzz
{
    private static readonly ParameterTable Table = ParameterTable.Load();

    private static readonly Dictionary<string, string> Environment = new() { ["A"] = "1G", ["NODE_ID"] = "a1" };

    private static readonly ConfigReport Started =
        ConfigCheck.Run(ConfigCheck.DefaultText(), ConfigKind.Conf, "default.conf", Table, Environment, new MachineFacts(2, 4L << 30));

    /// For YAML a text without ':' is one long word: slow to read, and nothing comes of it. Some of them are enough.
    private const int PlainYamlEvery = 8;

    public static void Run(ReadOnlySpan<byte> input)
    {
        string text = Encoding.UTF8.GetString(input);
        Check(text, ConfigKind.Conf);
        if (text.Contains(':', StringComparison.Ordinal) || text.Length % PlainYamlEvery == 0)
        {
            Check(text, ConfigKind.Yaml);
        }

        ConfigStore store = new(Table, Started);
        store.Set(text);
        store.Set("context=namespace;id=test;" + text);
        store.Get(text);
    }

    private static void Check(string text, ConfigKind kind)
    {
        ConfigReport report = ConfigCheck.Run(text, kind, "fuzz", Table, Environment, new MachineFacts(2, 4L << 30));
        if (report.HasProblems != report.Findings.Any(finding => finding.Kind == FindingKind.Problem))
        {
            throw new InvalidOperationException("problems and options disagree");
        }

        if (report.Options != null)
        {
            ConfigStore store = new(Table, report);
            store.Get("");
            foreach (string name in store.Namespaces.Keys)
            {
                store.Get($"context=namespace;id={name}");
            }
        }
    }
}

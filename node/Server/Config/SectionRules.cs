using System.Collections.Frozen;

namespace Aerie.Server.Config;

/// What follows the keyword of a section.
public enum SectionNaming
{
    /// Nothing: there is one such section (`service {`).
    None,

    /// A name that the user chooses; any number of them (`namespace test {`).
    Named,

    /// A choice that decides which parameters the section has (`storage-engine memory {`).
    Kind,
}

/// One kind of section: where it may stand, how aerospike.conf and how YAML call it.
public sealed record SectionRule(string Parent, string Keyword, string YamlName, SectionNaming Naming, string[] Kinds)
{
    /// The section in the words of parameters.tsv. All log sinks share one.
    public string PathOf(string kind)
    {
        if (Parent == SectionRules.LoggingPath)
        {
            return SectionRules.SinkPath;
        }

        string path = Parent.Length == 0 ? YamlName : $"{Parent}.{YamlName}";
        return Naming == SectionNaming.Kind ? $"{path}:{kind}" : path;
    }
}

/// The shape of a configuration: which sections exist and where.
public static class SectionRules
{
    public const string LoggingPath = "logging";
    public const string SinkPath = "logging.sink";

    public static IReadOnlyList<SectionRule> All { get; } =
    [
        Plain("", "service"),
        Plain("", "network"),
        Plain("", "logging"),
        Plain("", "mod-lua"),
        Plain("", "security"),
        Named("", "namespace", "namespaces"),
        Plain("", "xdr"),
        Plain(LoggingPath, "console"),
        Named(LoggingPath, "file", "file"),
        Plain(LoggingPath, "syslog"),
        Plain("network", "service"),
        Plain("network", "heartbeat"),
        Plain("network", "fabric"),
        Plain("network", "admin"),
        Plain("network", "info"),
        Plain("network", "metrics"),
        Named("network", "tls", "tls"),
        Named("namespaces", "set", "sets"),
        Plain("namespaces", "geo2dsphere-within"),
        Kind("namespaces", "index-type", "shmem", "pmem", "flash"),
        Kind("namespaces", "sindex-type", "shmem", "pmem", "flash"),
        Kind("namespaces", "storage-engine", "memory", "device", "pmem"),
        Plain("namespaces", "sindex"),
        Plain("security", "ldap"),
        Plain("security", "log"),
        Plain("security", "syslog"),
        Named("xdr", "dc", "dcs"),
        Named("xdr", "datacenter", "datacenters"),
        Named("xdr.dcs", "namespace", "namespaces"),
    ];

    private static readonly FrozenDictionary<string, SectionRule[]> ByParent =
        All.GroupBy(rule => rule.Parent, StringComparer.Ordinal)
            .ToFrozenDictionary(rules => rules.Key, rules => rules.ToArray(), StringComparer.Ordinal);

    /// The sections that may stand inside another, in the order of the table.
    public static IReadOnlyList<SectionRule> In(string parent) => ByParent.GetValueOrDefault(parent, []);

    public static SectionRule? ByKeyword(string parent, string keyword) =>
        Array.Find(ByParent.GetValueOrDefault(parent, []), rule => rule.Keyword == keyword);

    public static SectionRule? ByYamlName(string parent, string yamlName) =>
        Array.Find(ByParent.GetValueOrDefault(parent, []), rule => rule.YamlName == yamlName);

    /// A path as the user writes it: `namespace / storage-engine memory`.
    public static string Display(string path) => path
        .Replace("namespaces", "namespace", StringComparison.Ordinal)
        .Replace("sets", "set", StringComparison.Ordinal)
        .Replace("dcs", "dc", StringComparison.Ordinal)
        .Replace("datacenters", "datacenter", StringComparison.Ordinal)
        .Replace(":", " ", StringComparison.Ordinal)
        .Replace(".", " / ", StringComparison.Ordinal);

    private static SectionRule Plain(string parent, string keyword) => new(parent, keyword, keyword, SectionNaming.None, []);

    private static SectionRule Named(string parent, string keyword, string yamlName) =>
        new(parent, keyword, yamlName, SectionNaming.Named, []);

    private static SectionRule Kind(string parent, string keyword, params string[] kinds) =>
        new(parent, keyword, keyword, SectionNaming.Kind, kinds);
}

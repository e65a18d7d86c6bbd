namespace Aerie.Server.Config;

/// One statement of a configuration file, whichever grammar it came from: `name value…`, or `name value… { children }`.
/// Names are those of aerospike.conf (singular, repeated); nothing is checked yet.
public sealed class ConfigNode
{
    private ConfigNode(string name, IReadOnlyList<string> values, int line, List<ConfigNode>? children)
    {
        Name = name;
        Values = values;
        Line = line;
        Children = children;
    }

    public string Name { get; }

    public IReadOnlyList<string> Values { get; }

    public int Line { get; }

    /// Null for a parameter, which cannot have any; empty for a section that says nothing.
    public List<ConfigNode>? Children { get; }

    public static ConfigNode Parameter(string name, IReadOnlyList<string> values, int line) => new(name, values, line, null);

    public static ConfigNode Section(string name, IReadOnlyList<string> values, int line) => new(name, values, line, []);
}

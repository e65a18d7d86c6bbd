using System.Text;

namespace Aerie.Server.Config;

/// What get-config answers: `key=value;…` with the keys, their order and their spelling as tools know them from the reference.
/// The order inside a section is that of parameters.tsv.
internal sealed class ConfigText
{
    private static readonly string[] NetworkOrder = ["service", "heartbeat", "fabric", "admin", "info", "metrics"];

    private readonly ParameterTable _table;
    private readonly StringBuilder _text = new();

    private ConfigText(ParameterTable table)
    {
        _table = table;
    }

    public static string Service(ParameterTable table, Settings root)
    {
        ConfigText text = new(table);
        text.Section(root.Child("service")!, "", row => row.Edition != "Aerie");
        text.Section(root.Child("service")!, "", row => row.Edition == "Aerie"); // ours last: the reference's keys keep their places
        return text.ToString();
    }

    public static string Network(ParameterTable table, Settings root)
    {
        ConfigText text = new(table);
        Settings network = root.Child("network")!;
        foreach (string keyword in NetworkOrder)
        {
            Settings? section = network.Child(keyword);
            if (section == null && keyword is "heartbeat" or "fabric")
            {
                section = new Settings(table, $"network.{keyword}", keyword, "", 0);
            }

            if (section != null)
            {
                text.Section(section, $"{keyword}.");
            }
        }

        int tls = 0;
        foreach (Settings section in network.ChildrenOf("tls"))
        {
            text.Put($"tls[{tls}].name", section.Name);
            text.Section(section, $"tls[{tls++}].");
        }

        return text.ToString();
    }

    public static string Namespace(ParameterTable table, Settings space)
    {
        ConfigText text = new(table);
        text.Section(space, "");
        Settings geo = space.Child("geo2dsphere-within")
            ?? new Settings(table, "namespaces.geo2dsphere-within", "geo2dsphere-within", "", 0);
        text.Section(geo, "geo2dsphere-within.", reversed: true);
        text.Put("index-type", space.Child("index-type")?.Name ?? "shmem");
        text.SectionIfThere(space.Child("index-type"), "index-type.");
        text.Put("sindex-type", space.Child("sindex-type")?.Name ?? "shmem");
        text.SectionIfThere(space.Child("sindex-type"), "sindex-type.");

        Settings engine = space.Child("storage-engine")!;
        bool persists = engine.Name != "memory" || engine.IsGiven("devices") || engine.IsGiven("files");
        text.Put("storage-engine", engine.Name);
        text.Section(engine, "storage-engine.", row => row.Type == ParameterType.List);
        text.Section(engine, "storage-engine.",
            row => row.Type != ParameterType.List && row.Name != "encryption" && (persists || row.Name != "flush-size"));
        return text.ToString();
    }

    /// A section that has one flat list of keys, or the defaults of one that is not there.
    public static string Flat(ParameterTable table, string path, Settings? section)
    {
        ConfigText text = new(table);
        text.Section(section ?? new Settings(table, path, "", "", 0), "");
        return text.ToString();
    }

    public static string Security(ParameterTable table)
    {
        ConfigText text = new(table);
        foreach ((string path, string prefix) in new[] { ("security", ""), ("security.ldap", "ldap."), ("security.log", "log.") })
        {
            text.Section(new Settings(table, path, "", "", 0), prefix);
        }

        return text.ToString();
    }

    public static string Xdr(ParameterTable table, Settings root)
    {
        ConfigText text = new(table);
        text.Put("dcs", "");
        text.Section(root.Child("xdr") ?? new Settings(table, "xdr", "xdr", "", 0), "");
        return text.ToString();
    }

    public override string ToString() => _text.ToString();

    private void SectionIfThere(Settings? section, string prefix)
    {
        if (section != null)
        {
            Section(section, prefix);
        }
    }

    private void Section(Settings section, string prefix, Func<Parameter, bool>? only = null, bool reversed = false)
    {
        IEnumerable<Parameter> rows = _table.InSection(section.Path)
            .Where(row => IsShown(row) && (only == null || only(row)));
        foreach (Parameter row in reversed ? rows.Reverse() : rows)
        {
            if (row.Type == ParameterType.List)
            {
                PutList(section, prefix, row);
            }
            else
            {
                string value = section.Text(row.Name);
                Put(prefix + row.ConfName, value.Length == 0 ? "null" : value);
            }
        }
    }

    /// The reference does not show whom the process runs as, and shows feature-key-file as a list.
    private static bool IsShown(Parameter row) =>
        row.Status != ParameterStatus.Obsolete
        && !row.IsSectionWord
        && !(row.Section == "service" && row.Name is "user" or "group" or "feature-key-file");

    /// Network lists are joined, all others numbered. `address` without any value means any.
    private void PutList(Settings section, string prefix, Parameter row)
    {
        IReadOnlyList<string> values = section.List(row.Name);
        if (section.Path.StartsWith("network", StringComparison.Ordinal))
        {
            string joined = string.Join(',', values.Select(value => value.Replace(' ', ':')));
            if (row.Name == "addresses" || joined.Length > 0)
            {
                Put(prefix + row.ConfName, joined.Length == 0 ? "any" : joined);
            }

            return;
        }

        for (int i = 0; i < values.Count; i++)
        {
            Put($"{prefix}{row.ConfName}[{i}]", values[i]);
        }
    }

    private void Put(string key, string value)
    {
        if (_text.Length > 0)
        {
            _text.Append(';');
        }

        _text.Append(key).Append('=').Append(value);
    }
}

using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Aerie.Server.Config;

/// The YAML form of the 8.1 schema, turned into the same tree as aerospike.conf: lists of maps with `name` become named sections,
/// plural lists become repeated lines. Everything behind the tree is shared.
public sealed class YamlConfig
{
    /// A good file nests half as deep. Aliases are refused altogether: nothing in a configuration needs them, and expanding them
    /// is how a small file becomes a large one.
    private const int DepthMax = 16;

    /// The YAML scanner takes about ten microseconds for each name or value: this much of them is two or three seconds at worst.
    private const int TextLengthMax = 1 << 20;

    private readonly ParameterTable _table;
    private readonly IReadOnlyDictionary<string, string> _environment;
    private readonly Findings _findings;

    private YamlConfig(ParameterTable table, IReadOnlyDictionary<string, string> environment, Findings findings)
    {
        _table = table;
        _environment = environment;
        _findings = findings;
    }

    public static ConfigNode Parse(
        string text, ParameterTable table, IReadOnlyDictionary<string, string> environment, Findings findings)
    {
        ConfigNode root = ConfigNode.Section("", [], 0);
        if (text.Length > TextLengthMax)
        {
            findings.Problem(0, $"the file has {text.Length} characters; allowed are {TextLengthMax}");
            return root;
        }

        YamlConfig config = new(table, environment, findings);
        if (config.ReadDocument(text) is { Entries: { } entries })
        {
            config.MapEntries(entries, "", root);
        }

        return root;
    }

    private Item? ReadDocument(string text)
    {
        try
        {
            Parser parser = new(new StringReader(text));
            parser.Consume<StreamStart>();
            if (parser.Current is StreamEnd)
            {
                return null;
            }

            parser.Consume<DocumentStart>();
            Item item = ReadItem(parser, 0);
            if (item.Entries == null && item.Scalar is not { Length: 0 })
            {
                _findings.Problem(item.Line, "a map of sections is expected at the top (service:, network:, namespaces: …)");
            }

            parser.Consume<DocumentEnd>();
            if (!parser.Accept<StreamEnd>(out _))
            {
                _findings.Problem(LineOf(parser.Current), "only one YAML document is allowed");
            }

            return item;
        }
        catch (YamlException e)
        {
            _findings.Problem((int)e.Start.Line, $"not valid YAML: {OneLine(e.Message)}");
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or IndexOutOfRangeException)
        {
            // The scanner trips over a few malformed inputs; for the operator that is the same as malformed.
            _findings.Problem(0, $"not valid YAML: {OneLine(e.Message)}");
        }

        return null;
    }

    private static Item ReadItem(Parser parser, int depth)
    {
        if (depth > DepthMax)
        {
            throw new YamlException(parser.Current!.Start, parser.Current.End, $"nested deeper than {DepthMax}");
        }

        int line = LineOf(parser.Current);
        if (parser.TryConsume<Scalar>(out var scalar))
        {
            bool isNull = scalar.Style == ScalarStyle.Plain && scalar.Value is "" or "~" or "null";
            return new Item(line, isNull ? "" : scalar.Value, null, null);
        }

        if (parser.TryConsume<SequenceStart>(out _))
        {
            List<Item> items = [];
            while (!parser.TryConsume<SequenceEnd>(out _))
            {
                items.Add(ReadItem(parser, depth + 1));
            }

            return new Item(line, null, items, null);
        }

        if (parser.TryConsume<MappingStart>(out _))
        {
            return new Item(line, null, null, ReadEntries(parser, depth));
        }

        throw new YamlException(parser.Current!.Start, parser.Current.End, "aliases are not allowed in a configuration");
    }

    private static List<Entry> ReadEntries(Parser parser, int depth)
    {
        List<Entry> entries = [];
        while (!parser.TryConsume<MappingEnd>(out _))
        {
            if (!parser.TryConsume<Scalar>(out var key))
            {
                throw new YamlException(parser.Current!.Start, parser.Current.End, "a name is expected before ':'");
            }

            entries.Add(new Entry(key.Value, (int)key.Start.Line, ReadItem(parser, depth + 1)));
        }

        return entries;
    }

    private void MapEntries(List<Entry> entries, string path, ConfigNode into)
    {
        foreach (Entry entry in entries)
        {
            SectionRule? rule = SectionRules.ByYamlName(path, entry.Key) ?? SectionRules.ByKeyword(path, entry.Key);
            if (path.Length == 0 && entry.Key == SectionRules.LoggingPath && entry.Value.Items is { } sinks)
            {
                MapSinks(sinks, entry.Line, into);
            }
            else if (rule != null && entry.Value.Scalar == null)
            {
                MapSections(rule, entry, into);
            }
            else
            {
                MapParameter(entry, path, into);
            }
        }
    }

    private void MapSections(SectionRule rule, Entry entry, ConfigNode into)
    {
        if (entry.Value.Entries is { } single)
        {
            MapSection(rule, single, entry.Line, into);
            return;
        }

        foreach (Item item in entry.Value.Items!)
        {
            if (item.Entries is { } entries && rule.Naming != SectionNaming.None)
            {
                MapSection(rule, entries, item.Line, into);
            }
            else
            {
                string expected = rule.Naming == SectionNaming.None ? "a map, not a list," : "a list of maps, each with 'name',";
                _findings.Problem(item.Line, $"{expected} is expected under {Findings.Quote(entry.Key)}");
            }
        }
    }

    private void MapSection(SectionRule rule, List<Entry> entries, int line, ConfigNode into)
    {
        string key = rule.Naming == SectionNaming.Kind ? "type" : "name";
        List<string> words = [];
        if (rule.Naming != SectionNaming.None)
        {
            Entry? naming = entries.Find(entry => entry.Key == key);
            if (naming?.Value.Scalar is not { Length: > 0 } name)
            {
                _findings.Problem(line, $"{Findings.Quote(rule.YamlName)} needs {Findings.Quote(key)}");
                return;
            }

            if (!TryExpand(ref name, naming.Line))
            {
                return;
            }

            words.Add(name);
            entries = [.. entries.Where(entry => entry != naming)];
        }

        ConfigNode section = ConfigNode.Section(rule.Keyword, words, line);
        into.Children!.Add(section);
        MapEntries(entries, rule.PathOf(words.Count > 0 ? words[0] : ""), section);
    }

    /// `logging` is a list of sinks; older files tell the kind of a sink by its name alone.
    private void MapSinks(List<Item> sinks, int line, ConfigNode into)
    {
        ConfigNode logging = ConfigNode.Section(SectionRules.LoggingPath, [], line);
        into.Children!.Add(logging);
        foreach (Item sink in sinks)
        {
            if (sink.Entries is not { } entries)
            {
                _findings.Problem(sink.Line, "a map with 'name' is expected for each log sink");
                continue;
            }

            string? name = entries.Find(entry => entry.Key == "name")?.Value.Scalar;
            string? path = entries.Find(entry => entry.Key == "path")?.Value.Scalar;
            string type = entries.Find(entry => entry.Key == "type")?.Value.Scalar ?? (name is "console" or "syslog" ? name : "file");
            bool isFile = type is not ("console" or "syslog");
            if (isFile && (type != "file" || (name ?? path) == null))
            {
                _findings.Problem(sink.Line, $"log sink of type {Findings.Quote(type)}: allowed are console, syslog, and file with 'name'");
                continue;
            }

            ConfigNode section = ConfigNode.Section(type, isFile ? [name ?? path!] : [], sink.Line);
            logging.Children!.Add(section);
            MapEntries([.. entries.Where(entry => entry.Key is not ("name" or "type") && !(isFile && entry.Key == "path"))],
                SectionRules.SinkPath, section);
        }
    }

    private void MapParameter(Entry entry, string path, ConfigNode into)
    {
        Parameter? row = _table.ByName(path, entry.Key);
        string confName = row?.ConfName ?? entry.Key;
        if (entry.Value.Entries != null)
        {
            into.Children!.Add(ConfigNode.Section(confName, [], entry.Line)); // the reader says that there is no such section
            return;
        }

        foreach (Item item in entry.Value.Items ?? [entry.Value])
        {
            if (item.Scalar is not { } text)
            {
                _findings.Problem(item.Line, $"a plain value is expected under {Findings.Quote(entry.Key)}");
            }
            else if (TryExpand(ref text, item.Line))
            {
                List<string> values = SplitValue(confName, text);
                bool isContext = path == SectionRules.SinkPath && (row == null || row.Type == ParameterType.Level);
                into.Children!.Add(isContext
                    ? ConfigNode.Parameter("context", [entry.Key, .. values], item.Line)
                    : ConfigNode.Parameter(confName, values, item.Line));
            }
        }
    }

    /// `10.0.0.1:3002` here is `10.0.0.1 3002` in aerospike.conf; an IPv6 address stands in brackets.
    private static List<string> SplitValue(string confName, string text)
    {
        if (text.Length == 0)
        {
            return [];
        }

        if (!confName.EndsWith("address-port", StringComparison.Ordinal))
        {
            return [text];
        }

        int bracket = text.StartsWith('[') ? text.IndexOf(']') : -1;
        string rest = bracket < 0 ? text : text[(bracket + 1)..].TrimStart(':');
        IEnumerable<string> parts = rest.Split([':', ' '], StringSplitOptions.RemoveEmptyEntries);
        return bracket < 0 ? [.. parts] : [text[1..bracket], .. parts];
    }

    private bool TryExpand(ref string text, int line)
    {
        if (text.Length > ConfigParser.LineLengthMax)
        {
            _findings.Problem(line, $"the value has {text.Length} characters; allowed are {ConfigParser.LineLengthMax}");
            return false;
        }

        return EnvironmentPlaceholders.TryExpand(ref text, _environment, line, ConfigParser.LineLengthMax, _findings);
    }

    private static int LineOf(ParsingEvent? current) => current == null ? 0 : (int)current.Start.Line;

    private static string OneLine(string message) => Findings.Quote(message).Trim('\'');

    /// One YAML value: a scalar ("" for null), a list, or a map.
    private sealed record Item(int Line, string? Scalar, List<Item>? Items, List<Entry>? Entries);

    private sealed record Entry(string Key, int Line, Item Value);
}

namespace Aerie.Server.Config;

/// Holds the tree of a file against the table: every name known, every value allowed. Tells all mistakes, keeps all that is right.
public sealed class SettingsReader
{
    /// A warning names this many further lines of an old parameter; the file shows the rest.
    private const int LinesNamedMax = 10;

    /// More sections than a namespace may have sets (4095 of the wire's set ids), and more values than any list needs. They
    /// bound the work that looking for a duplicate costs.
    private const int SectionsMax = 4200;
    private const int ListLengthMax = 4096;

    private readonly ParameterTable _table;
    private readonly Findings _findings;
    private readonly Dictionary<Parameter, List<int>> _noted = [];

    private SettingsReader(ParameterTable table, Findings findings)
    {
        _table = table;
        _findings = findings;
    }

    public static Settings Read(ConfigNode root, ParameterTable table, Findings findings)
    {
        SettingsReader reader = new(table, findings);
        Settings settings = new(table, "", "", "", 0);
        reader.ReadChildren(root, settings);
        reader.TellNotes();
        return settings;
    }

    private void ReadChildren(ConfigNode node, Settings into)
    {
        foreach (ConfigNode child in node.Children!)
        {
            if (SectionRules.ByKeyword(into.Path, child.Name) is { } rule && IsSection(rule, child, into))
            {
                ReadSection(rule, child, into);
            }
            else if (child.Children != null)
            {
                TellUnknownSection(child, into);
            }
            else
            {
                ReadParameter(child, into);
            }
        }
    }

    /// `storage-engine memory` needs no braces when it has nothing to say; other sections do.
    private bool IsSection(SectionRule rule, ConfigNode node, Settings parent)
    {
        if (node.Children != null)
        {
            return true;
        }

        bool isParameterToo = _table.ByConfName(parent.Path, node.Name) != null;
        return rule.Naming == SectionNaming.Kind && (!isParameterToo || (node.Values.Count == 1 && rule.Kinds.Contains(node.Values[0])));
    }

    private void ReadSection(SectionRule rule, ConfigNode node, Settings parent)
    {
        string name = node.Values.Count > 0 ? node.Values[0] : "";
        if (!IsNameGood(rule, node, name))
        {
            return;
        }

        if (parent.Children.Count == SectionsMax)
        {
            _findings.Problem(node.Line, $"{Where(parent)} has more than {SectionsMax} sections");
            return;
        }

        Settings? existing = rule.Naming == SectionNaming.Named ? parent.Child(rule.Keyword, name) : parent.Child(rule.Keyword);
        if (existing != null && rule.Naming != SectionNaming.None)
        {
            string what = rule.Naming == SectionNaming.Named ? $"{rule.Keyword} {Findings.Quote(name)}" : rule.Keyword;
            _findings.Problem(node.Line, $"{what} is given twice; the first is on line {existing.Line}");
            return;
        }

        Settings section = existing ?? parent.Add(rule.PathOf(name), rule.Keyword, name, node.Line);
        if (node.Children != null)
        {
            ReadChildren(node, section);
        }
    }

    private bool IsNameGood(SectionRule rule, ConfigNode node, string name)
    {
        int expected = rule.Naming == SectionNaming.None ? 0 : 1;
        if (node.Values.Count != expected)
        {
            string form = rule.Naming switch
            {
                SectionNaming.None => $"'{rule.Keyword} {{'",
                SectionNaming.Named => $"'{rule.Keyword} NAME {{'",
                _ => $"'{rule.Keyword} KIND {{' with one of {string.Join(", ", rule.Kinds)}",
            };
            _findings.Problem(node.Line, $"section {Findings.Quote(rule.Keyword)} has {node.Values.Count} words after it; write {form}");
            return false;
        }

        if (rule.Naming == SectionNaming.Kind && !rule.Kinds.Contains(name))
        {
            string allowed = string.Join(", ", rule.Kinds);
            _findings.Problem(node.Line,
                $"{rule.Keyword} is {Findings.Quote(name)}; allowed are {allowed}{NearestName.Hint(name, rule.Kinds)}");
            return false;
        }

        return true;
    }

    private void ReadParameter(ConfigNode node, Settings section)
    {
        if (section.Path == SectionRules.SinkPath && node.Name == "context")
        {
            ReadLogContext(node, section);
            return;
        }

        Parameter? row = _table.ByConfName(section.Path, node.Name);
        if (row == null || row.Type == ParameterType.Level || row.IsSectionWord)
        {
            TellUnknownParameter(node, section);
            return;
        }

        Store(row, node.Values, node.Line, section);
    }

    private void ReadLogContext(ConfigNode node, Settings sink)
    {
        string name = node.Values.Count > 0 ? node.Values[0] : "";
        if (_table.ByName(sink.Path, name) is { Type: ParameterType.Level } context)
        {
            Store(context, [.. node.Values.Skip(1)], node.Line, sink);
            return;
        }

        string[] contexts = [.. _table.InSection(sink.Path).Where(row => row.Type == ParameterType.Level).Select(row => row.Name)];
        _findings.Problem(node.Line,
            $"unknown log context {Findings.Quote(name)}; write 'context NAME LEVEL', where NAME may be 'any'"
            + NearestName.Hint(name, contexts));
    }

    private void Store(Parameter row, IReadOnlyList<string> values, int line, Settings section)
    {
        if (!row.TryRead(values, out string text, out string problem))
        {
            _findings.Problem(line, problem);
            return;
        }

        if (row.Type == ParameterType.List)
        {
            if (section.IsGiven(row.Name) && section.List(row.Name).Count == ListLengthMax)
            {
                _findings.Problem(line, $"{Findings.Quote(row.ConfName)} is given more than {ListLengthMax} times");
                return;
            }

            section.Append(row.Name, text, line);
        }
        else
        {
            if (section.IsGiven(row.Name))
            {
                _findings.Warning(line, $"{Findings.Quote(row.ConfName)} replaces the value given on line {section.LineOf(row.Name)}");
            }

            section.Put(row.Name, text, line);
        }

        Note(row, line);
    }

    private void Note(Parameter row, int line)
    {
        if (row.Status == ParameterStatus.Later || row.Note.Length > 0)
        {
            if (!_noted.TryGetValue(row, out List<int>? lines))
            {
                _noted.Add(row, lines = []);
            }

            lines.Add(line);
        }
    }

    /// One message for each old name however often it is used: the lines are in it.
    private void TellNotes()
    {
        foreach ((Parameter row, List<int> lines) in _noted)
        {
            string also = lines.Count == 1 ? "" : $" (also on line {string.Join(", ", lines.Skip(1).Take(LinesNamedMax))}"
                + (lines.Count - 1 > LinesNamedMax ? ", …)" : ")");
            string name = $"{Findings.Quote(row.ConfName)} in {SectionRules.Display(row.Section)}";
            if (row.Status == ParameterStatus.Obsolete)
            {
                _findings.Warning(lines[0], $"{name} is obsolete: {row.Note}{also}");
            }
            else if (row.Note.Length > 0)
            {
                _findings.Warning(lines[0], $"{name} is {row.Note}{also}");
            }
            else
            {
                _findings.Debug(lines[0], $"{name} is accepted and stored; this build does not use it yet{also}");
            }
        }
    }

    private void TellUnknownSection(ConfigNode node, Settings parent)
    {
        if (_findings.IsFull)
        {
            _findings.Problem(node.Line, "unknown section");
            return;
        }

        string[] allowed = [.. SectionRules.In(parent.Path).Select(rule => rule.Keyword)];
        string where = parent.Path.Length == 0 ? "at the top" : $"in {Where(parent)}";
        string text = $"unknown section {Findings.Quote(node.Name)} {where}";
        if (_table.ByConfName(parent.Path, node.Name) != null)
        {
            text = $"{Findings.Quote(node.Name)} {where} is a parameter, not a section";
        }

        text += allowed.Length == 0 ? "; there are no sections in it" : $"; allowed are {string.Join(", ", allowed)}";
        _findings.Problem(node.Line, text + NearestName.Hint(node.Name, allowed));
    }

    private void TellUnknownParameter(ConfigNode node, Settings section)
    {
        if (SectionRules.ByKeyword(section.Path, node.Name) is { } rule)
        {
            string name = rule.Naming == SectionNaming.None ? "" : " NAME";
            _findings.Problem(node.Line, $"{Findings.Quote(node.Name)} is a section; write '{rule.Keyword}{name} {{'");
            return;
        }

        if (_findings.IsFull)
        {
            _findings.Problem(node.Line, "unknown parameter");
            return;
        }

        Parameter[] elsewhere = _table.InAnySection(node.Name);
        if (elsewhere.Length > 0 && Array.TrueForAll(elsewhere, row => IsObsoleteNearby(row, section)))
        {
            Note(elsewhere[0], node.Line);
            return;
        }

        string where = section.Path.Length == 0 ? "at the top" : $"in {Where(section)}";
        _findings.Problem(node.Line, $"unknown parameter {Findings.Quote(node.Name)} {where}{Hint(node.Name, section, elsewhere)}");
    }

    /// An old name that stands one section off (data-in-memory beside the storage engine) does no more harm than in its place.
    private static bool IsObsoleteNearby(Parameter row, Settings section) =>
        row.Status == ParameterStatus.Obsolete && TopOf(row.Section) == TopOf(section.Path);

    private static string TopOf(string path) => path.Split('.')[0];

    private string Hint(string name, Settings section, Parameter[] elsewhere)
    {
        if (Array.Find(elsewhere, row => row.Section != section.Path && row.IsCurrent) is { } other)
        {
            return $"; it belongs into {SectionRules.Display(other.Section)}";
        }

        IReadOnlyList<string> here = _table.WordsIn(section.Path);
        string hint = NearestName.Hint(name, here);
        return hint.Length == 0 && here.Count is > 0 and <= 12 ? $"; allowed are {string.Join(", ", here)}" : hint;
    }

    private static string Where(Settings section)
    {
        string where = SectionRules.Display(section.Path);
        return section.Name.Length == 0 || section.Path.EndsWith(section.Name, StringComparison.Ordinal)
            ? where
            : $"{where} {Findings.Quote(section.Name)}";
    }
}

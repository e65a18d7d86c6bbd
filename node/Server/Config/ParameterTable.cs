using System.Globalization;
using System.Reflection;
using Aerie.Foundation;

namespace Aerie.Server.Config;

/// All parameters, from the embedded parameters.tsv: parsing, checking, defaults, set-config and get-config are derived from it,
/// so adding a parameter is one line there and one where it takes effect.
public sealed class ParameterTable
{
    private const string ResourceName = "Aerie.Server.Config.parameters.tsv";

    private readonly Dictionary<(string Section, string Name), Parameter> _byName = [];
    private readonly Dictionary<(string Section, string Name), Parameter> _byConfName = [];
    private readonly Dictionary<string, List<Parameter>> _bySection = [];
    private readonly Dictionary<string, Parameter[]> _inAnySection;
    private readonly Dictionary<string, string[]> _wordsIn;

    private ParameterTable(IReadOnlyList<Parameter> rows)
    {
        Rows = rows;
        foreach (Parameter row in rows)
        {
            _byName.Add((row.Section, row.Name), row);
            (string, string) key = (row.Section, row.ConfName);
            if (!_byConfName.ContainsKey(key) || row.Type == ParameterType.List)
            {
                _byConfName[key] = row; // feature-key-file is both an old single value and the line of a list: the list can do more
            }

            if (!_bySection.TryGetValue(row.Section, out List<Parameter>? section))
            {
                _bySection.Add(row.Section, section = []);
            }

            section.Add(row);
        }

        StringComparer exact = StringComparer.Ordinal;
        _inAnySection = rows.Where(row => !row.IsSectionWord).GroupBy(row => row.ConfName, exact)
            .ToDictionary(same => same.Key, same => same.ToArray(), exact);
        _wordsIn = rows.Select(row => row.Section).Union(SectionRules.All.Select(rule => rule.Parent), exact)
            .ToDictionary(section => section, ListWords, exact);
    }

    /// In the order of the file: by section, then by name, which is the order in which the reference lists them.
    public IReadOnlyList<Parameter> Rows { get; }

    public static ParameterTable Load()
    {
        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(ResourceName)
            ?? throw new InvariantException($"resource {ResourceName} is missing");
        using StreamReader reader = new(stream);
        List<Parameter> rows = [];
        string? header = reader.ReadLine();
        Invariant.Holds(header?.Split('\t').Length == Columns.Count);
        while (reader.ReadLine() is { } line)
        {
            rows.Add(ReadRow(line.Split('\t')));
        }

        return new ParameterTable(rows);
    }

    public Parameter? ByName(string section, string name) => _byName.GetValueOrDefault((section, name));

    public Parameter? ByConfName(string section, string confName) => _byConfName.GetValueOrDefault((section, confName));

    public IReadOnlyList<Parameter> InSection(string section) => _bySection.GetValueOrDefault(section) ?? [];

    /// The parameters of that name in all sections: for telling where a misplaced one belongs.
    public Parameter[] InAnySection(string confName) => _inAnySection.GetValueOrDefault(confName, []);

    /// What a line of the section may begin with; old names, which nobody should write anew, are not among them.
    public IReadOnlyList<string> WordsIn(string section) => _wordsIn.GetValueOrDefault(section, []);

    private string[] ListWords(string section) =>
    [
        .. InSection(section)
            .Where(row => row.Status != ParameterStatus.Obsolete && row.Type != ParameterType.Level && !row.IsSectionWord)
            .Select(row => row.ConfName),
        .. SectionRules.In(section).Select(rule => rule.Keyword),
    ];

    private static Parameter ReadRow(string[] cells)
    {
        Invariant.Holds(cells.Length == Columns.Count);
        ParameterType type = Enum.Parse<ParameterType>(cells[Columns.Type], ignoreCase: true);
        return new Parameter
        {
            Section = cells[Columns.Section],
            Name = cells[Columns.Name],
            ConfName = cells[Columns.ConfName],
            Type = type,
            Unit = cells[Columns.Unit].Length == 0 ? ParameterUnit.Count : Enum.Parse<ParameterUnit>(cells[Columns.Unit], ignoreCase: true),
            Default = cells[Columns.Default],
            Min = ReadLimit(cells[Columns.Min], type, 0),
            Max = ReadLimit(cells[Columns.Max], type, long.MaxValue),
            Allowed = cells[Columns.Allowed].Length == 0 ? [] : cells[Columns.Allowed].Split('/'),
            IsDynamic = cells[Columns.Change] == "dynamic",
            Edition = cells[Columns.Edition],
            Since = cells[Columns.Since],
            Until = cells[Columns.Until],
            Status = Enum.Parse<ParameterStatus>(cells[Columns.Status], ignoreCase: true),
            Becomes = cells[Columns.Becomes],
            Note = cells[Columns.Note],
        };
    }

    private static Int128 ReadLimit(string cell, ParameterType type, Int128 otherwise)
    {
        Invariant.Holds(type != ParameterType.Integer || cell.Length > 0);
        return cell.Length == 0 ? otherwise : Int128.Parse(cell, CultureInfo.InvariantCulture);
    }

    private static class Columns
    {
        public const int Section = 0;
        public const int Name = 1;
        public const int ConfName = 2;
        public const int Type = 3;
        public const int Unit = 4;
        public const int Default = 5;
        public const int Min = 6;
        public const int Max = 7;
        public const int Allowed = 8;
        public const int Change = 9;
        public const int Edition = 10;
        public const int Since = 11;
        public const int Until = 12;
        public const int Becomes = 13;
        public const int Note = 14;
        public const int Status = 15;
        public const int Count = 16;
    }
}

using System.Globalization;
using Aerie.Foundation;

namespace Aerie.Server.Config;

/// The checked values of one section and of those inside it: what was given, else the default of the table. A plain tree that one
/// thread builds; afterwards it is never changed but copied (ConfigStore), so readers need no lock.
public sealed class Settings
{
    private readonly ParameterTable _table;
    private readonly Dictionary<string, Value> _values = [];
    private readonly List<Settings> _children = [];

    public Settings(ParameterTable table, string path, string keyword, string name, int line)
    {
        _table = table;
        Path = path;
        Keyword = keyword;
        Name = name;
        Line = line;
    }

    /// The section in the words of parameters.tsv; empty for the whole configuration.
    public string Path { get; }

    public string Keyword { get; }

    /// The name the user chose (a namespace, a set, a log file) or the kind (of a storage engine); else empty.
    public string Name { get; }

    /// Where it was opened; 0 when nobody wrote it.
    public int Line { get; }

    public IReadOnlyList<Settings> Children => _children;

    public IEnumerable<string> GivenNames => _values.Where(value => value.Value.Line > 0).Select(value => value.Key);

    public Settings? Child(string keyword, string? name = null) =>
        _children.Find(child => child.Keyword == keyword && (name == null || child.Name == name));

    public IEnumerable<Settings> ChildrenOf(string keyword) => _children.Where(child => child.Keyword == keyword);

    public Settings Add(string path, string keyword, string name, int line)
    {
        Settings child = new(_table, path, keyword, name, line);
        _children.Add(child);
        return child;
    }

    public Settings ChildOrNew(string path, string keyword) => Child(keyword) ?? Add(path, keyword, "", 0);

    public void Replace(Settings old, Settings? replacement)
    {
        int at = _children.IndexOf(old);
        _children.RemoveAt(at);
        if (replacement != null)
        {
            _children.Insert(at, replacement);
        }
    }

    /// Written in the file, or put there in the name of an old parameter.
    public bool IsGiven(string name) => _values.TryGetValue(name, out Value value) && value.Line > 0;

    /// Where to point to when something is wrong with it: its section when nobody gave it.
    public int LineOf(string name) => IsGiven(name) ? _values[name].Line : Line;

    /// Line 0 marks a default that depends on the machine.
    public void Put(string name, string text, int line)
    {
        Invariant.Holds(_table.ByName(Path, name) != null);
        _values[name] = new Value([text], line);
    }

    /// One more element of a list. The line stays that of the first.
    public void Append(string name, string text, int line) =>
        _values[name] = _values.TryGetValue(name, out Value value)
            ? new Value([.. value.Texts, text], value.Line)
            : new Value([text], line);

    public string Text(string name)
    {
        Parameter row = Row(name);
        return _values.TryGetValue(name, out Value value) ? value.Texts[^1] : row.Default;
    }

    public IReadOnlyList<string> List(string name)
    {
        Parameter row = Row(name);
        if (_values.TryGetValue(name, out Value value))
        {
            return value.Texts;
        }

        return row.Default.Length == 0 ? [] : [row.Default];
    }

    public bool Flag(string name) => Text(name) == "true";

    /// Numbers above what a signed 64-bit one holds mean "no limit", and the largest long is that too.
    public long Integer(string name) => (long)Int128.Min(Int128.Parse(Text(name), CultureInfo.InvariantCulture), long.MaxValue);

    public int Int(string name) => (int)Math.Clamp(Integer(name), int.MinValue, int.MaxValue);

    public Settings Copy()
    {
        Settings copy = new(_table, Path, Keyword, Name, Line);
        foreach ((string name, Value value) in _values)
        {
            copy._values.Add(name, value); // the list inside is never changed once stored
        }

        foreach (Settings child in _children)
        {
            copy._children.Add(child.Copy());
        }

        return copy;
    }

    /// A name that the table does not have is a typing mistake in our own code.
    private Parameter Row(string name)
    {
        Parameter? row = _table.ByName(Path, name);
        Invariant.Holds(row != null);
        return row;
    }

    private readonly record struct Value(IReadOnlyList<string> Texts, int Line);
}

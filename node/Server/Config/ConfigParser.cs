namespace Aerie.Server.Config;

/// The grammar of aerospike.conf: one `name value…` per line, `name [value] {` … `}` around nested ones, `#` to the end of the
/// line is a comment. Makes a tree with line numbers out of any text; never throws on what a file holds.
public sealed class ConfigParser
{
    /// The limits of the reference: longer lines and deeper nesting are mistakes in every file seen so far.
    public const int LineLengthMax = 1024;
    public const int NestingMax = 8;

    /// A full file (32 namespaces with a section for each of their sets) stays far below; a wrong file must not eat the memory.
    public const int TextLengthMax = 16 << 20;

    private readonly IReadOnlyDictionary<string, string> _environment;
    private readonly Findings _findings;
    private readonly ConfigNode _root = ConfigNode.Section("", [], 0);
    private readonly Stack<ConfigNode> _open = new();
    private readonly List<string> _statement = [];
    private int _depthIgnored;

    private ConfigParser(IReadOnlyDictionary<string, string> environment, Findings findings)
    {
        _environment = environment;
        _findings = findings;
        _open.Push(_root);
    }

    /// The environment is given, never read here: a check of a file gives the same answer anywhere.
    public static ConfigNode Parse(string text, IReadOnlyDictionary<string, string> environment, Findings findings)
    {
        ConfigParser parser = new(environment, findings);
        if (text.Length > TextLengthMax)
        {
            findings.Problem(0, $"the file has {text.Length} characters; allowed are {TextLengthMax}");
            return parser._root;
        }

        parser.ReadLines(text.AsSpan().TrimStart('\uFEFF'));
        parser.ReportUnclosed();
        return parser._root;
    }

    private void ReadLines(ReadOnlySpan<char> text)
    {
        int number = 0;
        foreach (ReadOnlySpan<char> line in text.EnumerateLines())
        {
            number++;
            if (line.Length > LineLengthMax)
            {
                _findings.Problem(number, $"the line has {line.Length} characters; allowed are {LineLengthMax}");
                continue;
            }

            ReadLine(line, number);
        }
    }

    /// Braces stand alone, so that a value may hold them (`${un}` in an LDAP pattern); only `name{` at the end is forgiven.
    private void ReadLine(ReadOnlySpan<char> line, int number)
    {
        int comment = line.IndexOf('#');
        if (comment >= 0)
        {
            line = line[..comment];
        }

        while (TryTakeToken(ref line, out string token))
        {
            bool opensAtEnd = token.Length > 1 && token[^1] == '{' && line.IsWhiteSpace()
                && !token.Contains("${", StringComparison.Ordinal);
            if (token == "{" || opensAtEnd)
            {
                if (opensAtEnd)
                {
                    _statement.Add(token[..^1]);
                }

                Open(number);
                _statement.Clear();
            }
            else if (token == "}")
            {
                EndStatement(number);
                Close(number);
            }
            else
            {
                _statement.Add(token);
            }
        }

        EndStatement(number);
    }

    private void Open(int line)
    {
        if (_depthIgnored > 0 || _open.Count > NestingMax)
        {
            if (_depthIgnored++ == 0)
            {
                _findings.Problem(line, $"sections are nested deeper than {NestingMax}");
            }

            return;
        }

        if (_statement.Count == 0)
        {
            _findings.Problem(line, "'{' without a name before it; write 'name {' on one line");
        }

        string name = _statement.Count == 0 ? "" : _statement[0];
        ConfigNode section = ConfigNode.Section(name, Expand(line) ?? [.. _statement.Skip(1)], line);
        if (_statement.Count > 0)
        {
            _open.Peek().Children!.Add(section);
        }

        _open.Push(section);
    }

    private void Close(int line)
    {
        if (_depthIgnored > 0)
        {
            _depthIgnored--;
        }
        else if (_open.Count == 1)
        {
            _findings.Problem(line, "'}' closes no section");
        }
        else
        {
            _open.Pop();
        }
    }

    private void EndStatement(int line)
    {
        if (_statement.Count > 0 && _depthIgnored == 0 && Expand(line) is { } values)
        {
            _open.Peek().Children!.Add(ConfigNode.Parameter(_statement[0], values, line));
        }

        _statement.Clear();
    }

    /// The values of the statement; null when a placeholder could not be filled, which has been told then.
    private string[]? Expand(int line)
    {
        string[] values = _statement.Count > 1 ? new string[_statement.Count - 1] : [];
        for (int i = 0; i < values.Length; i++)
        {
            string token = _statement[i + 1];
            if (!EnvironmentPlaceholders.TryExpand(ref token, _environment, line, LineLengthMax, _findings))
            {
                return null;
            }

            values[i] = token;
        }

        return values;
    }

    private void ReportUnclosed()
    {
        while (_open.Count > 1)
        {
            ConfigNode section = _open.Pop();
            _findings.Problem(section.Line, $"section {Findings.Quote(section.Name)} is never closed: '}}' is missing");
        }
    }

    private static bool TryTakeToken(ref ReadOnlySpan<char> line, out string token)
    {
        line = line.TrimStart();
        int length = 0;
        while (length < line.Length && !char.IsWhiteSpace(line[length]))
        {
            length++;
        }

        token = line[..length].ToString();
        line = line[length..];
        return length > 0;
    }
}

using System.Text;

namespace Aerie.Server.Config;

/// How much a finding matters: a Problem stops the start, a Warning and an Info are logged, a Debug is for the curious.
public enum FindingKind
{
    Problem,
    Warning,
    Info,
    Debug,
}

/// One thing to say about a configuration. Line 0 means: about the whole file.
public sealed record Finding(FindingKind Kind, int Line, string Text);

/// Collects everything there is to say, so that an operator mends a file in one go.
public sealed class Findings
{
    /// A file of garbage has a problem on every line; more than this nobody reads, and memory must stay bounded.
    public const int Max = 1000;

    private const int QuotedLengthMax = 64;

    private readonly List<Finding> _all = [];
    private int _dropped;

    public bool HasProblems { get; private set; }

    /// From here on findings are only counted; whoever makes a costly hint asks first, so that a huge wrong file stays cheap.
    public bool IsFull => _all.Count == Max;

    public void Problem(int line, string text)
    {
        HasProblems = true;
        Add(FindingKind.Problem, line, text);
    }

    public void Warning(int line, string text) => Add(FindingKind.Warning, line, text);

    public void Info(int line, string text) => Add(FindingKind.Info, line, text);

    public void Debug(int line, string text) => Add(FindingKind.Debug, line, text);

    /// By line; findings of one line in the order they were made.
    public IReadOnlyList<Finding> InOrder()
    {
        List<Finding> ordered = [.. _all.OrderBy(finding => finding.Line)];
        if (_dropped > 0)
        {
            ordered.Add(new Finding(HasProblems ? FindingKind.Problem : FindingKind.Warning, 0, $"and {_dropped} more findings"));
        }

        return ordered;
    }

    /// What a user wrote, made fit for one line of a terminal or a log.
    public static string Quote(string text)
    {
        if (text.Length <= QuotedLengthMax && !text.AsSpan().ContainsAnyExceptInRange(' ', '~'))
        {
            return $"'{text}'";
        }

        StringBuilder quoted = new("'", QuotedLengthMax + 8);
        foreach (char c in text.AsSpan(0, Math.Min(text.Length, QuotedLengthMax)))
        {
            quoted.Append(char.IsControl(c) || char.IsSurrogate(c) ? '?' : c);
        }

        return quoted.Append(text.Length > QuotedLengthMax ? "…'" : "'").ToString();
    }

    private void Add(FindingKind kind, int line, string text)
    {
        if (IsFull)
        {
            _dropped++;
            return;
        }

        _all.Add(new Finding(kind, line, text));
    }
}

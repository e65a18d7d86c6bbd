using System.Text.RegularExpressions;

namespace Aerie.Node.Tests.Architecture;

/// The mechanical part of docs/STYLE.md. A rule takes a file and returns its complaints; none means tidy.
internal static partial class TidyRules
{
    public const int FileLinesMax = 600;
    public const int MethodLinesMax = 70;
    public const int LineLengthMax = 140;

    // Put together here, so that this file does not complain about itself.
    private static readonly Regex Reminders = new($@"\b({"TO" + "DO"}|{"FIX" + "ME"}|{"HA" + "CK"})\b");
    private static readonly Regex MachinePaths = new($@"(?<![\w.\-/])/({"wo" + "rk"}|{"ho" + "me"}|{"ro" + "ot"}|{"Us" + "ers"})/\w");

    public static IEnumerable<string> FileLength(SourceFile file)
    {
        var lines = file.Text.EndsWith('\n') ? file.Lines.Length - 1 : file.Lines.Length;
        return lines <= FileLinesMax ? [] : [$"{file.Path}: {lines} lines, at most {FileLinesMax}: split it by topic"];
    }

    public static IEnumerable<string> MethodLength(SourceFile file) =>
        from member in Members.Of(file)
        where member.Lines > MethodLinesMax
        select $"{file.Path}:{member.FirstLine}: {member.Name} has {member.Lines} lines, at most {MethodLinesMax}";

    public static IEnumerable<string> LineLength(SourceFile file) =>
        EachLine(file, line => line.Length > LineLengthMax, $"longer than {LineLengthMax} characters");

    public static IEnumerable<string> TrailingWhitespace(SourceFile file) =>
        EachLine(file, line => line.EndsWith(' ') || line.EndsWith('\t') || line.EndsWith('\r'), "ends in white space");

    public static IEnumerable<string> EndOfFile(SourceFile file) =>
        file.Text.Length == 0 || file.Text.EndsWith('\n') ? [] : [$"{file.Path}: the last line does not end"];

    public static IEnumerable<string> NoReminders(SourceFile file) =>
        EachLine(file, line => Reminders.IsMatch(line), "a reminder: do it, or write an issue");

    public static IEnumerable<string> NoMachinePaths(SourceFile file) =>
        EachLine(file, line => MachinePaths.IsMatch(line), "a path of somebody's machine");

    public static IEnumerable<string> NoUnfinishedCode(SourceFile file) =>
        EachMatch(file, Unfinished(), match => $"{match} has no place here");

    public static IEnumerable<string> NoWaitingByTime(SourceFile file) =>
        EachMatch(file, Waiting(), match => $"{match}: wait for a condition with a deadline");

    public static IEnumerable<string> NoSummaryTags(SourceFile file) =>
        EachLine(file, line => line.TrimStart().StartsWith("/// <summary>", StringComparison.Ordinal), "write plain text after ///");

    /// Relative links of a document must lead somewhere; `exists` is asked with a path from the repository's root.
    public static IEnumerable<string> LinksResolve(SourceFile file, Func<string, bool> exists)
    {
        foreach (Match match in Links().Matches(file.Text))
        {
            var target = match.Groups["target"].Value.Split('#')[0];
            if (target.Length == 0 || target.Contains("://") || target.StartsWith("mailto:", StringComparison.Ordinal))
            {
                continue;
            }

            var path = Path.Combine(Path.GetDirectoryName(file.Path)!, target);
            if (!exists(path))
            {
                yield return $"{file.Path}:{file.LineAt(match.Index)}: the link to {target} leads nowhere";
            }
        }
    }

    private static IEnumerable<string> EachLine(SourceFile file, Func<string, bool> isBad, string complaint) =>
        from line in file.Lines.Select((text, index) => (text, number: index + 1))
        where isBad(line.text)
        select $"{file.Path}:{line.number}: {complaint}";

    private static IEnumerable<string> EachMatch(SourceFile file, Regex pattern, Func<string, string> complaint) =>
        from match in pattern.Matches(file.Code)
        select $"{file.Path}:{file.LineAt(match.Index)}: {complaint(match.Value)}";

    [GeneratedRegex(@"#region|\bNotImplementedException\b|#pragma warning disable(?!.*//)")]
    private static partial Regex Unfinished();

    [GeneratedRegex(@"\bTask\s*\.\s*Delay\b|\bThread\s*\.\s*Sleep\b")]
    private static partial Regex Waiting();

    [GeneratedRegex(@"\]\((?<target>[^)\s]+)\)")]
    private static partial Regex Links();
}

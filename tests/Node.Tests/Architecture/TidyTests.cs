using Xunit;

namespace Aerie.Node.Tests.Architecture;

/// Holds the mechanical part of docs/STYLE.md over every file of the repository. TidyRulesTests shows that each rule can fail.
public sealed class TidyTests
{
    private static readonly string[] CodeFolders = ["node", "client", "tools", "tests", "operator", "build", ".ci"];
    private static readonly string[] Texts =
        [".cs", ".js", ".sh", ".c", ".md", ".csproj", ".props", ".targets", ".json", ".tsv", ".conf", ".yaml", ".yml", ".txt", ""];

    [Fact]
    public void Files_are_short_enough() => Tidy(Code(".cs", ".js", ".sh", ".c"), TidyRules.FileLength);

    [Fact]
    public void Methods_are_short_enough() => Tidy(Code(".cs"), TidyRules.MethodLength);

    [Fact]
    public void Lines_are_short_enough() => Tidy(Code(".cs", ".js", ".sh", ".c"), TidyRules.LineLength);

    [Fact]
    public void No_line_ends_in_white_space() => Tidy(Code(".cs", ".js", ".sh", ".c", ".csproj"), TidyRules.TrailingWhitespace);

    [Fact]
    public void The_last_line_ends() => Tidy(Code(".cs", ".js", ".sh", ".c", ".md", ".csproj"), TidyRules.EndOfFile);

    [Fact]
    public void Nothing_is_left_for_later() => Tidy(Code(".cs", ".js", ".sh", ".c"), TidyRules.NoReminders);

    [Fact]
    public void Code_is_finished() => Tidy(Code(".cs"), TidyRules.NoUnfinishedCode);

    [Fact]
    public void Nobody_waits_by_time() => Tidy(Code(".cs"), TidyRules.NoWaitingByTime);

    [Fact]
    public void Comments_are_plain_text() => Tidy(Code(".cs"), TidyRules.NoSummaryTags);

    [Fact]
    public void Nothing_names_a_machine() => Tidy(Repository.Files(".", Texts), TidyRules.NoMachinePaths);

    [Fact]
    public void Links_in_documents_resolve() =>
        Tidy(Repository.Files(".", ".md"), file => TidyRules.LinksResolve(file, Repository.Exists));

    [Fact]
    public void The_package_lock_names_no_host()
    {
        var locks = Repository.Files("tests", ".json").Where(file => Path.GetFileName(file.Path) == "package-lock.json");
        Tidy(locks, file => file.Text.Contains("\"resolved\"", StringComparison.Ordinal) ? [$"{file.Path}: names a registry"] : []);
    }

    [Fact]
    public void Every_module_explains_itself()
    {
        var silent = Repository.FoldersWithSources("node")
            .Where(folder => folder.Count(c => c == Path.DirectorySeparatorChar) == (IsServerPart(folder) ? 2 : 1))
            .Where(folder => !Repository.Exists(Path.Combine(folder, "README.md")))
            .ToList();
        Assert.True(silent.Count == 0, "without README.md: " + string.Join(", ", silent));
    }

    private static bool IsServerPart(string folder) => folder.StartsWith(Path.Combine("node", "Server"), StringComparison.Ordinal);

    private static IEnumerable<SourceFile> Code(params string[] extensions) =>
        CodeFolders.SelectMany(folder => Repository.Files(folder, extensions));

    private static void Tidy(IEnumerable<SourceFile> files, Func<SourceFile, IEnumerable<string>> rule)
    {
        var complaints = files.SelectMany(rule).ToList();
        Assert.True(complaints.Count == 0, string.Join('\n', complaints));
    }
}

namespace Aerie.Node.Tests.Architecture;

/// The files of this repository as the tests of the code itself see them: what is written by hand, nothing that is built.
internal static class Repository
{
    private static readonly string[] NotOurs = ["artifacts", "bin", "obj", "node_modules", ".git", ".vs", ".idea"];

    public static string Root { get; } = FindRoot();

    public static IEnumerable<SourceFile> Files(string folder, params string[] extensions) =>
        PathsBelow(Path.Combine(Root, folder))
            .Where(path => extensions.Contains(Path.GetExtension(path)))
            .Order(StringComparer.Ordinal)
            .Select(path => new SourceFile(Path.GetRelativePath(Root, path), File.ReadAllText(path)));

    /// Folders that hold C# sources themselves: a module, or a part of the Server.
    public static IEnumerable<string> FoldersWithSources(string folder) =>
        Files(folder, ".cs").Select(file => Path.GetDirectoryName(file.Path)!).Distinct();

    public static bool Exists(string relativePath) =>
        File.Exists(Path.Combine(Root, relativePath)) || Directory.Exists(Path.Combine(Root, relativePath));

    private static IEnumerable<string> PathsBelow(string folder)
    {
        if (!Directory.Exists(folder))
        {
            return [];
        }

        var below = Directory.EnumerateDirectories(folder)
            .Where(each => !NotOurs.Contains(Path.GetFileName(each)))
            .SelectMany(PathsBelow);
        return Directory.EnumerateFiles(folder).Concat(below);
    }

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder != null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Aerie.slnx")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException("the tests run outside of the repository");
    }
}

/// One file: where it is and what it says. Rules take these, so that a rule can be tried on a sample.
internal sealed record SourceFile(string Path, string Text)
{
    private string? _code;

    public string[] Lines { get; } = Text.Split('\n');

    /// The text with comments and literals blanked out, of the same shape: a word in a string is no code.
    public string Code => _code ??= CodeText.WithoutCommentsAndLiterals(Text);

    public string Extension => System.IO.Path.GetExtension(Path);

    public int LineAt(int offset) => Text.AsSpan(0, offset).Count('\n') + 1;
}
